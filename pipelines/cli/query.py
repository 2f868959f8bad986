"""``convohouse query``: SQL against the warehouse, answered as a table, CSV, JSON or Parquet."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelines.cli.options import Options, help_epilog, pass_options, shared_options
from pipelines.cli.render import MAX_ROWS, encode, hidden_columns_note, require_folder, table, write, write_file
from pipelines.cli.text_table import MAX_CELL, Layout

if TYPE_CHECKING:
    import polars as pl

F = TypeVar("F", bound=Callable[..., Any])

FORMATS = ("table", "csv", "json", "parquet")


def format_options(command: F) -> F:
    """Add the options that choose the form of the answer and where it is written."""
    for option in (
        click.option(
            "--output",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Write the answer into a file.",
        ),
        click.option(
            "--format",
            "form",
            type=click.Choice(FORMATS),
            help="Form of the answer [default: by the ending of --output, else table; json with --json].",
        ),
    ):
        command = option(command)
    return command


@click.command(
    epilog=help_epilog(
        {
            'convohouse query "from metrics.agent_daily"': "a table",
            'convohouse query "from metrics.agent_daily" --format csv': "all rows, raw values",
            'convohouse query "from marts.fct_turns" --output turns.parquet': "into a file",
            "convohouse query - < question.sql": "from standard input",
        },
        {0: "answered", 2: "DuckDB refused the SQL, there is no warehouse yet, or an option is wrong"},
    )
)
@click.argument("sql")
@format_options
@shared_options
@pass_options
def query(options: Options, sql: str, form: str | None, output: Path | None) -> None:
    """Query the warehouse in SQL.

    The SQL is one SELECT in DuckDB's dialect; `-` reads it from standard input. It can read the warehouse and the files
    of the lake, and cannot write. A table shows the first rows, the columns that fit the terminal, and numbers with
    their unit. csv, json (a list of rows) and parquet have all rows, all columns and raw values; in csv, texts that a
    spreadsheet would execute as a formula get an apostrophe in front. `convohouse tables` lists the tables.
    """
    form = chosen_format(options, form, output)
    print_answer(options, run_query(options, _sql_text(sql)), form, output)


def print_answer(options: Options, frame: pl.DataFrame, form: str, output: Path | None) -> None:
    """Write the rows in a format to standard output or into a file."""
    if output is not None:
        write_file(output, encode(frame, form))
        options.say(f"{_count(frame.height)} written to {output}")
    elif form == "table":
        rows = frame.head(MAX_ROWS).rows(named=True)
        print_layout(options, table(rows, frame.columns, max_cell=MAX_CELL), frame.height)
    else:
        write(encode(frame, form))


def print_layout(options: Options, layout: Layout, n_rows: int) -> None:
    """Print the table of an answer, then a line that says how many rows there are and what is not shown."""
    click.echo(layout.text)
    notes = [_count(n_rows)]
    if n_rows > MAX_ROWS:
        notes.append(f"the first {MAX_ROWS} are shown; --format csv gives all")
    if layout.hidden:
        notes.append(hidden_columns_note(layout.hidden, "--format csv has all columns"))
    options.say(f"({'; '.join(notes)})")


def chosen_format(options: Options, form: str | None, output: Path | None) -> str:
    """The format of the answer, by the options.

    Raises:
        UsageError: the folder does not exist, the file's ending is of another form, or Parquet would be written to a
            terminal.
    """
    require_folder(output)
    if form is None and output is not None and (ending := output.suffix[1:].lower()) not in ("", "txt"):
        if ending not in FORMATS:
            raise click.UsageError(f"{output.name} ends in .{ending}: write .csv, .json or .parquet, or give --format.")
        form = ending
    form = form or ("json" if options.is_json else "table")
    if form == "parquet" and output is None and sys.stdout.isatty():
        raise click.UsageError("Parquet cannot be shown on a terminal: name a file with --output.")
    return form


def run_query(options: Options, sql: str) -> pl.DataFrame:
    """The rows that the warehouse answers.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: DuckDB refused the SQL, or a type cannot be converted.
    """
    from warehouse.serve import query

    return query.query(options.home_folder(), sql)


def _sql_text(sql: str) -> str:
    text = sys.stdin.buffer.read().decode(errors="replace") if sql == "-" else sql
    # an argument can hold bytes that are not text
    text = text.encode(errors="surrogateescape").decode(errors="replace")
    if not text.strip():
        raise click.UsageError("The SQL is empty.")
    return text


def _count(n_rows: int) -> str:
    from warehouse.serve.value_format import plural

    return plural(n_rows, "row")
