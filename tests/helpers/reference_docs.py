"""What ``make docs`` writes besides the data dictionary: docs/commands.md, and two tables of other pages.

Commands come from click's help, settings from the descriptions of ``Settings``, outcomes from the header of their
model, so none can be out of date; a test compares the committed files with this.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
from pydantic import AliasChoices
from pydantic.fields import FieldInfo

from pipelines.cli.main import cli
from pipelines.settings import Settings
from warehouse.models.project import read_project

ROOT = Path(__file__).parents[2]
COMMANDS_FILE = ROOT / "docs" / "commands.md"
SETTINGS_FILE = ROOT / "docs" / "configuration.md"
OUTCOMES_FILE = ROOT / "docs" / "outcomes.md"
SHARED_OPTIONS = frozenset({"--home", "--json", "--debug", "--help"})
"""Options of every command: they are shown once."""

INTRODUCTION = """\
# Commands

<!-- Written by `make docs` from the help texts of the commands; change those, not this file. -->

`convohouse COMMAND --help` shows the same on the terminal. Data goes to standard output, messages to standard error, so
output can be piped. With `--json`, the data is one JSON document, and so is an error, under the key `error`."""


def commands_text() -> str:
    """docs/commands.md: the shared options and exit codes, an index, and every command with its options."""
    group = click.Context(cli, info_name="convohouse", **cli.context_settings)
    parts = [
        INTRODUCTION,
        "## For every command",
        _options(cli, group, is_all=True),
        _exit_codes(cli.epilog or ""),
        "## All commands",
        _table(
            ("command", "what it does"), ((f"[`{name}`](#{name})", _short(cli.commands[name])) for name in _names())
        ),
    ]
    for name in _names():
        parts += _command(name, group)
    return "\n\n".join(part for part in parts if part) + "\n"


def _names() -> list[str]:
    return list(cli.commands)


def _command(name: str, group: click.Context) -> Iterator[str]:
    command = cli.commands[name]
    context = click.Context(command, info_name=name, parent=group)
    yield f"## {name}"
    yield escaped(inspect.cleandoc(command.help or "").replace("\b\n", "").partition("\f")[0].strip())
    yield f"```text\nconvohouse {name} {' '.join(command.collect_usage_pieces(context))}\n```"
    yield _options(command, context)
    yield _examples(command.epilog or "")
    yield _exit_codes(command.epilog or "")


def _short(command: click.Command) -> str:
    return command.get_short_help_str(limit=200)


def _options(command: click.Command, context: click.Context, *, is_all: bool = False) -> str:
    records = [
        parameter.get_help_record(context)
        for parameter in command.get_params(context)
        if is_all or SHARED_OPTIONS.isdisjoint(parameter.opts)
    ]
    shown = ((names, " ".join(text.split())) for names, text in filter(None, records))
    rows = [(f"`{names}`".replace(" RANGE", ""), text) for names, text in shown if text]
    return _table(("option", "meaning"), rows) if rows else ""


def section(epilog: str, title: str) -> list[tuple[str, str]]:
    """The two columns of a section of a command's epilog, such as Examples."""
    rows: list[tuple[str, str]] = []
    for line in epilog.partition(f"{title}:\n")[2].partition("\n\n")[0].splitlines():
        text = line.strip()
        if line.startswith("   ") and rows:  # a meaning below its command, or the rest of a long one
            name, meaning = rows.pop()
            rows.append((name, f"{meaning} {text}".strip()))
        else:
            name, *meanings = re.split(r" {2,}", text, maxsplit=1)
            rows.append((name, "".join(meanings)))
    return rows


def _examples(epilog: str) -> str:
    rows = section(epilog, "Examples")
    width = max((len(line) for line, _ in rows), default=0)
    lines = (f"$ {line:<{width}}  # {meaning}".rstrip(" #") for line, meaning in rows)
    return "\n".join(("```console", *lines, "```")) if rows else ""


def _exit_codes(epilog: str) -> str:
    return f"Exit codes: {'; '.join(f'**{code}** {meaning}' for code, meaning in section(epilog, 'Exit codes'))}."


def settings_table() -> str:
    """Every setting with its default and what it means."""
    return _table(("setting", "default", "meaning"), (_setting(*item) for item in Settings.model_fields.items()))


def _setting(name: str, field: FieldInfo) -> tuple[str, str, str]:
    alias = field.validation_alias
    public = str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"CONVOHOUSE_{name.upper()}"
    meaning, _, said = (field.description or "").partition(" [default: ")
    default = said.rstrip("].") if said else _default(field.default)
    return f"`{public}`", default, meaning if meaning.endswith(".") else f"{meaning}."


def _default(value: object) -> str:
    if value is None or value == {}:
        return "none"
    return f"`{json.dumps(value) if isinstance(value, tuple) else value}`"


def replace_block(text: str, name: str, content: str) -> str:
    """Replace what is between ``<!-- name: begin … -->`` and ``<!-- name: end -->``.

    Raises:
        ValueError: the text has no such block, or several.
    """
    pattern = rf"(<!-- {name}: begin[^>]*-->\n).*?(<!-- {name}: end -->)"
    replaced, count = re.subn(pattern, lambda match: f"{match[1]}\n{content}\n\n{match[2]}", text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"The text has {count} blocks {name!r}.")
    return replaced


def settings_text(text: str) -> str:
    """docs/configuration.md with the table as it is now."""
    return replace_block(text, "settings", settings_table())


def outcomes_text(text: str) -> str:
    """docs/outcomes.md with the table as it is now."""
    values = read_project().by_key["intermediate.int_conversation_outcomes"].header.values["outcome"]
    rows = ((f"`{name}`", value.holds_when, value.reasons) for name, value in values.items())
    return replace_block(text, "outcomes", _table(("`outcome`", "holds when", "`outcome_reason`"), rows))


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'|'.join('---' for _ in head)}|"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return escaped(text).replace("|", "\\|")


def escaped(text: str) -> str:
    """The text with ``<`` outside of code as an entity: Markdown would take ``<name>`` for HTML."""
    parts = text.split("`")
    return "`".join(part if number % 2 else part.replace("<", "&lt;") for number, part in enumerate(parts))


def main() -> None:
    """Write the files."""
    COMMANDS_FILE.write_text(commands_text(), encoding="utf-8")
    for file, current in ((SETTINGS_FILE, settings_text), (OUTCOMES_FILE, outcomes_text)):
        file.write_text(current(file.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
