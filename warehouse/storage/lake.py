"""The lake: the relational tables as plain Parquet, written so that a reader's glob is exact at any moment.

A partition (or an entire table that has no days) is one file per workspace. It has exactly the current rows, sorted by
key, with the schema that ``warehouse.schema`` declares. Rows get the name of their workspace when they are written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from functools import cache, lru_cache, partial
from pathlib import Path

import polars as pl

from warehouse.errors import HomeError, SchemaError
from warehouse.schema.registry import DOCUMENT_TABLES, TABLES
from warehouse.schema.types import WORKSPACE, Table
from warehouse.storage import parquet
from warehouse.storage.fingerprint import digest, digest_files
from warehouse.storage.home import RESERVED_WORKSPACE, UPGRADABLE_LAYOUT, Home

DAY_FOLDERS = "day=*/"
"""Glob of the folders of a daily table's days. The name is not a column's, as some engines would refuse the column."""

SCHEMA_FILE = f"{RESERVED_WORKSPACE}.parquet"
"""Zero rows with the table's columns, so that a glob over an empty table finds them."""

SCHEMA_DAY = date(1970, 1, 1)
"""Day of a daily table's schema file: its folder comes first, and many engines take the columns of the first file."""


WRITERS = 8
"""Files that are written at once: each has to reach the disk, and most of that is waiting."""

COUNTS_KEY = "n_rows"
"""Key in the footer of a file of ``conversation_checks``: the rows of each table on its day, as JSON."""

SIZES_KEY = "n_bytes"
"""Likewise the size of each file, with the fingerprint of the columns that the tables had then."""


def files_glob(table: Table) -> str:
    """Glob of a table's files of all workspaces, below its folder."""
    return f"{DAY_FOLDERS if table.is_daily else ''}*.parquet"


def schema_file(home: Home, table: Table) -> Path:
    """Path of a table's schema file."""
    return (home.partition(table, SCHEMA_DAY) if table.is_daily else home.table(table)) / SCHEMA_FILE


def days(home: Home, table: Table) -> list[date]:
    """The days of which a daily table has files, in order, ``SCHEMA_DAY`` left out; none for other tables."""
    folders = home.table(table).glob(DAY_FOLDERS) if table.is_daily else ()
    days = (day_of(folder.name) for folder in folders)
    return sorted({day for day in days if day is not None} - {SCHEMA_DAY})


def day_of(folder: str) -> date | None:
    """The day of a folder by its name; None for one that no run has created (``damage.other_files``)."""
    with suppress(ValueError):
        day = date.fromisoformat(folder.removeprefix("day="))
        return day if folder == f"day={day}" else None
    return None


def day_files(home: Home, table: Table, day: date) -> list[Path]:
    """The files of a day, of all workspaces."""
    return sorted(home.all_workspaces.files(home.partition(table, day)))


def files_of_days(home: Home, table: Table, days: Iterable[date]) -> list[Path]:
    """The workspace's files of some days of a daily table."""
    return [file for day in sorted(days) if (file := home.file(home.partition(table, day))).exists()]


def day_fingerprint(home: Home, day: date) -> str:
    """The fingerprint of the workspace's files of a day, of all tables of documents."""
    return digest_files(home.file(home.partition(table, day)) for table in DOCUMENT_TABLES)


def ensure_schema_files(home: Home) -> None:
    """If a table's schema file is missing or has other columns, give all its files the table's columns.

    The schema file is written last: its columns are those of all files, even if this was killed before.
    """
    outdated_tables = [table for table in TABLES if not _has_schema_file(home, table)]
    if outdated_tables:
        with ThreadPoolExecutor(WRITERS) as threads:
            list(threads.map(partial(_write_schema_file, home), outdated_tables))


