"""What was done at the API from here, noted as it happens: feedback sent, agents asked, recordings saved.

``landing/<table>/`` holds the notes, a file a write, append-only; the lake's table of that name shows, of each key, the
latest. Notes of a conversation go with it when it is erased.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from warehouse.schema.activity import JOURNALS
from warehouse.schema.types import Table
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home


def folder(home: Home, table: Table) -> Path:
    """Where the notes stand."""
    return home.landing / table.name


def append(home: Home, table: Table, rows: Sequence[Mapping[str, object]], at: datetime) -> None:
    """Append rows of ``table``; once this returns, they are on the disk."""
    if rows:
        name = f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"
        parquet.write_file(home, home.file(folder(home, table), name), parquet.frame(table, rows))


def latest_entries(home: Home, table: Table) -> pl.DataFrame:
    """The latest note of each key, oldest first."""
    every = parquet.read_files(table, home.files(folder(home, table)))
    return every.unique(table.key, keep="last", maintain_order=True)


def refresh_lake(home: Home) -> None:
    """Bring the lake's tables of all journals up to their notes; for the one writer alone."""
    for table in JOURNALS:
        noted = latest_entries(home, table)
        if not noted.is_empty() or lake.read(home, table, table.key).height:
            lake.overwrite_table(home, table, noted)


def delete_entries(home: Home, tables: Collection[Table], ids: Collection[str]) -> None:
    """Take the notes of conversations out of the landing."""
    of_them = pl.col("conversation_id").is_in(list(ids))
    for table in tables:
        if "conversation_id" not in table.column_names:
            continue
        files = home.files(folder(home, table))
        if parquet.read_files(table, files, ["conversation_id"]).filter(of_them).is_empty():
            continue
        for file in files:
            rows = parquet.read_files(table, [file])
            kept = rows.filter(~of_them)
            if kept.is_empty():
                file.unlink()
            elif kept.height < rows.height:
                parquet.write_file(home, file, kept)
