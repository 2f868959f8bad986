"""The landing: what the API said, append-only, the truth from which all else is derived and can be rebuilt.

``landing/start_date=…/*.parquet`` holds readings of details, a segment a flush; ``landing/listings`` list rows, a file
a complete listing, whose footer says which window it covers; ``landing/quarantine`` answers that were no documents. No
state is kept beside: what was seen, what is open and which window comes next is read from these files.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from warehouse.schema.landing import LANDED_DOCUMENTS, LANDED_LISTINGS
from warehouse.schema.operations import QUARANTINE
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home

KEYS = tuple(name for name in LANDED_DOCUMENTS.column_names if name != "payload")
LIST_KEYS = tuple(name for name in LANDED_LISTINGS.column_names if name != "payload")

REMOVED_KINDS = ("gone", "blanked")
"""Kinds of a reading that found the conversation, or its content, taken away at the API."""
DOCUMENTS_TOGETHER = 500
"""Documents whose payloads are in memory at once: some 12 MB."""
ERASED = "erased"
"""Kind of the row that is left of a conversation that was erased here."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One complete listing: its window (None: open to that side), the agent it was limited to, when it began."""

    listed_at: datetime
    since: datetime | None
    until: datetime | None
    agent_id: str | None = None


def _name(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"


def land_documents(home: Home, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """Append readings: one segment a start date, each whole or not there; gives them back as they were landed."""
    data = parquet.frame(LANDED_DOCUMENTS, rows)
    for (day,), segment in data.group_by("start_date", maintain_order=True):
        folder = home.landing / f"start_date={day}"
        parquet.write_file(home, home.file(folder, _name(segment["fetched_at"][0])), segment)
    return data


def land_listing(home: Home, listing: Listing, rows: pl.DataFrame) -> None:
    """Append a complete listing (rows of ``LANDED_LISTINGS``) with its window, even where it showed nothing."""
    window = {
        "listed_at": listing.listed_at.isoformat(),
        "since": listing.since.isoformat() if listing.since else None,
        "until": listing.until.isoformat() if listing.until else None,
        "agent_id": listing.agent_id,
    }
    parquet.write_file(
        home, home.file(home.listings, _name(listing.listed_at)), rows, footer={"window": json.dumps(window)}
    )


def land_quarantine(home: Home, row: Mapping[str, object]) -> None:
    """Note an answer that was no document; its body is not kept, as credentials in it could not be masked."""
    data = parquet.frame(QUARANTINE, [row])
    parquet.write_file(home, home.file(home.quarantine, _name(data["fetched_at"].item())), data)


def listings(home: Home) -> list[Listing]:
    """Every complete listing, oldest first."""
    found = []
    for file in home.files(home.listings):
        window = json.loads(pl.read_parquet_metadata(file)["window"])
        found.append(
            Listing(
                datetime.fromisoformat(window["listed_at"]),
                datetime.fromisoformat(window["since"]) if window["since"] else None,
                datetime.fromisoformat(window["until"]) if window["until"] else None,
                window["agent_id"],
            )
        )
    return found


def list_rows(home: Home) -> pl.DataFrame:
    """Every list row ever landed, without its payload."""
    return parquet.read_files(LANDED_LISTINGS, home.files(home.listings), LIST_KEYS)


def latest_list_rows(home: Home) -> pl.DataFrame:
    """The latest list row of each conversation, without its payload."""
    return list_rows(home).sort("listed_at").unique("conversation_id", keep="last", maintain_order=True)


def snapshots(home: Home, ids: Iterable[str] | None = None) -> pl.DataFrame:
    """Every reading ever landed, of all conversations or of some, without its payload, oldest first."""
    some = None if ids is None else list(ids)
    files = [] if some == [] else home.files(home.landing, lake.DAYS)
    of_them = None if some is None else pl.col("conversation_id").is_in(some)
    every = parquet.read_files(LANDED_DOCUMENTS, files, KEYS, of_them)
    return every.sort("fetched_at", maintain_order=True)


def latest_snapshots(home: Home, ids: Iterable[str] | None = None) -> pl.DataFrame:
    """The latest reading of each conversation, or of some, without its payload.

    Beside the columns of ``LANDED_DOCUMENTS``, of the latest content that was not blanked (null: there is none):
    ``content_at``, when it was first read, ``shown_sha256`` its hash, ``shown_texts`` its entries that hold text.
    ``start_date`` is the one of that content.
    """
    every = snapshots(home, ids)
    content = (
        every.filter(kind="document")
        .group_by("conversation_id")
        .agg(
            content_at=pl.col("fetched_at").last(),
            content_date=pl.col("start_date").last(),
            shown_sha256=pl.col("content_sha256").last(),
            shown_texts=pl.col("n_texts").last(),
        )
    )
    latest = every.unique("conversation_id", keep="last", maintain_order=True).join(content, "conversation_id", "left")
    return latest.with_columns(start_date=pl.coalesce("content_date", "start_date")).drop("content_date")


def erased_ids(home: Home) -> set[str]:
    """Conversations that were erased here and stay so."""
    return _ids(home, pl.col("kind") == ERASED)


def removed(home: Home) -> pl.DataFrame:
    """The latest reading of each conversation that is taken away at the API, or whose content is."""
    is_lost = pl.col("kind").is_in(REMOVED_KINDS)
    return latest_snapshots(home, _ids(home, is_lost)).filter(is_lost)


def redacted_ids(home: Home) -> set[str]:
    """Conversations whose content was taken away at the API and therefore here."""
    latest = latest_snapshots(home, _ids(home, pl.col("is_redacted")))
    return set(latest.filter(pl.col("kind").is_in(REMOVED_KINDS))["conversation_id"])


def removed_ids(home: Home) -> pl.DataFrame:
    """Readings that were redacted and tombstones of the erased, sorted: conversation_id, fetched_at, kind."""
    is_removed = pl.col("is_redacted").fill_null(value=False) | (pl.col("kind") == ERASED)
    files = home.files(home.landing, lake.DAYS)
    removed = parquet.read_files(LANDED_DOCUMENTS, files, ("conversation_id", "fetched_at", "kind"), is_removed)
    return removed.sort(pl.all())


def _ids(home: Home, condition: pl.Expr) -> set[str]:
    """Conversations with a reading that a condition holds for; few, so nothing else of the others is read."""
    files = home.files(home.landing, lake.DAYS)
    return set(parquet.read_files(LANDED_DOCUMENTS, files, ["conversation_id"], condition)["conversation_id"])


def payloads(home: Home, days: Iterable[date], ids: Iterable[str]) -> Iterator[pl.DataFrame]:
    """The latest document of each conversation of some days: conversation_id, fetched_at, content_sha256, payload.

    They come some hundreds at a time, as many as stand together in a few files: a day's text may be more than memory.
    """
    files = [file for day in days for file in home.files(home.landing / f"start_date={day.isoformat()}")]
    wanted = list(ids)
    is_wanted = (pl.col("kind") == "document") & pl.col("conversation_id").is_in(wanted)
    keys, columns = ("conversation_id", "fetched_at"), ("conversation_id", "fetched_at", "content_sha256", "payload")
    if len(wanted) <= DOCUMENTS_TOGETHER:  # to look first which of them are the latest would cost as much again
        yield _latest(parquet.read_files(LANDED_DOCUMENTS, files, columns, is_wanted))
        return
    latest = _latest(parquet.read_files(LANDED_DOCUMENTS, files, keys, is_wanted, file_as="file"))
    several = latest.sort("file").with_columns(part=pl.int_range(pl.len()) // DOCUMENTS_TOGETHER)
    for part in several.partition_by("part"):
        found = parquet.read_files(LANDED_DOCUMENTS, map(Path, part["file"].unique().sort()), columns, is_wanted)
        yield found.join(part.select(keys), keys, "semi").unique("conversation_id", keep="last", maintain_order=True)


def _latest(readings_: pl.DataFrame) -> pl.DataFrame:
    """The latest reading of each conversation."""
    in_order = readings_.sort("fetched_at", maintain_order=True)
    return in_order.unique("conversation_id", keep="last", maintain_order=True)


def quarantined(home: Home) -> pl.DataFrame:
    """Conversations whose latest answer was no document: the rows of the lake's ``quarantine``."""
    files = home.files(home.quarantine)
    set_aside = parquet.read_files(QUARANTINE, files).sort("fetched_at")
    latest = set_aside.unique("conversation_id", keep="last", maintain_order=True)
    read = (
        snapshots(home, latest["conversation_id"]).group_by("conversation_id").agg(read_at=pl.col("fetched_at").max())
    )
    joined = latest.join(read, "conversation_id", "left")
    return joined.filter(pl.col("read_at").is_null() | (pl.col("read_at") < pl.col("fetched_at"))).select(
        QUARANTINE.column_names
    )
