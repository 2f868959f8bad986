"""The options that all commands share, before or after the command's name, and the lines that commands say to people.

Lines for people go to standard error, data to standard output; with ``--json`` only data is written.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelines.cli.text_table import aligned, terminal_width, wrap_lines

if TYPE_CHECKING:
    from pipelines.settings import Settings
    from pipelines.usecases.context import Context
    from warehouse.storage.home import Home

F = TypeVar("F", bound=Callable[..., Any])

SETTINGS_FILES = ("convohouse.toml", ".env")
SINCE_HELP = "Only conversations that started at or after: 2026-01-01, an ISO time, or 7d (days ago)."
UNTIL_HELP = "Only conversations that started before."
EPILOG_WIDTH = 78
"""Columns of the end of a help text, which click indents by two."""

AGENT_HELP = "Only conversations of this agent: its name or its id."


@dataclass
class Options:
    """The shared options as given so far: the group's first, then the command's."""

    home: Path | None = None
    is_json: bool = False
    is_debug: bool = False
    are_settings_noted: bool = False

    def settings(self, **overrides: object) -> Settings:
        """The settings, overridden by ``--home``; says once which settings beside the home folder are not read.

        Raises:
            SettingsError: one is wrong.
        """
        from pipelines.settings import load_settings

        settings = load_settings(**({"home": self.home} | overrides))
        if not self.are_settings_noted:
            self.are_settings_noted = True
            for file in _unread_settings(settings.home):
                self.say(f"note: {file} is not read: settings are those of the folder where the command runs.")
        return settings

    def home_folder(self) -> Home:
        """The home folder of the settings; cheaper than ``context`` for a command that only reads.

        Raises:
            SettingsError: one is wrong.
        """
        from warehouse.storage.home import Home

        return Home(self.settings().home)

    def context(self) -> Context:
        """The context of the settings, for the use cases.

        Raises:
            SettingsError: one is wrong.
        """
        from pipelines.usecases.context import Context

        return Context(self.settings())

    def context_with_data(self) -> Context:
        """As ``context``, of a home that there is: in a folder that is none, there is nothing to do, and nothing done.

        Raises:
            EmptyHomeError: the folder is not a home.
            SettingsError: a setting is wrong.
        """
        context = self.context()
        context.home.require_data()
        return context

    def now(self) -> datetime:
        """The time by the clock of the settings.

        Raises:
            SettingsError: one is wrong.
        """
        return self.settings().clock()()

    def say(self, text: str = "") -> None:
        """Say a line to people; on a terminal it wraps between words."""
        if not self.is_json:
            click.echo(wrap_lines(text, terminal_width(sys.stderr)), err=True)

    def say_facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """Say aligned lines of a name and a text to people."""
        if not self.is_json:
            click.echo(aligned(facts, terminal_width(sys.stderr)), err=True)


def _unread_settings(home: Path) -> list[Path]:
    """Settings files in the folder that holds the home folder, if the command runs in another one."""
    folder = home.absolute().parent
    with suppress(OSError):
        if not folder.samefile(Path.cwd()):
            return [folder / name for name in SETTINGS_FILES if (folder / name).is_file()]
    return []


pass_options = click.make_pass_decorator(Options, ensure=True)


def shared_options(command: F) -> F:
    """Add the options that every command and the group have."""
    for option in (
        click.option(
            "--debug",
            is_flag=True,
            expose_value=False,
            callback=_store("is_debug"),
            help="Show tracebacks and log lines.",
        ),
        click.option(
            "--json",
            is_flag=True,
            expose_value=False,
            callback=_store("is_json"),
            help="Write data as one JSON document to standard output, and no lines for people.",
        ),
        click.option(
            "--home",
            type=click.Path(path_type=Path),
            metavar="PATH",
            expose_value=False,
            callback=_store("home"),
            help="Folder that holds the data [default: CONVOHOUSE_HOME, else data].",
        ),
    ):
        command = option(command)
    return command


def port_option(default: int) -> Callable[[F], F]:
    """The option ``--port`` of a command that listens."""
    return click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=default,
        show_default=True,
        help="Port to listen on; 0 takes a free one.",
    )


def _store(name: str) -> Callable[[click.Context, click.Parameter, object], None]:
    def store(context: click.Context, _parameter: click.Parameter, value: object) -> None:
        options = context.ensure_object(Options)
        if value:
            setattr(options, name, value)
        if value and name == "is_debug":
            logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")

    return store


def help_epilog(examples: Mapping[str, str], exit_codes: Mapping[int, str]) -> str:
    """The end of a command's help: examples with their meanings, and exit codes, in 80 columns."""
    codes = ((str(code), meaning) for code, meaning in exit_codes.items())
    return f"\b\nExamples:\n{_examples(examples)}\n\n\b\nExit codes:\n{aligned(codes, EPILOG_WIDTH)}"


def _examples(examples: Mapping[str, str]) -> str:
    """Meanings beside the commands where all fit, else below them."""
    text = aligned(examples.items())
    if max(map(len, text.split("\n"))) <= EPILOG_WIDTH:
        return text
    return "\n".join(f"  {command}\n      {meaning}" for command, meaning in examples.items())


def exit_with(code: int) -> None:
    """End the command with this exit code."""
    click.get_current_context().exit(code)
