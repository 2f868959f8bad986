"""Parquet files: the types of a column in polars, frames with the schema of a table, atomic writes, reads."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import polars as pl

from warehouse.errors import SchemaError
from warehouse.schema.types import WORKSPACE, Table, Type
from warehouse.storage.home import ANY_WORKSPACE, Home

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


def polars_schema(table: Table) -> dict[str, pl.DataType]:
    """Column name to polars type, in order."""
    return {column.name: POLARS[column.type] for column in table.columns}


def frame(table: Table, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Rows as a frame with the table's schema; a missing key is null.

    Raises:
        SchemaError: a row has a key that the table does not know.
    """
    names = table.column_names
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
        _write_parquet(temporary, with_workspace(home, data), footer)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def with_workspace(home: Home, data: pl.DataFrame) -> pl.DataFrame:
    """Rows with the name of their workspace."""
    if WORKSPACE.name not in data.columns or not data[WORKSPACE.name].has_nulls():
        return data
    if home.workspace == ANY_WORKSPACE:
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


def file_schema(file: Path) -> pl.Schema:
    """The schema of a Parquet file, from its footer."""
    return pl.scan_parquet(file, glob=False).collect_schema()


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
