"""The landing: what the API returned, append-only; everything else is derived from it and can be rebuilt.

``landing/start_date=…/*.parquet`` has snapshots of conversations, one segment per flush. ``landing/listings`` has list
rows, one file per complete listing; its footer has the window that was listed. ``landing/quarantine`` has the
conversations whose response was not a document. There is no other state: which conversations are known, which are open
and which window comes next is read from these files.

A snapshot is one landed version of one conversation: its document, or the fact that it was unchanged, emptied by
retention or gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from warehouse.schema.landing import LANDED_DOCUMENTS, LANDED_LISTINGS
from warehouse.schema.operations import QUARANTINE
from warehouse.storage import parquet
from warehouse.storage.home import Home, unique_name

DAY_FOLDERS = "start_date=*/"
"""Glob of the folders of snapshots."""

DOCUMENT_COLUMNS = tuple(name for name in LANDED_DOCUMENTS.column_names if name != "payload")
LIST_ROW_COLUMNS = tuple(name for name in LANDED_LISTINGS.column_names if name != "payload")
"""All columns except the payload, which is most of a file and rarely needed."""

REMOVED_KINDS = ("gone", "blanked")
"""Kinds of a snapshot that say that the API removed the conversation (404) or its content (retention)."""
PAYLOAD_BATCH_SIZE = 500
"""Documents whose payloads are in memory at once, about 12 MB."""
ERASED = "erased"
"""Kind of a tombstone: the one row that is left of a conversation that was erased here."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One complete listing: its start, its window (None is unbounded) and the agent it was limited to."""

    listed_at: datetime
    since: datetime | None
    until: datetime | None
    agent_id: str | None = None


