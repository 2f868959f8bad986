"""The only place that changes landed files: erased conversations are removed, redacted ones lose their content.

A file is rewritten and renamed, so readers see the old or the new one. What remains to be done is read from the
landing, so that the next run finishes one that was killed: a tombstone (a row of kind ``erased``) lands first, then all
other rows of its conversation are removed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path

import polars as pl

from warehouse.schema.activity import ACTIVITY_TABLES, AUDIO_FILES, FEEDBACK_SENT, WEBHOOK_EVENTS
from warehouse.schema.landing import LANDED_DOCUMENTS, LANDED_LISTINGS, LANDED_QUARANTINE
from warehouse.schema.types import Table
from warehouse.storage import activity_log, audio, landing, parquet
from warehouse.storage.home import Home

RedactDocument = Callable[[bytes], tuple[bytes, str]]
"""Gives the redacted form of a document, and its hash."""

EMPTY_PAYLOAD = b"{}"
"""Payload of a list row of a redacted conversation."""

DAYS_OF_ACTIVITY = (
    (AUDIO_FILES, pl.col("start_date")),
    (WEBHOOK_EVENTS, pl.col("event_at").dt.date()),
    (FEEDBACK_SENT, pl.col("sent_at").dt.date()),
)
"""The activity tables about conversations, and the day by which a conversation counts that is in nothing else."""


@dataclass(slots=True)
class RemovedCounts:
    """What was removed of one conversation: rows of the landing, the files that had them, and recordings.

    The fields are the names in the receipts of ``convohouse erase``; a reading is a snapshot.
    """

    n_readings: int = 0
    n_segments: int = 0
    n_list_rows: int = 0
    n_listings: int = 0
    n_quarantined: int = 0
    n_recordings: int = 0


def find_start_dates(home: Home, ids: Collection[str]) -> pl.DataFrame:
    """Start dates of those conversations that are in the landing: conversation_id, start_date.

    A tombstone lands under this date, so it is that of the rows in the lake. A conversation that was never listed nor
    fetched, as one that only a webhook announced, has the day of its quarantine or its activity.
    """
    has_id = pl.col("conversation_id").is_in(list(ids))
    sources = (
        landing.latest_snapshots(home).select("conversation_id", "start_date"),
        landing.latest_list_rows(home).select("conversation_id", "start_date"),
        parquet.read_files(LANDED_QUARANTINE, _quarantine_files(home)).select(
            "conversation_id", start_date=pl.col("fetched_at").dt.date()
        ),
        *(
            activity_log.latest_entries(home, table).select("conversation_id", start_date=day).drop_nulls()
            for table, day in DAYS_OF_ACTIVITY
        ),
    )
    return pl.concat([source.filter(has_id) for source in sources]).unique(
        "conversation_id", keep="first", maintain_order=True
    )


def write_tombstones(home: Home, conversations: pl.DataFrame, at: datetime) -> None:
    """Land a tombstone for each conversation (rows of ``find_start_dates``) that has none: it counts as erased now.

    Where the rows have an ``agent_id`` too, a tombstone retains it: the API's retention is known by what it removed.
    """
    erased_ids = landing.erased_ids(home)
    rows = conversations.select(pl.col("^(conversation_id|start_date|agent_id)$")).to_dicts()
    landing.land_documents(
        home,
        [
            {
                **row,
                "start_time_at": datetime.combine(row["start_date"], time(), UTC),  # only the day is retained
                "kind": landing.ERASED,
                "fetched_at": at,
            }
            for row in rows
            if row["conversation_id"] not in erased_ids
        ],
    )


def purge(home: Home) -> dict[str, RemovedCounts]:
    """Remove all that the landing still has of erased conversations, except their tombstones; returns counts by id."""
    ids = landing.erased_ids(home)
    removed = {conversation_id: RemovedCounts() for conversation_id in ids}
    if not ids:
        return removed
    for conversation_id, n_files in audio.delete_recordings(home, ids).items():
        removed[conversation_id].n_recordings = n_files
    activity_log.delete_entries(home, ACTIVITY_TABLES, ids)
    _empty_damaged_files(home)
    is_erased = pl.col("conversation_id").is_in(list(ids))
    for file, counts in _files_containing(LANDED_LISTINGS, _listing_files(home), is_erased):
        for conversation_id, n_rows in counts.items():
            removed[conversation_id].n_list_rows += n_rows
            removed[conversation_id].n_listings += 1
        _rewrite_listing(home, file, lambda rows: rows.filter(~is_erased))
    for file, counts in _files_containing(LANDED_QUARANTINE, _quarantine_files(home), is_erased):
        for conversation_id, n_rows in counts.items():
            removed[conversation_id].n_quarantined += n_rows
        _rewrite(home, LANDED_QUARANTINE, file, lambda rows: rows.filter(~is_erased))
    is_snapshot = is_erased & (pl.col("kind") != landing.ERASED)
    for file, counts in _files_containing(LANDED_DOCUMENTS, _document_files(home), is_snapshot):
        for conversation_id, n_rows in counts.items():
            removed[conversation_id].n_readings += n_rows
            removed[conversation_id].n_segments += 1
        _rewrite(home, LANDED_DOCUMENTS, file, lambda rows: rows.filter(~is_snapshot))
    return removed


def redact(home: Home, ids: Collection[str], redact_document: RedactDocument) -> None:
    """Remove the recordings of conversations, then their content in the landing; a repeat changes nothing."""
    audio.delete_recordings(home, ids)
    if ids:
        _empty_damaged_files(home)
    has_id = pl.col("conversation_id").is_in(list(ids))
    has_payload = has_id & (pl.col("payload") != EMPTY_PAYLOAD)
    payload = pl.when(has_payload).then(pl.lit(EMPTY_PAYLOAD)).otherwise("payload")
    for file, _ in _files_containing(LANDED_LISTINGS, _listing_files(home), has_payload):
        _rewrite_listing(home, file, lambda rows: rows.with_columns(payload=payload))

    is_due = has_id & pl.col("is_redacted").is_null()

    def redact_rows(rows: pl.DataFrame) -> pl.DataFrame:
        redacted_rows = [_redact_snapshot(row, redact_document) for row in rows.filter(is_due).iter_rows(named=True)]
        return pl.concat([rows.filter(~is_due), parquet.frame(LANDED_DOCUMENTS, redacted_rows)])

    for file, _ in _files_containing(LANDED_DOCUMENTS, _document_files(home), is_due):
        _rewrite(home, LANDED_DOCUMENTS, file, redact_rows)


def _redact_snapshot(row: Mapping[str, object], redact_document: RedactDocument) -> dict[str, object]:
    """A snapshot without content.

    A document gets the hash of its redacted form, from which the lake sees that it has to show that form. A 404 loses
    its hash, so that a conversation that is there again lands as a document.
    """
    payload = row["payload"]
    if not isinstance(payload, bytes):
        return {**row, "is_redacted": True, "content_sha256": None if row["kind"] == "gone" else row["content_sha256"]}
    redacted_payload, sha256 = redact_document(payload)
    is_document = row["kind"] == "document"
    return {
        **row,
        "is_redacted": True,
        "payload": redacted_payload,
        "content_sha256": sha256 if is_document else row["content_sha256"],
    }


def _empty_damaged_files(home: Home) -> None:
    """Empty the files that were set aside: whose rows they have cannot be read. Their names say what was lost."""
    for file in home.damaged.rglob("*.damaged"):
        if file.stat().st_size:
            file.write_bytes(b"")


def _document_files(home: Home) -> list[Path]:
    return home.files(home.landing, landing.DAY_FOLDERS)


def _listing_files(home: Home) -> list[Path]:
    return home.files(home.listings)


def _quarantine_files(home: Home) -> list[Path]:
    return home.files(home.quarantine)


def _files_containing(table: Table, files: list[Path], condition: pl.Expr) -> Iterator[tuple[Path, dict[str, int]]]:
    """The files with rows that meet a condition, and the number of these rows by conversation."""
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
    counts = scan.filter(condition).group_by("file", "conversation_id").agg(n_rows=pl.len()).collect().sort("file")
    for (file,), rows in counts.group_by("file", maintain_order=True):
        yield Path(str(file)), dict(rows.select("conversation_id", "n_rows").rows())


def _rewrite(home: Home, table: Table, file: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    rows = change(parquet.read_files(table, [file]))
    if rows.is_empty():
        file.unlink()
    else:
        parquet.write_file(home, file, rows)


def _rewrite_listing(home: Home, file: Path, change: Callable[[pl.DataFrame], pl.DataFrame]) -> None:
    """Rewrite a listing, and keep the file even without rows: its footer has the windows that were listed."""
    footer = landing.windows_footer(landing.windows(file))
    parquet.write_file(home, file, change(parquet.read_files(LANDED_LISTINGS, [file])), footer=footer)
