"""The tables that can be published, in parts whose fingerprints follow from their rows.

A part becomes one file: a file of the lake as it is, or a month of a model that has days. A fingerprint also covers the
names, types and descriptions, so that a target has the descriptions of the rows that it has.
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.schema, none from a user

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.connection import execute_with_memory_retry, lake_files_sql, read_parquet_sql, sql_literal
from warehouse.models.project import DAY, Project
from warehouse.schema.registry import BY_NAME, TABLES
from warehouse.schema.types import Table
from warehouse.storage import lake, parquet
from warehouse.storage.fingerprint import digest, file_sha256
from warehouse.storage.home import RESERVED_WORKSPACE, Home

SCHEMAS = ("lake", "marts", "metrics")
"""Schemas whose tables can be published."""
FORMAT = "1"
"""Raised when the same rows are to be written in another form: everything is published again."""
ROWS_PER_BATCH = 50_000


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a table that become one file.

    ``label`` says which: a day and a workspace, a month, or all. ``days`` are the first and the last day of the rows,
    if all have one. The rows are in ``file``, or those of the model that meet the SQL condition ``where``.
    """

    label: str
    fingerprint: str
    n_rows: int
    days: tuple[date, date] | None
    file: Path | None = None
    where: str = "true"


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table with its parts; ``schema`` has the description of each column as its metadata ``comment``."""

    key: str
    description: str
    schema: pa.Schema
    primary_key: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def n_rows(self) -> int:
        """Rows of all parts."""
        return sum(part.n_rows for part in self.parts)

    @property
    def fingerprint(self) -> str:
        """Of the whole table."""
        definition = _definition(self.key, self.description, self.schema)
        return digest([definition, *(part.fingerprint for part in self.parts)])

    @property
    def comments(self) -> dict[str, str]:
        """Description by column."""
        return {field.name: _comment(field) for field in self.schema}


class Source:
    """The tables of a home; ``connection`` is to its warehouse, which agrees with its lake."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, home: Home, project: Project) -> None:
        self._connection, self._home, self._project = connection, home.all_workspaces, project

    def names(self) -> tuple[str, ...]:
        """Every table that can be published, by schema."""
        return table_names(self._project)

    def table(self, key: str) -> SourceTable:
        """A table by its qualified name."""
        schema, _, name = key.partition(".")
        return self._lake_table(BY_NAME[name]) if schema == "lake" else self._model(key)

    def export(self, table: SourceTable, part: Part, target: Path) -> None:
        """Write the rows of a part as a Parquet file."""
        if part.file is not None:
            shutil.copyfile(part.file, target)
            return
        select = f"from {table.key} where {part.where} order by {', '.join(table.primary_key)}"
        options = "format parquet, compression zstd"
        execute_with_memory_retry(self._connection, f"copy ({select}) to {sql_literal(str(target))} ({options})")

    def export_all(self, table: SourceTable, target: Path) -> None:
        """Write all rows as one Parquet file, in the order of the key."""
        copy = f"copy ({self._select(table)}) to {sql_literal(str(target))} (format parquet, compression zstd)"
        execute_with_memory_retry(self._connection, copy)

    def batches(self, table: SourceTable) -> pa.RecordBatchReader:
        """All rows in the order of the key; only one reader at a time."""
        reader: pa.RecordBatchReader = self._connection.sql(self._select(table)).to_arrow_reader(ROWS_PER_BATCH)
        return reader

    def has_nulls(self, table: SourceTable) -> bool:
        """Whether a column of the key is null in some row."""
        is_null = " or ".join(f'"{name}" is null' for name in table.primary_key)
        return bool(self._connection.execute(f"from ({self._select(table)}) where {is_null} limit 1").fetchall())

    def _select(self, table: SourceTable) -> str:
        schema, _, name = table.key.partition(".")
        rows = table.key
        if schema == "lake":
            rows = f"({read_parquet_sql(BY_NAME[name].column_names, [lake_files_sql(self._home, BY_NAME[name])])})"
        return f"from {rows} order by {', '.join(table.primary_key)}"

    def _model(self, key: str) -> SourceTable:
        header = self._project.by_key[key].header
        schema = self._connection.sql(f"from {key} limit 0").to_arrow_table().schema
        schema = _with_comments(schema, header.column_comments)
        definition, has_days = _definition(key, header.description, schema), DAY in header.columns
        month, first, last, n_days = (
            (f"date_trunc('month', {DAY})::date", f"min({DAY})", f"max({DAY})", f"count({DAY})")
            if has_days
            else ("null::date", "null::date", "null::date", "0")
        )
        columns = ", ".join(f'"{name}"' for name in header.columns)
        rows = self._connection.execute(
            f"select {month} as month, count(*), {n_days}, {first}, {last}, cast(sum(hash({columns})) as varchar) "
            f"from {key} group by all order by month nulls first"
        ).fetchall()
        parts = []
        for month_start, n_rows, n_with_day, first_day, last_day, hashes in rows:
            label = f"{month_start:%Y-%m}" if month_start else "all"
            where = f"date_trunc('month', {DAY}) = date '{month_start}'" if month_start else "true"
            if has_days and not month_start:
                where = f"{DAY} is null"
            days = (first_day, last_day) if n_rows == n_with_day else None
            parts.append(Part(label, digest([definition, label, n_rows, hashes]), n_rows, days, where=where))
        return SourceTable(key, header.description, schema, header.grain, tuple(parts))

    def _lake_table(self, table: Table) -> SourceTable:
        key, description = f"lake.{table.name}", f"One row per {table.grain}."
        no_rows = pl.DataFrame(schema=parquet.polars_schema(table)).to_arrow(compat_level=pl.CompatLevel.oldest())
        comments = {column.name: column.description for column in table.columns}
        schema = _with_comments(no_rows.schema, comments)
        definition = _definition(key, description, schema)
        parts = tuple(
            Part(label, digest([definition, label, file_sha256(file)]), pq.read_metadata(file).num_rows, days, file)
            for label, days, file in _lake_files(self._home, table)
        )
        return SourceTable(key, description, schema, table.key, parts)