def land_documents(home: Home, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Append snapshots, one segment per start date, each written atomically; returns them as a frame."""
    data = parquet.frame(LANDED_DOCUMENTS, rows)
    for (day,), segment in data.group_by("start_date", maintain_order=True):
        folder = home.landing / f"start_date={day}"
        parquet.write_file(home, home.file(folder, unique_name(segment["fetched_at"][0])), segment)
    return data


def land_listing(home: Home, listing: Listing, rows: pl.DataFrame) -> None:
    """Append a complete listing (rows of ``LANDED_LISTINGS``) with its window, even an empty one."""
    window = {
        "listed_at": listing.listed_at.isoformat(),
        "since": listing.since.isoformat() if listing.since else None,
        "until": listing.until.isoformat() if listing.until else None,
        "agent_id": listing.agent_id,
    }
    parquet.write_file(
        home, home.file(home.listings, unique_name(listing.listed_at)), rows, footer={"window": json.dumps(window)}
    )


def land_quarantine(home: Home, row: Mapping[str, object]) -> None:
    """Record a response that was not a document; its body is not stored, as credentials in it could not be masked."""
    data = parquet.frame(QUARANTINE, [row])
    parquet.write_file(home, home.file(home.quarantine, unique_name(data["fetched_at"].item())), data)


def listings(home: Home) -> list[Listing]:
    """Every complete listing, oldest first."""
    complete_listings = []
    for file in home.files(home.listings):
        window = json.loads(pl.read_parquet_metadata(file)["window"])
        complete_listings.append(
            Listing(
                datetime.fromisoformat(window["listed_at"]),
                datetime.fromisoformat(window["since"]) if window["since"] else None,
                datetime.fromisoformat(window["until"]) if window["until"] else None,
                window["agent_id"],
            )
        )
    return complete_listings


def list_rows(home: Home) -> pl.DataFrame:
    """Every landed list row, without its payload."""
    return parquet.read_files(LANDED_LISTINGS, home.files(home.listings), LIST_ROW_COLUMNS)


def latest_list_rows(home: Home) -> pl.DataFrame:
    """The latest list row of each conversation, without its payload."""
    return list_rows(home).sort("listed_at").unique("conversation_id", keep="last", maintain_order=True)


def snapshots(home: Home, ids: Iterable[str] | None = None) -> pl.DataFrame:
    """Every landed snapshot, of all conversations or of some, without its payload, oldest first."""
    id_list = None if ids is None else list(ids)
    files = [] if id_list == [] else home.files(home.landing, DAY_FOLDERS)
    has_id = None if id_list is None else pl.col("conversation_id").is_in(id_list)
    return parquet.read_files(LANDED_DOCUMENTS, files, DOCUMENT_COLUMNS, has_id).sort("fetched_at", maintain_order=True)


def latest_snapshots(home: Home, ids: Iterable[str] | None = None) -> pl.DataFrame:
    """The latest snapshot of each conversation, or of some, without its payload.

    Besides the columns of ``LANDED_DOCUMENTS`` it has three of the latest snapshot with a document, null if there is
    none: ``content_at`` is its ``fetched_at``, ``shown_sha256`` its hash, ``shown_texts`` the number of its entries
    with text. ``start_date`` is that of this document too.
    """
    all_snapshots = snapshots(home, ids)
    content = (
        all_snapshots.filter(kind="document")
        .group_by("conversation_id")
        .agg(
            content_at=pl.col("fetched_at").last(),
            content_date=pl.col("start_date").last(),
            shown_sha256=pl.col("content_sha256").last(),
            shown_texts=pl.col("n_texts").last(),
        )
    )
    latest = all_snapshots.unique("conversation_id", keep="last", maintain_order=True)
    latest = latest.join(content, "conversation_id", "left")
    return latest.with_columns(start_date=pl.coalesce("content_date", "start_date")).drop("content_date")


def erased_ids(home: Home) -> set[str]:
    """Conversations that have a tombstone: they were erased here and are never landed again."""
    return _ids_where(home, pl.col("kind") == ERASED)


def latest_removed_snapshots(home: Home) -> pl.DataFrame:
    """The latest snapshot of each conversation that the API removed, or whose content it removed."""
    is_removed = pl.col("kind").is_in(REMOVED_KINDS)
    return latest_snapshots(home, _ids_where(home, is_removed)).filter(is_removed)


def redacted_ids(home: Home) -> set[str]:
    """Conversations whose content the API removed and which were therefore redacted here."""
    latest = latest_snapshots(home, _ids_where(home, pl.col("is_redacted")))
    return set(latest.filter(pl.col("kind").is_in(REMOVED_KINDS))["conversation_id"])


def redactions_and_tombstones(home: Home) -> pl.DataFrame:
    """Redacted snapshots and tombstones, sorted: conversation_id, fetched_at, kind."""
    is_removed = pl.col("is_redacted").fill_null(value=False) | (pl.col("kind") == ERASED)
    files = home.files(home.landing, DAY_FOLDERS)
    rows = parquet.read_files(LANDED_DOCUMENTS, files, ("conversation_id", "fetched_at", "kind"), is_removed)
    return rows.sort(pl.all())


def _ids_where(home: Home, condition: pl.Expr) -> set[str]:
    """Conversations with a snapshot that meets a condition; of other rows, only the condition's columns are read."""
    files = home.files(home.landing, DAY_FOLDERS)
    return set(parquet.read_files(LANDED_DOCUMENTS, files, ["conversation_id"], condition)["conversation_id"])


def payloads(home: Home, days: Iterable[date], ids: Iterable[str]) -> Iterator[pl.DataFrame]:
    """The latest document of each conversation of some days: conversation_id, fetched_at, content_sha256, payload.

    They come in frames of up to ``PAYLOAD_BATCH_SIZE``, as the text of a day may not fit into memory. A batch has
    documents of the same few files, so that no file is read often.
    """
    files = [file for day in days for file in home.files(home.landing / f"start_date={day.isoformat()}")]
    id_list = list(ids)
    is_selected = (pl.col("kind") == "document") & pl.col("conversation_id").is_in(id_list)
    keys, columns = ("conversation_id", "fetched_at"), ("conversation_id", "fetched_at", "content_sha256", "payload")
    if len(id_list) <= PAYLOAD_BATCH_SIZE:  # a first pass to find the latest would double the cost
        yield _latest(parquet.read_files(LANDED_DOCUMENTS, files, columns, is_selected))
        return
    latest = _latest(parquet.read_files(LANDED_DOCUMENTS, files, keys, is_selected, file_column="file"))
    numbered = latest.sort("file").with_columns(batch=pl.int_range(pl.len()) // PAYLOAD_BATCH_SIZE)
    for batch in numbered.partition_by("batch"):
        rows = parquet.read_files(LANDED_DOCUMENTS, map(Path, batch["file"].unique().sort()), columns, is_selected)
        yield rows.join(batch.select(keys), keys, "semi").unique("conversation_id", keep="last", maintain_order=True)


def _latest(rows: pl.DataFrame) -> pl.DataFrame:
    """The latest row of each conversation."""
    in_order = rows.sort("fetched_at", maintain_order=True)
    return in_order.unique("conversation_id", keep="last", maintain_order=True)


def quarantined(home: Home) -> pl.DataFrame:
    """Conversations whose latest response was not a document: rows of ``QUARANTINE``."""
    rows = parquet.read_files(QUARANTINE, home.files(home.quarantine))
    latest = _latest(rows)
    landed = snapshots(home, latest["conversation_id"]).group_by("conversation_id")
    joined = latest.join(landed.agg(landed_at=pl.col("fetched_at").max()), "conversation_id", "left")
    is_latest = pl.col("landed_at").is_null() | (pl.col("landed_at") < pl.col("fetched_at"))
    return joined.filter(is_latest).select(QUARANTINE.column_names)
