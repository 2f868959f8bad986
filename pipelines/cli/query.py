"""``convohouse query``: a question to the warehouse in SQL, answered as a table, CSV, JSON or Parquet."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelines.cli.options import Options, pass_options, plural, shared, teach, write

if TYPE_CHECKING:
    import polars as pl

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("table", "csv", "json", "parquet")
MOST_ROWS = 40
"""Rows that a table shows."""


def answering(command: F) -> F:
    """Give a command the options that say in which form it answers, and where to."""
    for option in (
        click.option(
            "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write into a file."
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMATS),
            help="[default: by the name of --output, else table; json if --json]",
        ),
    ):
        command = option(command)
    return command


@click.command(
    epilog=teach(
        {
            'convohouse query "from metrics.agent_daily"': "a table",
            'convohouse query "from metrics.agent_daily" --format csv > days.csv': "whole and exact",
            'convohouse query "from marts.fct_turns" --output turns.parquet': "by the file's name",
            "convohouse query - < question.sql": "from standard input",
        },
        {0: "answered", 2: "DuckDB refused the question, there is no warehouse yet, or an option is wrong"},
    )
)
@click.argument("sql")
@answering
@shared
@pass_options
def query(options: Options, sql: str, form: str | None, output: Path | None) -> None:
    """Ask the warehouse in SQL.

    SQL is DuckDB's; `-` reads it from standard input. Nothing can be changed by it. A table shows the first rows
    and what fits the terminal; csv, json (a list of rows) and parquet are whole and exact. `convohouse tables` says
    what there is to ask about.
    """
    form = chosen_form(options, form, output)
    answer(options, ask(options, _question(sql)), form, output)


def answer(options: Options, frame: pl.DataFrame, form: str, output: Path | None) -> None:
    """Give the rows in a form, on standard output or into a file; a table shows the first rows and what fits."""
    if form == "table" and output is None:
        _show(options, frame)
        return
    content = render(frame, form)
    if output is None:
        write(content)
    else:
        _write(output, content)
        options.say(f"{plural(frame.height, 'row')} written to {output}")


def chosen_form(options: Options, form: str | None, output: Path | None) -> str:
    """The form of the answer, by what was given.

    Raises:
        UsageError: there is no such folder, or Parquet would go to a terminal.
    """
    if output is not None and not output.parent.is_dir():
        raise click.UsageError(f"There is no folder {output.parent} to write into.")
    if form is None and output is not None and output.suffix[1:] in FORMATS:
        form = output.suffix[1:]
    form = form or ("json" if options.is_json else "table")
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise click.UsageError("Parquet is not for a terminal: name a file with --output.")
    return form


def _question(sql: str) -> str:
    text = sys.stdin.buffer.read().decode(errors="replace") if sql == "-" else sql
    text = text.encode(errors="surrogateescape").decode(errors="replace")  # an argument can hold bytes that are no text
    if not text.strip():
        raise click.UsageError("The question is empty.")
    return text


def ask(options: Options, sql: str) -> pl.DataFrame:
    """The rows that the warehouse gives.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: DuckDB refused, or a type has no place in a table.
    """
    from polars.exceptions import PolarsError

    from warehouse.errors import QueryError
    from warehouse.serve import query

    home = options.data()
    try:
        return query.query(home, sql)
    except PolarsError as error:
        raise QueryError(f"The answer cannot be read: {error}", "Cast intervals and the like to text.") from error


def render(frame: pl.DataFrame, form: str) -> bytes:
    """The whole answer as bytes of a format.

    JSON is a list of rows; numbers are numbers, whole and exact, times are ISO 8601, bytes are base64, NaN is null. CSV
    has lists and structs as JSON text.
    """
    import io

    import polars as pl

    if form == "parquet":
        whole = io.BytesIO()
        frame.write_parquet(whole, compression="zstd")
        return whole.getvalue()
    if form == "json":
        return _json(frame.rows(named=True)) + b"\n"
    if form == "csv":
        flat = [
            pl.Series(
                column.name, [None if value is None else _json(value).decode() for value in column.to_list()], pl.String
            )
            if column.dtype.is_nested() or column.dtype == pl.Binary
            else column.dt.to_string("iso:strict")
            if column.dtype == pl.Datetime
            else column
            for column in frame
        ]
        return pl.DataFrame(flat).write_csv().encode()
    return (_table(frame, len(frame.columns)) + "\n").encode()


def _json(value: object) -> bytes:
    import msgspec

    return msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode(value)


def _show(options: Options, frame: pl.DataFrame) -> None:
    """A table of the first rows and of the columns that fit, and a line that says how many there are."""
    from pipelines.cli.text_table import fitting, plain, terminal_width

    rows = [[plain(value) for value in row] for row in frame.head(MOST_ROWS).rows()]
    n_columns = fitting(frame.columns, rows, terminal_width())
    click.echo(_table(frame.head(MOST_ROWS), n_columns))
    cut = [f"the first {MOST_ROWS} are shown"] * (frame.height > MOST_ROWS)
    if n_columns < frame.width:
        cut.append(f"{n_columns} of {frame.width} columns fit here")
    if cut:
        cut.append("--format csv gives all")
    options.say(f"({'; '.join((plural(frame.height, 'row'), *cut))})")


def _table(frame: pl.DataFrame, n_columns: int) -> str:
    from pipelines.cli.text_table import table_text

    names = frame.columns[:n_columns]
    numbers = [name for name in names if frame[name].dtype.is_numeric()]
    return table_text(names, [row[:n_columns] for row in frame.rows()], right=numbers, is_cut=True)


def _write(target: Path, content: bytes) -> None:
    """Write a file that is either whole or not there; a device or a named pipe is written to as it is."""
    target = target.resolve()
    if target.exists() and not target.is_file():
        target.write_bytes(content)
        return
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    try:
        temporary.write_bytes(content)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