def _has_schema_file(home: Home, table: Table) -> bool:
    target = schema_file(home, table)
    try:
        status = target.stat()
    except FileNotFoundError:
        return False
    return _has_columns(target, table, (status.st_ino, status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=1024)  # each step of a sync looks at all schema files, which hardly ever change
def _has_columns(file: Path, table: Table, _version: tuple[int, int, int]) -> bool:
    return parquet.file_schema(file) == pl.Schema(parquet.polars_schema(table))


def _write_schema_file(home: Home, table: Table) -> None:
    update_columns(home, table)
    parquet.write_file(home, schema_file(home, table), pl.DataFrame(schema=parquet.polars_schema(table)))


def update_columns(home: Home, table: Table) -> None:
    """Rewrite the files of a table that do not have exactly its columns: one that they lack is null.

    A damaged file stays as it is, for whoever reads it to name.
    """
    schema = pl.Schema(parquet.polars_schema(table))
    for file in home.all_workspaces.files(home.table(table), DAY_FOLDERS if table.is_daily else ""):
        workspace = file.name.partition(".")[0]
        if workspace != RESERVED_WORKSPACE and _is_outdated(file, schema):
            counts = read_counts(file)
            footer = None if counts is None else {COUNTS_KEY: json.dumps(counts)}
            parquet.write_file(home.for_workspace(workspace), file, parquet.read_files(table, [file]), footer=footer)


def _is_outdated(file: Path, schema: pl.Schema) -> bool:
    try:
        return parquet.file_schema(file) != schema
    except pl.exceptions.ComputeError:
        return False


def _validated(table: Table, data: pl.DataFrame) -> pl.DataFrame:
    """Rows with the columns of the table in their order, sorted by key; their workspace may still be null.

    Raises:
        SchemaError: other columns, or other types.
    """
    if WORKSPACE.name not in data.columns:
        data = data.with_columns(pl.lit(None, pl.String).alias(WORKSPACE.name))
    if dict(data.schema) != parquet.polars_schema(table):
        raise SchemaError(f"A frame for {table.name} does not have the columns of its schema.")
    if data.columns != list(table.column_names):
        data = data.select(table.column_names)  # only if needed: of two hundred columns, it costs as much as the sort
    return data.sort(pl.struct(table.key))  # as one struct: half the time of several columns


def overwrite_table(home: Home, table: Table, data: pl.DataFrame) -> None:
    """Replace all rows of a table without days."""
    parquet.write_file(home, home.file(home.table(table)), _validated(table, data))


def overwrite_partition(home: Home, table: Table, day: date, data: pl.DataFrame) -> None:
    """Replace all rows of one day; without rows, the file is removed."""
    _write_or_remove(home, home.file(home.partition(table, day)), _validated(table, data))


def overwrite_partitions(home: Home, table: Table, days: Collection[date], data: pl.DataFrame) -> None:
    """Replace all rows of some days by those of ``data``, in which rows of other days are left out."""
    by_day = data.partition_by("start_date", as_dict=True)

    def overwrite(day: date) -> None:
        overwrite_partition(home, table, day, by_day.get((day,), data.clear()))

    if days:
        with ThreadPoolExecutor(WRITERS) as threads:
            list(threads.map(overwrite, days))


def prepare(home: Home, table: Table, data: pl.DataFrame) -> pl.DataFrame:
    """Rows as they are written: checked against the schema, sorted by key, with their workspace.

    For rows of many days at once this takes as long as for those of one.
    """
    return parquet.with_workspace(home, _validated(table, data))


def upsert_partition(
    home: Home,
    table: Table,
    day: date,
    data: pl.DataFrame,
    ids: Collection[str],
    *,
    is_prepared: bool = False,
    counts: Mapping[str, int] | None = None,
) -> int:
    """Replace the rows of the conversations ``ids`` on one day by ``data``; other rows stay. Idempotent by key.

    ``data`` may be part of the result of ``prepare``, in its order. ``counts`` are stored as ``read_counts`` reads
    them. Returns the number of rows of the day.

    The file is not written if it already has these rows and the current schema, so that the next build, which goes by
    a file's size and time, takes it for unchanged.
    """
    target = home.file(home.partition(table, day))
    data = data if is_prepared else prepare(home, table, data)
    if target.exists():
        existing_rows = parquet.read_files(table, [target])
        is_replaced = existing_rows["conversation_id"].is_in(list(ids))
        is_same = existing_rows.filter(is_replaced).equals(data) and parquet.file_schema(target) == data.schema
        if is_same and (counts is None or is_recorded(home, day, target, counts)):
            return existing_rows.height
        # Both parts are sorted by the key, which begins with the conversation: sorting by that alone is enough.
        data = pl.concat([existing_rows.filter(~is_replaced), data]).sort("conversation_id", maintain_order=True)
    _write_or_remove(home, target, data, None if counts is None else _record(home, day, counts))
    return data.height


def replace_partition(
    home: Home, table: Table, day: date, parts: Sequence[Path], counts: Mapping[str, int] | None = None
) -> None:
    """Replace the rows of a day by those of some files, which follow one another in the order of the key.

    For a day that is too large to be held in memory. ``counts`` as in ``upsert_partition``.
    """
    target = home.file(home.partition(table, day))
    if parts:
        parquet.join_files(home, target, parts, footer=None if counts is None else _record(home, day, counts))
    else:
        target.unlink(missing_ok=True)


def read_counts(file: Path) -> dict[str, int] | None:
    """The number of rows that each table had on the day of the file when it was written; None if it was not stored."""
    record = read_record(file)
    return None if record is None else record[0]


def read_record(file: Path) -> tuple[dict[str, int], dict[str, int] | None] | None:
    """Rows and file sizes by table that the day of the file had when it was written; None if they were not stored.

    The sizes are None if they were not stored, or the tables had other columns: files may have been rewritten since.
    """
    footer = pl.read_parquet_metadata(file)
    if COUNTS_KEY not in footer:
        return None
    size_record = json.loads(footer.get(SIZES_KEY, "{}"))
    sizes = size_record["sizes"] if size_record.get("columns") == _columns_fingerprint() else None
    return json.loads(footer[COUNTS_KEY]), sizes


def file_sizes(home: Home, day: date, names: Iterable[str]) -> dict[str, int]:
    """The sizes of the workspace's files of a day by table, without those that do not exist."""
    sizes, lake, file = dict[str, int](), str(home.lake), f"day={day.isoformat()}/{home.file(Path()).name}"
    for name in names:  # as text: with paths, two thirds of the time of a home of many days would go into these
        with suppress(FileNotFoundError):
            sizes[name] = os.stat(f"{lake}/{name}/{file}").st_size  # noqa: PTH116 - see above
    return sizes


def is_recorded(home: Home, day: date, file: Path, counts: Mapping[str, int]) -> bool:
    """Whether the file of ``conversation_checks`` has these counts, and the sizes that the files of the day have."""
    footer = pl.read_parquet_metadata(file)
    return all(footer.get(key) == text for key, text in _record(home, day, counts).items())


def _record(home: Home, day: date, counts: Mapping[str, int]) -> dict[str, str]:
    """What the footer of the day's file of ``conversation_checks`` says of its other files, all of them written."""
    recorded_sizes = {"columns": _columns_fingerprint(), "sizes": file_sizes(home, day, counts)}
    return {COUNTS_KEY: json.dumps(counts, sort_keys=True), SIZES_KEY: json.dumps(recorded_sizes, sort_keys=True)}


@cache
def _columns_fingerprint() -> str:
    return digest(f"{table.name}.{column.name} {column.type}" for table in TABLES for column in table.columns)


def _write_or_remove(home: Home, target: Path, data: pl.DataFrame, footer: dict[str, str] | None = None) -> None:
    if data.is_empty():
        target.unlink(missing_ok=True)
    else:
        parquet.write_file(home, target, data, footer=footer)


def require_layout(home: Home) -> None:
    """Check that the files have the names of this version: a glob would find no day, and the answer would be: no rows.

    Raises:
        HomeError: they still have those of an earlier version.
    """
    if home.layout() == UPGRADABLE_LAYOUT:
        raise HomeError(
            f"The lake of {home.root} was written by an earlier version of convohouse with other folder names.",
            "Run `convohouse build` or `convohouse sync`, which renames them first.",
        )


def read(home: Home, table: Table, columns: Sequence[str] | None = None, where: pl.Expr | None = None) -> pl.DataFrame:
    """Rows of a table that meet a condition, or all; with some of its columns, or all.

    Raises:
        HomeError: the files still have the names of an earlier version.
    """
    require_layout(home)
    return parquet.read_consistently(
        lambda: home.files(home.table(table), DAY_FOLDERS if table.is_daily else ""),
        lambda files: parquet.read_files(table, files, columns, where),
    )
