"""The lake: the relational tables as plain Parquet, written so that a reader's glob is exact at any moment.

A partition (or a whole table without days) is one file a workspace with exactly its current rows, sorted by key, with
the explicit schema of ``warehouse.schema``. Rows get the name of their workspace here, when they are
written. A write goes to a temporary file elsewhere, is synced and renamed in.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from warehouse.errors import SchemaError
from warehouse.schema.registry import TABLES
from warehouse.schema.types import WORKSPACE, Table
from warehouse.storage import parquet
from warehouse.storage.home import RESERVED, Home

DAYS = "start_date=*/"

SCHEMA_FILE = f"{RESERVED}.parquet"
"""Zero rows with the table's schema, so that a glob over an empty table finds its columns."""


def ensure_schema_files(home: Home) -> None:
    """Give every table its zero-row schema file, anew where the schema has changed."""
    for table in TABLES:
        target = home.table(table) / SCHEMA_FILE
        empty = pl.DataFrame(schema=parquet.polars_schema(table))
        if not target.exists() or parquet.file_schema(target) != empty.schema:
            parquet.write_file(home, target, empty)


def _checked(table: Table, data: pl.DataFrame) -> pl.DataFrame:
    """Rows with the columns of the table in their order, sorted by key; whose they are may still be open."""
    if WORKSPACE.name not in data.columns:
        data = data.with_columns(pl.lit(None, pl.String).alias(WORKSPACE.name))
    if dict(data.schema) != parquet.polars_schema(table):
        raise SchemaError(f"A frame for {table.name} does not have the columns of its schema.")
    if data.columns != list(table.column_names):
        data = data.select(table.column_names)  # not for nothing: two hundred names cost as much as the sort
    return data.sort(pl.struct(table.key))  # as one value: half the time of several


def overwrite_table(home: Home, table: Table, data: pl.DataFrame) -> None:
    """Replace all rows of a table without days."""
    parquet.write_file(home, home.file(home.table(table)), _checked(table, data))


def append_file(home: Home, table: Table, data: pl.DataFrame, name: str) -> None:
    """Add a file of rows to a table without days; ``name`` makes a repeat replace and not double."""
    parquet.write_file(home, home.file(home.table(table), name), _checked(table, data))


def overwrite_partition(home: Home, table: Table, day: date, data: pl.DataFrame) -> None:
    """Replace all rows of one day; no rows means no file."""
    _replace(home, home.file(home.partition(table, day)), _checked(table, data))


def upsert_partition(home: Home, table: Table, day: date, data: pl.DataFrame, ids: Collection[str]) -> None:
    """Replace the rows of the conversations ``ids`` on one day by ``data``; other rows stay. Idempotent by key.

    A file that would hold the same rows again is left alone, if it has today's columns. What stays is in the order of
    the key already, which begins with the conversation: sorting by that is enough.
    """
    target = home.file(home.partition(table, day))
    data = parquet.with_workspace(home, _checked(table, data))
    if target.exists():
        before = parquet.read_files(table, [target])
        is_theirs = before["conversation_id"].is_in(list(ids))
        if before.filter(is_theirs).equals(data) and parquet.file_schema(target) == data.schema:
            return
        data = pl.concat([before.filter(~is_theirs), data]).sort("conversation_id", maintain_order=True)
    _replace(home, target, data)


def _replace(home: Home, target: Path, data: pl.DataFrame) -> None:
    if data.is_empty():
        target.unlink(missing_ok=True)
    else:
        parquet.write_file(home, target, data)


def read(home: Home, table: Table, columns: Sequence[str] | None = None, where: pl.Expr | None = None) -> pl.DataFrame:
    """All rows of a table, or of some of its columns, or those that a condition holds for."""
    return parquet.read_files(table, home.files(home.table(table), DAYS if table.is_daily else ""), columns, where)
