"""The lake: the relational tables as plain Parquet, written so that a reader's glob is exact at any moment.

A partition (or a whole table without days) is one file a workspace with exactly its current rows, sorted by key, with
the explicit schema of ``warehouse.schema``. Rows get the name of their workspace here, when they are
written. A write goes to a temporary file elsewhere, is synced and renamed in.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from warehouse.errors import SchemaError
from warehouse.schema.registry import TABLES
from warehouse.schema.types import WORKSPACE, Table, Type
from warehouse.storage.home import EVERY, RESERVED, Home

POLARS: dict[Type, pl.DataType] = {
    Type.TEXT: pl.String(),
    Type.INT: pl.Int64(),
    Type.FLOAT: pl.Float64(),
    Type.BOOL: pl.Boolean(),
    Type.TIME: pl.Datetime("us", "UTC"),
    Type.TIME_MS: pl.Datetime("us", "UTC"),
    Type.DATE: pl.Date(),
    Type.JSON: pl.String(),
    Type.BAG: pl.String(),
    Type.BINARY: pl.Binary(),
}

DAYS = "start_date=*/"

SCHEMA_FILE = f"{RESERVED}.parquet"
"""Zero rows with the table's schema, so that a glob over an empty table finds its columns."""


def polars_schema(table: Table) -> dict[str, pl.DataType]:
    """Column name to polars type, in order."""
    return {column.name: POLARS[column.type] for column in table.columns}


def frame(table: Table, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Rows as a frame with the table's schema; a missing key is null.

    Raises:
        SchemaError: a row has a key that the table does not know.
    """
    names = table.names
    unknown = {key for row in rows for key in row} - set(names)
    if unknown:
        raise SchemaError(f"Table {table.name} has no column {', '.join(sorted(unknown))}.")
    return pl.DataFrame([[row.get(name) for name in names] for row in rows], polars_schema(table), orient="row")


def write_file(home: Home, target: Path, data: pl.DataFrame, *, footer: dict[str, str] | None = None) -> None:
    """Write a Parquet file so that it is either whole or not there, even after a power cut; ``footer`` goes into it.

    Rows that do not say their workspace are those of ``home``.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    temporary = home.temporary / f"{uuid.uuid4().hex}.parquet"
    try:
        _write_parquet(temporary, _stamped(home, data), footer)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _stamped(home: Home, data: pl.DataFrame) -> pl.DataFrame:
    """Rows with the name of their workspace."""
    if WORKSPACE.name not in data.columns or not data[WORKSPACE.name].has_nulls():
        return data
    if home.workspace == EVERY:
        raise SchemaError("Rows without a workspace can be written for one workspace alone.")
    return data.with_columns(pl.col(WORKSPACE.name).fill_null(home.workspace))


def _write_parquet(path: Path, data: pl.DataFrame, footer: dict[str, str] | None) -> None:
    """Write a file; polars calls a disk that is full a failed computation.

    Raises:
        OSError: the file cannot be written.
    """
    try:
        data.write_parquet(path, compression="zstd", compression_level=3, metadata=footer)
    except pl.exceptions.ComputeError as error:
        raise OSError(f"{path} cannot be written: {error}.") from error


def ensure(home: Home) -> None:
    """Give every table its zero-row schema file, anew where the schema has changed."""
    for table in TABLES:
        target = home.table(table) / SCHEMA_FILE
        empty = pl.DataFrame(schema=polars_schema(table))
        if not target.exists() or _schema_of(target) != empty.schema:
            write_file(home, target, empty)


def _schema_of(file: Path) -> pl.Schema:
    return pl.scan_parquet(file, glob=False).collect_schema()


def _checked(table: Table, data: pl.DataFrame) -> pl.DataFrame:
    """Rows with the columns of the table in their order, sorted by key; whose they are may still be open."""
    if WORKSPACE.name not in data.columns:
        data = data.with_columns(pl.lit(None, pl.String).alias(WORKSPACE.name))
    if dict(data.schema) != polars_schema(table):
        raise SchemaError(f"A frame for {table.name} does not have the columns of its schema.")
    if data.columns != list(table.names):
        data = data.select(table.names)  # not for nothing: two hundred names cost as much as the sort
    return data.sort(pl.struct(table.key))  # as one value: half the time of several


def write_whole(home: Home, table: Table, data: pl.DataFrame) -> None:
    """Replace all rows of a table without days."""
    write_file(home, home.file(home.table(table)), _checked(table, data))


def append_whole(home: Home, table: Table, data: pl.DataFrame, name: str) -> None:
    """Add a file of rows to a table without days; ``name`` makes a repeat replace and not double."""
    write_file(home, home.file(home.table(table), name), _checked(table, data))


def write_day(home: Home, table: Table, day: date, data: pl.DataFrame) -> None:
    """Replace all rows of one day; no rows means no file."""
    _replace(home, home.file(home.partition(table, day)), _checked(table, data))


def merge_day(home: Home, table: Table, day: date, data: pl.DataFrame, ids: Collection[str]) -> None:
    """Replace the rows of the conversations ``ids`` on one day by ``data``; other rows stay. Idempotent by key.

    A file that would hold the same rows again is left alone, if it has today's columns. What stays is in the order of
    the key already, which begins with the conversation: sorting by that is enough.
    """
    target = home.file(home.partition(table, day))
    data = _stamped(home, _checked(table, data))
    if target.exists():
        before = read_files(table, [target])
        is_theirs = before["conversation_id"].is_in(list(ids))
        if before.filter(is_theirs).equals(data) and _schema_of(target) == data.schema:
            return
        data = pl.concat([before.filter(~is_theirs), data]).sort("conversation_id", maintain_order=True)
    _replace(home, target, data)


def _replace(home: Home, target: Path, data: pl.DataFrame) -> None:
    if data.is_empty():
        target.unlink(missing_ok=True)
    else:
        write_file(home, target, data)


def read_files(
    table: Table,
    files: Iterable[Path],
    columns: Sequence[str] | None = None,
    where: pl.Expr | None = None,
    *,
    file_as: str | None = None,
) -> pl.DataFrame:
    """Rows of some files of a table, with today's columns: those an older file lacks are null.

    ``where`` is a condition on them; of other rows, only its columns are read. ``file_as`` names one column more: the
    path of each row's file.
    """
    schema = polars_schema(table)
    names = list(columns or schema)
    found = [str(file) for file in files]
    extra = [file_as] if file_as else []
    if not found:
        return pl.DataFrame(schema={name: schema.get(name, pl.String()) for name in [*names, *extra]})
    scan = pl.scan_parquet(
        found,
        schema=schema,
        missing_columns="insert",
        extra_columns="ignore",
        include_file_paths=file_as,
        glob=False,  # or a home whose path has brackets would be read as if it were empty
    )
    return (scan if where is None else scan.filter(where)).select([*names, *extra]).collect()


def read(home: Home, table: Table, columns: Sequence[str] | None = None, where: pl.Expr | None = None) -> pl.DataFrame:
    """All rows of a table, or of some of its columns, or those that a condition holds for."""
    return read_files(table, home.files(home.table(table), DAYS if table.is_daily else ""), columns, where)
