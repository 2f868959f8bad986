"""What every command shares: the options that may stand before or after its name, and how it speaks.

Human lines go to standard error, data to standard output; with ``--json`` data is one JSON document and human lines
are not said.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from pipelines.settings import Settings
    from pipelines.usecases.context import Context
    from warehouse.storage.home import Home

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Options:
    """The shared options as given so far: the group's first, then the command's."""

    home: Path | None = None
    is_json: bool = False
    is_debug: bool = False

    def settings(self, **overrides: object) -> Settings:
        """The settings, with ``--home`` over them.

        Raises:
            SettingsError: one is wrong.
        """
        from pipelines.settings import load_settings

        return load_settings(**({"home": self.home} | overrides))

    def data(self) -> Home:
        """The home folder, by the settings; cheaper than ``context`` for what only reads.

        Raises:
            SettingsError: one is wrong.
        """
        from warehouse.storage.home import Home

        return Home(self.settings().home)

    def context(self) -> Context:
        """Where the work is done, by the settings.

        Raises:
            SettingsError: one is wrong.
        """
        from pipelines.usecases.context import Context

        return Context(self.settings())

    def now(self) -> datetime:
        """Now, by the clock of the settings.

        Raises:
            SettingsError: one is wrong.
        """
        return self.settings().clock()()

    def say(self, text: str = "") -> None:
        """A line for people."""
        if not self.is_json:
            click.echo(text, err=True)

    def say_facts(self, facts: Iterable[tuple[str, str]]) -> None:
        """Lines of a name and what is to be said of it, aligned, for people."""
        if not self.is_json:
            click.echo(aligned(facts), err=True)


pass_options = click.make_pass_decorator(Options, ensure=True)


def shared(command: F) -> F:
    """Give a command, or the group, the options that all share."""
    for option in (
        click.option(
            "--debug",
            is_flag=True,
            expose_value=False,
            callback=_keep("is_debug"),
            help="Show tracebacks and what is logged.",
        ),
        click.option(
            "--json",
            is_flag=True,
            expose_value=False,
            callback=_keep("is_json"),
            help="Data as one JSON document on standard output, no lines for people.",
        ),
        click.option(
            "--home",
            type=click.Path(path_type=Path),
            metavar="PATH",
            expose_value=False,
            callback=_keep("home"),
            help="Folder that holds the data [default: CONVOHOUSE_HOME, else data].",
        ),
    ):
        command = option(command)
    return command


def _keep(name: str) -> Callable[[click.Context, click.Parameter, object], None]:
    def keep(context: click.Context, _parameter: click.Parameter, value: object) -> None:
        options = context.ensure_object(Options)
        if value:
            setattr(options, name, value)
        if value and name == "is_debug":
            logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")

    return keep


def teach(examples: Mapping[str, str], exits: Mapping[int, str]) -> str:
    """The end of a command's help: examples and what they do, exit codes and what they mean, a line each."""
    codes = ((str(code), meaning) for code, meaning in exits.items())
    return f"\b\nExamples:\n{aligned(examples.items())}\n\n\b\nExit codes:\n{aligned(codes)}"


def finish(code: int) -> None:
    """End the command with this exit code."""
    click.get_current_context().exit(code)


def emit(data: Mapping[str, Any]) -> None:
    """Data as one JSON object on standard output."""
    text = json.dumps(data, default=_plain, ensure_ascii=False, indent=2)
    write(f"{text}\n".encode(errors="replace"))


def write(content: bytes) -> None:
    """Bytes on standard output, whatever the terminal's encoding."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def aligned(facts: Iterable[tuple[str, str]]) -> str:
    """Two columns, indented; a fact without a name goes on under the one before."""
    rows = list(facts)
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"  {name:<{width}}  {said}".rstrip() for name, said in rows)


def moment(at: datetime | None) -> str:
    """A time for people, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"


def plural(number: int, noun: str) -> str:
    """A number and what is counted, such as ``1,200 calls``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(n_bytes: float) -> str:
    """Bytes for people, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        if n_bytes < 1000:  # noqa: PLR2004 - the step of the units
            return f"{n_bytes:.0f} {unit}" if unit == "B" else f"{n_bytes:.1f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} TB"
