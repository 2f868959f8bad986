"""Rewrites landed documents, list rows, tools, agents and batches as other masking rules want them.

A repeat changes nothing.

Each file is rewritten and renamed, so readers see the old or the new one. Hashes of content change with the content, so
the rows that refer to them follow. A run that was killed in between leaves some that do not: then the next sync fetches
the conversation again, and nothing else happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

from warehouse.schema.landing import LANDED_DOCUMENTS, LANDED_LISTINGS
from warehouse.schema.types import Table
from warehouse.storage import landing, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import ITEM_TABLES, folder

ChangeRow = Callable[[Mapping[str, object]], Mapping[str, object]]
"""Gives the row with its payload masked and its hash; the row itself if nothing changes."""

_FOOTERS = ("window", "listed_at")
"""Keys of a footer, which a rewritten file keeps."""


def remask(home: Home, change_document: ChangeRow, change_list_row: ChangeRow, change_item: ChangeRow) -> None:
    """Rewrite what is landed of a workspace, where it changes."""
    documents = home.files(home.landing, landing.DAY_FOLDERS)
    listings = home.files(home.listings)
    fingerprints = _rewrite_all(home, LANDED_LISTINGS, listings, change_list_row)
    hashes = _rewrite_all(home, LANDED_DOCUMENTS, documents, change_document)
    for table, files in _item_files(home):
        item_hashes = _rewrite_all(home, table, files, change_item)
        for file in files:
            _rename(home, table, file, {"content_sha256": item_hashes})
    for file in documents:
        _rename(home, LANDED_DOCUMENTS, file, {"content_sha256": hashes, "list_fingerprint": fingerprints})


def _item_files(home: Home) -> list[tuple[Table, list[Path]]]:
    """The landed tables whose documents land only when they have changed, with their files."""
    return [(table, home.files(folder(home, table))) for table in ITEM_TABLES]


def _rewrite_all(home: Home, table: Table, files: list[Path], change: ChangeRow) -> dict[str, str]:
    """Rewrite the files in which a row changes; returns the new hash of content by the old one."""
    hash_column = "fingerprint" if table is LANDED_LISTINGS else "content_sha256"
    hashes: dict[str, str] = {}
    for file in files:
        rows = list(parquet.read_files(table, [file]).iter_rows(named=True))
        changed_rows = [change(row) for row in rows]
        pairs = [(old, new) for old, new in zip(rows, changed_rows, strict=True) if new is not old]
        hashes |= {str(old[hash_column]): str(new[hash_column]) for old, new in pairs}
        if pairs:
            _write(home, file, parquet.frame(table, changed_rows))
    return hashes


def _rename(home: Home, table: Table, file: Path, hashes: Mapping[str, Mapping[str, str]]) -> None:
    rows = parquet.read_files(table, [file])
    changed_rows = rows.with_columns(
        pl.col(column).replace(list(new_by_old), list(new_by_old.values()))
        for column, new_by_old in hashes.items()
        if new_by_old
    )
    if not changed_rows.equals(rows, null_equal=True):
        _write(home, file, changed_rows)


def _write(home: Home, file: Path, rows: pl.DataFrame) -> None:
    metadata = pl.read_parquet_metadata(file)
    footer = {key: metadata[key] for key in _FOOTERS if key in metadata}
    parquet.write_file(home, file, rows, footer=footer)
