"""The one place that changes what is landed: erased conversations leave it, redacted ones lose their content.

A segment is written anew and renamed in, so it is the old or the new one at any moment. What is still to be done is
read from the landing, so a run that was cut short is finished by the next: a tombstone (a row of kind ``erased``) lands
first, and whatever else the landing holds of its conversation goes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, time
from pathlib import Path

import polars as pl

from warehouse.schema.activity import JOURNALS
from warehouse.schema.landing import LANDED_DOCUMENTS, LANDED_LISTINGS
from warehouse.schema.operations import QUARANTINE
from warehouse.schema.types import Table
from warehouse.storage import activity_log, audio, lake, landing, parquet
from warehouse.storage.home import Home

EMPTY_ROW = b"{}"
"""Payload of the list rows of a redacted conversation."""


@dataclass(slots=True)
class Removed:
    """What left the landing of one conversation: rows, the files that held them, and its recording beside it."""

    n_readings: int = 0
    n_segments: int = 0
    n_list_rows: int = 0
    n_listings: int = 0
    n_quarantined: int = 0
    n_recordings: int = 0

    def __bool__(self) -> bool:
        """Whether anything did."""
        return any(getattr(self, each.name) for each in fields(self))


def find_start_dates(home: Home, ids: Collection[str]) -> pl.DataFrame:
    """Those of the conversations that the landing knows: conversation_id, start_date (of the tables' rows)."""
    of_them = pl.col("conversation_id").is_in(list(ids))
    places = (
        landing.latest_snapshots(home).select("conversation_id", "start_date"),
        landing.latest_list_rows(home).select("conversation_id", "start_date"),
        parquet.read_files(QUARANTINE, _quarantine(home)).select(
            "conversation_id", start_date=pl.col("fetched_at").dt.date()
        ),
    )
    return pl.concat([place.filter(of_them) for place in places]).unique(
        "conversation_id", keep="first", maintain_order=True
    )


def write_tombstones(home: Home, conversations: pl.DataFrame, at: datetime) -> None:
    """Land a tombstone for each (columns of ``find_start_dates``) that has none: from here on it counts as erased."""
    before = landing.erased_ids(home)
    landing.land_documents(
        home,
        [
            {
                "conversation_id": conversation_id,
                "start_date": day,
                "start_time_at": datetime.combine(day, time(), UTC),  # the day is all that is kept
                "kind": landing.ERASED,
                "fetched_at": at,
            }
            for conversation_id, day in conversations.select("conversation_id", "start_date").rows()
            if conversation_id not in before
        ],
    )


def purge(home: Home) -> dict[str, Removed]:
    """Take whatever the landing still holds of erased conversations, but for their tombstones, out of it."""
    ids = landing.erased_ids(home)
    removed = {conversation_id: Removed() for conversation_id in ids}
    if not ids:
        return removed
    for conversation_id, n_files in audio.forget(home, ids).items():
        removed[conversation_id].n_recordings = n_files
    activity_log.delete_entries(home, JOURNALS, ids)
    of_them = pl.col("conversation_id").is_in(list(ids))
    for file, ours in _segments_containing(LANDED_LISTINGS, _listings(home), of_them):
        for conversation_id, n_rows in ours.items():
            removed[conversation_id].n_list_rows += n_rows
            removed[conversation_id].n_listings += 1
        _rewrite_listing(home, file, lambda rows: rows.filter(~of_them))
    for file, ours in _segments_containing(QUARANTINE, _quarantine(home), of_them):
        for conversation_id, n_rows in ours.items():
            removed[conversation_id].n_quarantined += n_rows
        _rewrite(home, QUARANTINE, file, lambda rows: rows.filter(~of_them))
    is_reading = of_them & (pl.col("kind") != landing.ERASED)
    for file, ours in _segments_containing(LANDED_DOCUMENTS, _segments(home), is_reading):
        for conversation_id, n_rows in ours.items():
            removed[conversation_id].n_readings += n_rows
            removed[conversation_id].n_segments += 1
        _rewrite(home, LANDED_DOCUMENTS, file, lambda rows: rows.filter(~is_reading))
    return removed


def redact(home: Home, ids: Collection[str], redacted: Callable[[bytes], tuple[bytes, str]]) -> None:
    """Take the content of conversations out of the landing, their recordings first.

    Args:
        home: The home folder.
        ids: Conversations.
        redacted: Gives, for a document, what is left of it and its hash.
    """
    audio.forget(home, ids)
    of_them = pl.col("conversation_id").is_in(list(ids))
    with_payload = of_them & (pl.col("payload") != EMPTY_ROW)
    payload = pl.when(of_them).then(pl.lit(EMPTY_ROW)).otherwise("payload").alias("payload")
    for file, _ in _segments_containing(LANDED_LISTINGS, _listings(home), with_payload):
        _rewrite_listing(home, file, lambda rows: rows.with_columns(payload))

    def redact_rows(rows: pl.DataFrame) -> pl.DataFrame:
        is_due = of_them & pl.col("is_redacted").is_null()
        due = [_redacted(row, redacted) for row in rows.filter(is_due).iter_rows(named=True)]
        return pl.concat([rows.filter(~is_due), parquet.frame(LANDED_DOCUMENTS, due)])

    for file, _ in _segments_containing(LANDED_DOCUMENTS, _segments(home), of_them & pl.col("is_redacted").is_null()):
        _rewrite(home, LANDED_DOCUMENTS, file, redact_rows)


def _redacted(row: Mapping[str, object], redacted: Callable[[bytes], tuple[bytes, str]]) -> dict[str, object]:
    """A reading without content.

    A document takes the hash of what is left of it, by which the lake knows that it has to show that; a 404 takes none,
    so that a conversation that comes back lands as a document.
    """
    payload = row["payload"]
    if not isinstance(payload, bytes):
        return {**row, "is_redacted": True, "content_sha256": None if row["kind"] == "gone" else row["content_sha256"]}
    left, sha256 = redacted(payload)
    is_shown = row["kind"] == "document"
    return {
        **row,
        "is_redacted": True,
        "payload": left,
        "content_sha256": sha256 if is_shown else row["content_sha256"],
    }


def _segments(home: Home) -> list[Path]:
    return home.files(home.landing, lake.DAYS)


def _listings(home: Home) -> list[Path]:
    return home.files(home.listings)


def _quarantine(home: Home) -> list[Path]:
    return home.files(home.quarantine)


def _segments_containing(table: Table, files: list[Path], wanted: pl.Expr) -> Iterator[tuple[Path, dict[str, int]]]:
    """The files that hold such rows, with how many of each conversation."""
    if not files:
        return
    scan = pl.scan_parquet(
        [str(file) for file in files],
        schema=parquet.polars_schema(table),
        missing_columns="insert",
        extra_columns="ignore",
        include_file_paths="file",
        glob=False,
    )
    counts = scan.filter(wanted).group_by("file", "conversation_id").agg(n_rows=pl.len()).collect().sort("file")
    for (file,), rows in counts.group_by("file", maintain_order=True):
        yield Path(str(file)), dict(rows.select("conversation_id", "n_rows").rows())


def _rewrite(home: Home, table: Table, file: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    rows = change(parquet.read_files(table, [file]))
    if rows.is_empty():
        file.unlink()
    else:
        parquet.write_file(home, file, rows)


def _rewrite_listing(home: Home, file: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """A listing keeps its file, even without rows: its footer says which window was listed."""
    footer = {"window": pl.read_parquet_metadata(file)["window"]}
    parquet.write_file(home, file, change(parquet.read_files(LANDED_LISTINGS, [file])), footer=footer)
