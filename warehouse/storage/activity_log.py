"""Log of what this product did at the API (feedback, access checks, recordings), and of what webhooks announced.

``landing/<table>/`` holds the entries, one file per write; many small files are merged into one. The lake's table of
that name has the latest entry of each key. The entries of a conversation are deleted when it is erased.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from warehouse.schema.activity import ACTIVITY_TABLES
from warehouse.schema.landing import with_sequence
from warehouse.schema.types import Table
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_sequence import file_name, next_number

MAX_FILES = 100
"""Files of a table that every run reads; a webhook can write one of its own."""


def folder(home: Home, table: Table) -> Path:
    """Folder of a table's entries in the landing."""
    return home.landing / table.name


def append(home: Home, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
    """Append rows of ``table``; they are on the disk once this returns."""
    if rows:
        number = next_number(home)
        data = parquet.frame(with_sequence(table), [{**row, "sequence": number} for row in rows])
        parquet.write_file(home, home.file(folder(home, table), file_name(number)), data)


def latest_entries(home: Home, table: Table) -> pl.DataFrame:
    """The latest entry of each key, in the order in which these were written; columns of the table and ``sequence``."""
    return parquet.read_consistently(lambda: home.files(folder(home, table)), partial(_read, table))


def _read(table: Table, files: Sequence[Path]) -> pl.DataFrame:
    entries = parquet.read_files(with_sequence(table), files)  # the names of the files sort as they landed
    return entries.unique(table.key, keep="last", maintain_order=True)


def refresh_lake(home: Home) -> None:
    """Write the latest entries of every activity table to the lake; needs the write lock."""
    for table in ACTIVITY_TABLES:
        entries = latest_entries(home, table)
        if not entries.is_empty() or lake.read(home, table, table.key).height:
            lake.overwrite_table(home, table, entries.select(table.column_names))
        _merge_files(home, table)


def _merge_files(home: Home, table: Table) -> None:
    """Replace many files of a table by the last of them, which gets the entries of all.

    After a kill, some entries exist twice, which counts as once. Files that are written in this time are not touched.
    """
    files = home.files(folder(home, table))
    if len(files) > MAX_FILES:
        parquet.write_file(home, files[-1], _read(table, files))
        for file in files[:-1]:
            file.unlink()


def delete_entries(home: Home, tables: Collection[Table], ids: Collection[str]) -> None:
    """Delete the entries of conversations from the landing."""
    is_deleted = pl.col("conversation_id").is_in(list(ids))
    for table in tables:
        if "conversation_id" not in table.column_names:
            continue
        files = home.files(folder(home, table))
        if parquet.read_files(table, files, ["conversation_id"]).filter(is_deleted).is_empty():
            continue
        for file in files:
            rows = parquet.read_files(with_sequence(table), [file])
            remaining_rows = rows.filter(~is_deleted)
            if remaining_rows.is_empty():
                file.unlink()
            elif remaining_rows.height < rows.height:
                parquet.write_file(home, file, remaining_rows)