def table_names(project: Project) -> tuple[str, ...]:
    """Every table that can be published, by schema."""
    models = (model.key for model in project.models if model.schema in SCHEMAS)
    names = [*(f"lake.{table.name}" for table in TABLES), *models]
    return tuple(sorted(names, key=lambda name: (SCHEMAS.index(name.partition(".")[0]), name)))


def _lake_files(home: Home, table: Table) -> Iterator[tuple[str, tuple[date, date] | None, Path]]:
    """Label, days and path of each file with rows."""
    if not table.is_daily:
        for file in sorted(home.files(home.table(table))):
            if file.name != lake.SCHEMA_FILE:
                yield file.stem, None, file
        return
    for day in (lake.SCHEMA_DAY, *lake.days(home, table)):
        for file in lake.day_files(home, table, day):
            if file.stem != RESERVED_WORKSPACE:
                yield f"{day}.{file.stem}", (day, day), file


def _with_comments(schema: pa.Schema, comments: dict[str, str]) -> pa.Schema:
    """The columns as every target takes them, with their descriptions."""
    return pa.schema(
        [pa.field(field.name, _plain(field.type), metadata={"comment": comments[field.name]}) for field in schema]
    )


def _plain(type_: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(type_) else type_


def _comment(field: pa.Field[Any]) -> str:
    return (field.metadata or {})[b"comment"].decode()


def _definition(key: str, description: str, schema: pa.Schema) -> str:
    columns = (f"{field.name} {field.type} {_comment(field)}" for field in schema)
    return digest([FORMAT, key, description, *columns])


def select_tables(names: Sequence[str], selection: Sequence[str]) -> tuple[str, ...]:
    """The tables that a selection of tables and schemas means, in the order of ``names``.

    Raises:
        KeyError: a selected name is neither a table nor a schema; it is the error's argument.
    """
    for name in selection:
        if name not in (*names, *SCHEMAS):
            raise KeyError(name)
    return tuple(name for name in names if name in selection or name.partition(".")[0] in selection)
