"""Parquet files: polars types of the columns, frames with the schema of a table, atomic writes, reads."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import polars as pl

from warehouse.errors import SchemaError
from warehouse.schema.types import WORKSPACE, Table, Type
from warehouse.storage.home import ANY_WORKSPACE, Home

Result = TypeVar("Result")

FULL_BYTES = 1_000_000
"""A disk with less free is full for us: a system may keep some blocks of it."""

POLARS: dict[Type, pl.DataType] = {
    Type.TEXT: pl.String(),
    Type.INT: pl.Int64(),
    Type.FLOAT: pl.Float64(),
    Type.BOOL: pl.Boolean(),
    Type.TIME: pl.Datetime("us", "UTC"),
    Type.TIME_MS: pl.Datetime("us", "UTC"),
    Type.DATE: pl.Date(),
    Type.JSON: pl.String(),
    Type.TEXT_OR_JSON: pl.String(),
    Type.BINARY: pl.Binary(),
}


def polars_schema(table: Table) -> dict[str, pl.DataType]:
    """Column name to polars type, in order."""
    return {column.name: POLARS[column.type] for column in table.columns}


def frame(table: Table, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Rows as a frame with the table's schema; a missing key is null.

    Raises:
        SchemaError: a row has a key that is not a column of the table.
    """
    names = table.column_names
    unknown_keys = {key for row in rows for key in row} - set(names)
    if unknown_keys:
        raise SchemaError(f"Table {table.name} has no column {', '.join(sorted(unknown_keys))}.")
    return pl.DataFrame([[row.get(name) for name in names] for row in rows], polars_schema(table), orient="row")


def write_file(home: Home, target: Path, data: pl.DataFrame, *, footer: dict[str, str] | None = None) -> None:
    """Write a Parquet file atomically: it is complete or does not exist, even after a power cut.

    It is written to a temporary file in another folder, synced and renamed. A null workspace becomes that of ``home``;
    ``footer`` is stored as the file's key-value metadata.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
        SchemaError: see ``with_workspace``.
    """
    rows = with_workspace(home, data)
    with replacing(home, target) as temporary:
        _write_parquet(temporary, rows, footer)


def join_files(home: Home, target: Path, parts: Sequence[Path], *, footer: dict[str, str] | None) -> None:
    """Write the rows of some files of one schema, one after the other, as one file: atomically, without holding them.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    with replacing(home, target) as temporary:
        pl.scan_parquet([str(part) for part in parts], glob=False).sink_parquet(
            temporary, compression="zstd", compression_level=3, metadata=footer, maintain_order=True
        )


@contextmanager
def replacing(home: Home, target: Path) -> Iterator[Path]:
    """A temporary file to write: after the block, ``target`` has its content, even after a power cut, or is as it was.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    temporary = home.temporary / f"{uuid.uuid4().hex}.parquet"  # so named, the next writer removes it after a kill
    try:
        yield temporary
        with temporary.open("rb") as content:
            os.fsync(content.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(target)
    except pl.exceptions.ComputeError as error:  # how polars reports a full disk, without saying that it is full
        if shutil.disk_usage(temporary.parent).free < FULL_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target)) from error
        raise OSError(f"{target} cannot be written: {error}.") from error
    finally:
        temporary.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make the file names in a folder survive a power cut, as ``fsync`` of a file does for its content."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def with_workspace(home: Home, data: pl.DataFrame) -> pl.DataFrame:
    """Rows whose null workspaces are replaced by that of ``home``.

    Raises:
        SchemaError: there are such rows, and ``home`` is of all workspaces.
    """
    if WORKSPACE.name not in data.columns or not data[WORKSPACE.name].has_nulls():
        return data
    if home.workspace == ANY_WORKSPACE:
        raise SchemaError("Rows without a workspace cannot be written for all workspaces at once.")
    return data.with_columns(pl.col(WORKSPACE.name).fill_null(home.workspace))


def _write_parquet(path: Path, data: pl.DataFrame, footer: dict[str, str] | None) -> None:
    data.write_parquet(path, compression="zstd", compression_level=3, metadata=footer)


def file_schema(file: Path) -> pl.Schema:
    """The schema of a Parquet file, from its footer."""
    return pl.scan_parquet(file, glob=False).collect_schema()


def read_files(
    table: Table,
    files: Iterable[Path],
    columns: Sequence[str] | None = None,
    where: pl.Expr | None = None,
    *,
    file_column: str | None = None,
) -> pl.DataFrame:
    """Rows of some files of a table, with the current columns: those that an older file does not have are null.

    ``where`` is a condition on the rows; of other rows, only its columns are read. ``file_column`` is the name of an
    additional column with the path of each row's file.
    """
    names = [*(columns or polars_schema(table)), *([file_column] if file_column else [])]
    return _scan_files(table, files, where, file_column).select(names).collect()


def read_consistently(list_paths: Callable[[], list[Path]], read: Callable[[list[Path]], Result]) -> Result:
    """The result of ``read`` for the files listed, listed again if one was removed before it was read.

    Readers take no lock: a run beside them may merge files, or leave a day without rows.

    Raises:
        FileNotFoundError: from ``read``, for another reason.
    """
    while True:
        files = list_paths()
        try:
            return read(files)
        except FileNotFoundError:
            if all(file.exists() for file in files):
                raise


def read_distinct(table: Table, files: Iterable[Path], columns: Sequence[str], where: pl.Expr) -> pl.DataFrame:
    """As ``read_files``, but each combination of values once and in no order; not all rows are in memory at a time."""
    return _scan_files(table, files, where).select(columns).unique().collect(engine="streaming")


def _scan_files(
    table: Table, files: Iterable[Path], where: pl.Expr | None, file_column: str | None = None
) -> pl.LazyFrame:
    """The rows of some files that meet a condition, as ``read_files`` returns them, to be selected from."""
    schema = polars_schema(table)
    paths = [str(file) for file in files]
    if not paths:
        return pl.LazyFrame(schema=schema | ({file_column: pl.String()} if file_column else {}))
    scan = pl.scan_parquet(
        paths,
        schema=schema,
        missing_columns="insert",
        extra_columns="ignore",
        include_file_paths=file_column,
        glob=False,  # a home whose path has brackets would be taken for a pattern that matches nothing
    )
    return scan if where is None else scan.filter(where)
