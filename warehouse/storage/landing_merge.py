"""Merges small files of the landing, so that it does not get slower with every run and every webhook.

A folder is merged once it has ``MIN_FILES`` files smaller than ``SMALL_BYTES``. Rows are copied as they are, except
those of listings: the rows of a conversation that say the same become one: when a listing showed it first, and when
last.

The order of the steps makes a kill harmless (``landing_files``), and the next writer finishes what was begun. Nothing
is erased or redacted between the steps, as both need the write lock, and whoever takes it calls ``finish`` first.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import polars as pl

from warehouse.schema.account_data import LANDED_BILLS
from warehouse.schema.landing import LANDED_DOCUMENTS, LANDED_LISTINGS, LANDED_QUARANTINE
from warehouse.schema.types import Table
from warehouse.storage import landing, landing_reference_data, parquet, run_records
from warehouse.storage.home import Home
from warehouse.storage.landing_files import Merge, merge_records, merges
from warehouse.storage.landing_sequence import MERGED, order

MIN_FILES = 4
SMALL_BYTES = 1024 * 1024
"""Files from this size on are never merged: a run that fetched much landed them so."""
MERGED_BYTES = 4 * 1024 * 1024
"""Files are merged up to this size in all: some thousand documents, whose text fits into memory several times."""

Footer = dict[str, str]
Combine = Callable[[Sequence[Path]], tuple[pl.DataFrame, Footer]]
"""The rows and the footer of the file that replaces some files."""


def merge(home: Home) -> None:
    """Merge the small files of a workspace; the caller holds the write lock.

    Raises:
        OSError: the disk is full, or a folder cannot be written; nothing is lost.
    """
    for folder in sorted({file.parent for file in home.files(home.landing, landing.DAY_FOLDERS)}):
        _merge_folder(home, folder, lambda files: (parquet.read_files(LANDED_DOCUMENTS, files), {}))
    _merge_folder(home, home.quarantine, lambda files: (parquet.read_files(LANDED_QUARANTINE, files), {}))
    _merge_folder(home, home.listings, _combine_listings)
    for table in landing_reference_data.ITEM_TABLES:
        _merge_folder(home, landing_reference_data.folder(home, table), partial(_combine_items, table))
    bills = landing_reference_data.folder(home, LANDED_BILLS)
    _merge_folder(home, bills, lambda files: (parquet.read_files(LANDED_BILLS, files), {}))
    _merge_folder(home, home.runs, lambda files: (run_records.read(files), {}))


def finish(home: Home) -> None:
    """Finish or cancel the merges that were killed; needs the write lock."""
    for killed in merges(home.all_workspaces):
        _remove_replaced(killed)


def _merge_folder(home: Home, folder: Path, combine: Combine) -> None:
    """Merge, as long as there are enough small files: merged listings can be much smaller than their parts."""
    while groups := _groups(home.files(folder)):
        for group in groups:
            _replace(home, group, *combine(group))


def _groups(files: Sequence[Path]) -> list[list[Path]]:
    """What to merge: runs of small files, each up to ``MERGED_BYTES`` in all; none if the small files are few.

    Only neighbours in the order of the landing are merged: a row may count as a repetition of another only if no row
    between them differs.
    """
    sizes = [file.stat().st_size for file in files]
    if sum(size < SMALL_BYTES for size in sizes) < MIN_FILES:
        return []
    groups: list[list[Path]] = [[]]
    group_size = 0
    for file, size in zip(files, sizes, strict=True):
        if size >= SMALL_BYTES or group_size + size > MERGED_BYTES:
            groups.append([])
            group_size = 0
        if size < SMALL_BYTES:
            groups[-1].append(file)
            group_size += size
    return [group for group in groups if len(group) > 1]


def _combine_listings(files: Sequence[Path]) -> tuple[pl.DataFrame, Footer]:
    windows = [window for file in files for window in landing.windows(file)]
    return merge_list_rows(parquet.read_files(LANDED_LISTINGS, files)), landing.windows_footer(windows)


def _combine_items(table: Table, files: Sequence[Path]) -> tuple[pl.DataFrame, Footer]:
    listed_at = [at for file in files for at in landing_reference_data.listing_times(file)]
    return parquet.read_files(table, files), landing_reference_data.listings_footer(listed_at)


def merge_list_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per conversation and uninterrupted content; rows of ``LANDED_LISTINGS``, in any order.

    ``listed_at`` and ``sequence`` are of the first listing that showed it, ``last_seen_at`` and ``last_seen_sequence``
    of the last. Merging merged rows again, with or without the rows that they came from, changes nothing.
    """
    in_order = rows.sort("conversation_id", order("sequence", "listed_at"), maintain_order=True)
    content_before = pl.col("fingerprint").forward_fill().shift().over("conversation_id")
    starts = pl.col("fingerprint").is_not_null() & pl.col("fingerprint").ne_missing(content_before)
    last_seen = {"last_seen_at": landing.LAST_SEEN_AT, "last_seen_sequence": landing.LAST_SEEN_SEQUENCE}
    return (
        in_order.with_columns(**last_seen, run=starts.cum_sum().over("conversation_id"))
        .group_by("conversation_id", "run", maintain_order=True)
        .agg(
            pl.all().exclude(*last_seen).first(),
            pl.col(*last_seen).sort_by(order("last_seen_sequence", "last_seen_at")).last(),
        )
        .select(LANDED_LISTINGS.column_names)
    )


def _replace(home: Home, files: Sequence[Path], data: pl.DataFrame, footer: Footer) -> Path:
    """Replace files of one folder by one, which gets the number of the last of them; returns it."""
    last = files[-1]
    folder, name = last.parent, f"{last.name.split('.')[1].partition('-')[0]}-{uuid.uuid4().hex[:8]}{MERGED}"
    merged, record = home.file(folder, name), merge_records(home) / f"{home.workspace}.{name}.json"
    paths = [str(file.relative_to(home.landing)) for file in (merged, *files)]
    _write_record(home, record, {"merged": paths[0], "replaced": paths[1:]})
    parquet.write_file(home, merged, data, footer=footer or None)
    parquet.sync_folder(folder)  # the name of the merged file survives a power cut before those of the others disappear
    _remove_replaced(Merge(record, merged, files))
    return merged


def _write_record(home: Home, record: Path, paths: dict[str, object]) -> None:
    with parquet.replacing(home, record) as temporary:
        temporary.write_text(json.dumps(paths), encoding="utf-8")
    parquet.sync_folder(record.parent)


def _remove_replaced(merge: Merge) -> None:
    if merge.merged.exists():
        for file in merge.replaced:
            file.unlink(missing_ok=True)
        parquet.sync_folder(merge.merged.parent)  # none of them may come back without the record
    merge.record.unlink()
