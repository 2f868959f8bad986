"""The landing: what the API returned, append-only; everything else is derived from it and can be rebuilt.

``landing/start_date=…/*.parquet`` has snapshots of conversations, one segment per flush. ``landing/listings`` has list
rows, one file per complete listing; its footer has the window that was listed, and a row that has not changed since an
earlier listing is without its content. ``landing/quarantine`` is that of the module ``quarantine``. Small files are
merged (``landing_merge``). There is no other state: which conversations are known, which are open and which window
comes next is read from these files.

A snapshot is one landed version of one conversation: its document, or the fact that it was unchanged, emptied by
retention or gone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path

import polars as pl

from warehouse.schema.landing import LANDED_DOCUMENTS, LANDED_LISTINGS
from warehouse.storage import landing_files, parquet
from warehouse.storage.home import Home, unique_name

DAY_FOLDERS = "start_date=*/"
"""Glob of the folders of snapshots."""

DOCUMENT_COLUMNS = tuple(name for name in LANDED_DOCUMENTS.column_names if name != "payload")
"""All columns except the payload, which is most of a file and rarely needed."""
LIST_ROW_COLUMNS = tuple(name for name in LANDED_LISTINGS.column_names if name not in {"last_seen_at", "payload"})
LIST_ROW_CONTENT = ("start_date", "start_time_at", "agent_id", "agent_name", "status", "fingerprint", "payload")
"""Columns that are null in a row that says only that a conversation was listed again."""
LAST_SEEN_AT = pl.coalesce("last_seen_at", "listed_at")
WINDOW_KEY = "window"
"""Key in the footer of a listing: its window as JSON; in a merged file, a list of windows."""

REMOVED_KINDS = ("gone", "blanked")
"""Kinds of a snapshot that say that the API removed the conversation (404) or its content (retention)."""
PAYLOAD_BATCH_SIZE = 500
"""Documents whose payloads are in memory at once, about 12 MB."""
BATCH_BYTES = 16 * 1024 * 1024
"""Files whose snapshots are in memory at once, without their payloads, to find the latest: some 5,000 documents."""
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
    """Append a complete listing (rows of ``LANDED_LISTINGS``) with its window, even an empty one.

    A row that equals the conversation's latest lands without its content: that it was listed is all that is new.
    """
    landed = latest_list_rows(home, ("fingerprint", "listed_at"), ids=rows["conversation_id"])
    # If the clock went back, the row lands in full: by time, it would follow another than the latest row.
    latest = landed.filter(pl.col("listed_at") <= listing.listed_at).select("conversation_id", latest="fingerprint")
    is_changed = pl.col("fingerprint").ne_missing(pl.col("latest"))
    content = (pl.when(is_changed).then(name).alias(name) for name in LIST_ROW_CONTENT)
    compared = rows.join(latest, "conversation_id", "left", maintain_order="left").with_columns(*content)
    window = {
        "listed_at": listing.listed_at.isoformat(),
        "since": listing.since.isoformat() if listing.since else None,
        "until": listing.until.isoformat() if listing.until else None,
        "agent_id": listing.agent_id,
    }
    target = home.file(home.listings, unique_name(listing.listed_at))
    parquet.write_file(home, target, compared.select(rows.columns), footer=windows_footer([window]))


def windows(file: Path) -> list[dict[str, str | None]]:
    """The windows of the listings in a file: listed_at, since, until, agent_id."""
    value = json.loads(pl.read_parquet_metadata(file)[WINDOW_KEY])
    return value if isinstance(value, list) else [value]


def windows_footer(listed_windows: Sequence[Mapping[str, str | None]]) -> dict[str, str]:
    """The footer of a file with the rows of these listings."""
    return {WINDOW_KEY: json.dumps(listed_windows)}


def listings(home: Home) -> list[Listing]:
    """Every complete listing, oldest first."""

    def read_windows(files: list[Path]) -> list[dict[str, str | None]]:
        return [window for file in files for window in windows(file)]

    listed_windows = landing_files.read_consistently(
        lambda: landing_files.list_files(home, home.listings), read_windows
    )
    complete_listings = [
        Listing(
            datetime.fromisoformat(str(window["listed_at"])),
            datetime.fromisoformat(window["since"]) if window["since"] else None,
            datetime.fromisoformat(window["until"]) if window["until"] else None,
            window["agent_id"],
        )
        for window in listed_windows
    ]
    return sorted(complete_listings, key=lambda listing: listing.listed_at)


def latest_list_rows(
    home: Home, columns: Sequence[str] = LIST_ROW_COLUMNS, *, ids: Iterable[str] | None = None
) -> pl.DataFrame:
    """The latest list row of each conversation, or of some, without its payload.

    Args:
        home: The home folder.
        columns: Columns of ``LANDED_LISTINGS`` besides the id. ``listed_at`` is when a listing showed the conversation
            last, whether or not its row had changed. ``first_seen_at`` is when one showed it first.
        ids: Conversations; None for all.
    """
    content = [name for name in columns if name in LIST_ROW_CONTENT]
    names = ["conversation_id", "workspace", "listed_at", "last_seen_at", *{"fingerprint", *content}]
    has_id = None if ids is None else pl.col("conversation_id").is_in(list(ids))
    rows = landing_files.read(home, LANDED_LISTINGS, home.listings, columns=names, where=has_id)
    seen = rows.group_by("conversation_id").agg(first_seen_at=pl.col("listed_at").min(), seen_at=LAST_SEEN_AT.max())
    latest = (
        rows.filter(pl.col("fingerprint").is_not_null())
        .sort("listed_at", maintain_order=True)
        .unique("conversation_id", keep="last", maintain_order=True)
        .join(seen, "conversation_id", maintain_order="left")
    )
    return latest.with_columns(listed_at="seen_at").select(*dict.fromkeys(("conversation_id", *columns)))


def snapshots(home: Home, ids: Iterable[str] | None = None) -> pl.DataFrame:
    """Every landed snapshot, of all conversations or of some, without its payload, oldest first."""
    id_list = None if ids is None else list(ids)
    if id_list == []:
        return parquet.read_files(LANDED_DOCUMENTS, [], DOCUMENT_COLUMNS)
    has_id = None if id_list is None else pl.col("conversation_id").is_in(id_list)
    return _read_documents(home, DOCUMENT_COLUMNS, has_id).sort("fetched_at", maintain_order=True)


def _read_documents(home: Home, columns: Sequence[str], where: pl.Expr | None) -> pl.DataFrame:
    """Rows of the snapshots of all days."""
    return landing_files.read(home, LANDED_DOCUMENTS, home.landing, below=DAY_FOLDERS, columns=columns, where=where)


def latest_snapshots(home: Home, ids: Iterable[str] | None = None) -> pl.DataFrame:
    """The latest snapshot of each conversation, or of some, without its payload.

    Besides the columns of ``LANDED_DOCUMENTS`` it has three of the latest snapshot with a document, null if there is
    none: ``content_at`` is its ``fetched_at``, ``shown_sha256`` its hash, ``shown_texts`` the number of its entries
    with text. ``start_date`` is that of this document too.
    """
    id_list = None if ids is None else list(ids)
    has_id = None if id_list is None else pl.col("conversation_id").is_in(id_list)
    if id_list == []:
        return _latest_of(snapshots(home, id_list))

    def read_latest(files: list[Path]) -> pl.DataFrame:
        batches = _batches_of_days(files) or [[]]
        return pl.concat(
            [_latest_of(parquet.read_files(LANDED_DOCUMENTS, batch, DOCUMENT_COLUMNS, has_id)) for batch in batches]
        )

    latest = landing_files.read_consistently(
        lambda: landing_files.list_files(home, home.landing, DAY_FOLDERS), read_latest
    )
    # A conversation whose start was corrected has snapshots on several days.
    is_moved = latest["conversation_id"].is_duplicated()
    if not is_moved.any():
        return latest
    moved = latest.filter(is_moved)["conversation_id"].unique()
    return pl.concat([latest.filter(~is_moved), _latest_of(snapshots(home, moved))])


def _latest_of(rows: pl.DataFrame) -> pl.DataFrame:
    """The latest snapshot of each conversation, as ``latest_snapshots`` returns it; rows of ``DOCUMENT_COLUMNS``."""
    in_order = rows.sort("fetched_at", maintain_order=True)
    content = (
        in_order.filter(kind="document")
        .group_by("conversation_id")
        .agg(
            content_at=pl.col("fetched_at").last(),
            content_date=pl.col("start_date").last(),
            shown_sha256=pl.col("content_sha256").last(),
            shown_texts=pl.col("n_texts").last(),
        )
    )
    latest = in_order.unique("conversation_id", keep="last", maintain_order=True)
    latest = latest.join(content, "conversation_id", "left")
    return latest.with_columns(start_date=pl.coalesce("content_date", "start_date")).drop("content_date")


def _batches_of_days(files: Iterable[Path]) -> list[list[Path]]:
    """Files in batches of entire days, each of some ``BATCH_BYTES``: how much is read before it is reduced."""
    batches: list[list[Path]] = []
    size = BATCH_BYTES
    for _, day in groupby(files, lambda file: file.parent):
        if size >= BATCH_BYTES:
            batches.append([])
            size = 0
        day_files = list(day)
        batches[-1] += day_files
        size += sum(file.stat().st_size for file in day_files)
    return batches


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
    return _read_documents(home, ("conversation_id", "fetched_at", "kind"), is_removed).sort(pl.all())


def _ids_where(home: Home, condition: pl.Expr) -> set[str]:
    """Conversations with a snapshot that meets a condition; of other rows, only the condition's columns are read."""
    return set(_read_documents(home, ["conversation_id"], condition)["conversation_id"])


def payloads(home: Home, days: Iterable[date], ids: Iterable[str]) -> Iterator[pl.DataFrame]:
    """The latest document of each conversation of some days: conversation_id, fetched_at, content_sha256, payload.

    They come in frames of up to ``PAYLOAD_BATCH_SIZE``, as the text of a day may not fit into memory. A batch has
    documents of the same few files, so that no file is read often.
    """
    files = [
        file for day in days for file in landing_files.list_files(home, home.landing / f"start_date={day.isoformat()}")
    ]
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
