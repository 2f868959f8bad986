"""How commands give data: tables for people, JSON, CSV and Parquet for programs.

A table formats its numbers by their unit and fits the terminal; the other forms keep raw values and all columns.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import Options
from pipelines.cli.text_table import Layout, lay_out, terminal_width, wrap_lines
from warehouse.serve.value_format import escape_invisible

if TYPE_CHECKING:
    import polars as pl

MAX_ROWS = 40
"""Rows that a table of an answer shows."""
MAX_HIDDEN_NAMES = 6
"""Hidden columns that are named; of more there is the number."""


def emit(data: Mapping[str, Any]) -> None:
    """Data as one JSON object on standard output."""
    text = json.dumps(data, default=_to_json, ensure_ascii=False, indent=2)
    write(f"{text}\n".encode(errors="replace"))


def write(content: bytes) -> None:
    """Bytes on standard output, whatever the terminal's encoding; on a terminal, without control characters."""
    if sys.stdout.isatty():
        content = escape_invisible(content.decode(errors="replace")).encode()
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def echo(text: str) -> None:
    """A text for people on standard output, its lines wrapped between words on a terminal."""
    click.echo(wrap_lines(text, terminal_width()))


def table(
    rows: Iterable[Mapping[str, Any]],
    columns: Mapping[str, str] | Sequence[str],
    *,
    prose: Collection[str] = (),
    units: Mapping[str, str | None] | None = None,
    max_cell: int | None = None,
) -> Layout:
    """A table of rows.

    Args:
        rows: Raw values by column.
        columns: The columns to show, or the heading of each.
        prose: Columns that may wrap between words; without any, columns are hidden where there is no room.
        units: Units by column [default: what the suffix of the column's name says].
        max_cell: Characters after which a cell is cut, on a terminal.
    """
    from warehouse.schema.types import unit_of
    from warehouse.serve.value_format import format_value

    rows = list(rows)
    # a PIVOT makes names of what was said
    headings = columns if isinstance(columns, Mapping) else {name: format_value(name) for name in columns}
    unit_by_column = {name: unit_of(name) if units is None else units.get(name, unit_of(name)) for name in headings}
    cells = [[format_value(row[name], unit_by_column[name]) for name in headings] for row in rows]
    return lay_out(
        list(headings.values()),
        cells,
        right={heading for name, heading in headings.items() if _is_numeric(row[name] for row in rows)},
        prose={headings[name] for name in prose},
        width=terminal_width(),
        max_cell=max_cell,
    )


def print_all_rows(options: Options, layout: Layout) -> None:
    """Print a table that has all rows, and say which of its columns there was no room for."""
    click.echo(layout.text)
    if layout.hidden:
        options.say(hidden_columns_note(layout.hidden, "--json has all columns"))


def hidden_columns_note(hidden: Sequence[str], how_to_see_all: str) -> str:
    """Which columns there was no room for, and how to see them."""
    names = ", ".join(hidden[:MAX_HIDDEN_NAMES])
    others = f" and {len(hidden) - MAX_HIDDEN_NAMES} more" if len(hidden) > MAX_HIDDEN_NAMES else ""
    return f"no room for {names}{others}: {how_to_see_all}"


def encode(frame: pl.DataFrame, form: str) -> bytes:
    """All rows as bytes of a format.

    JSON is a list of rows; numbers are numbers, whole and exact, times are ISO 8601, bytes are base64, NaN is null. CSV
    has lists and structs as JSON text, and an apostrophe before what a spreadsheet would run (``without_formulas``).
    """
    from warehouse.text_formats import to_csv, to_json

    match form:
        case "parquet":
            return _encode_parquet(frame)
        case "json":
            return to_json(frame.rows(named=True)) + b"\n"
        case "csv":
            return to_csv(frame)
        case _:
            return (table(frame.rows(named=True), frame.columns).text + "\n").encode()


def require_folder(target: Path | None) -> None:
    """Check that a file can be written to the folder that was given.

    Raises:
        UsageError: there is no such folder.
    """
    if target is not None and not target.parent.is_dir():
        raise click.UsageError(f"There is no folder {target.parent} to write into.")


def write_file(target: Path, content: bytes) -> None:
    """Write a file that is either complete or not there; a device or a named pipe is written to as it is."""
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


def _encode_parquet(frame: pl.DataFrame) -> bytes:
    import io

    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _is_numeric(values: Iterable[object]) -> bool:
    types = {type(value) for value in values if value is not None}
    return bool(types) and types <= {int, float, Decimal}


def _to_json(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
