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
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl

from warehouse.schema.landing import LANDED_DOCUMENTS, LANDED_LISTINGS
from warehouse.storage import landing_files, landing_sequence, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_sequence import file_name, next_number, order, order_of

DAY_FOLDERS = "start_date=*/"
"""Glob of the folders of snapshots."""

DOCUMENT_COLUMNS = tuple(name for name in LANDED_DOCUMENTS.column_names if name != "payload")
"""All columns except the payload, which is most of a file and rarely needed."""
LIST_ROW_COLUMNS = tuple(
    name for name in LANDED_LISTINGS.column_names if name not in {"last_seen_at", "last_seen_sequence", "payload"}
)
LIST_ROW_CONTENT = (
    "start_date",
    "start_time_at",
    "agent_id",
    "agent_name",
    "status",
    "message_count",
    "fingerprint",
    "payload",
)
"""Columns that are null in a row that says only that a conversation was listed again."""
LAST_SEEN_AT = pl.coalesce("last_seen_at", "listed_at")
LAST_SEEN_SEQUENCE = pl.coalesce("last_seen_sequence", "sequence")
WINDOW_KEY = "window"
"""Key in the footer of a listing: its window as JSON; in a merged file, a list of windows."""

LANDING_ORDER = order("sequence", "fetched_at")
"""Snapshots and entries of the quarantine sort by it as they landed."""
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
    """One complete listing: its start, its window (None is unbounded) and the agent it was limited to.

    ``newest_start_at`` is when the newest conversation that it showed started, by the clock of the API; where it showed
    none, the start of its window. It is None in files of 0.2.0, as is ``sequence``.
    """

    listed_at: datetime
    since: datetime | None
    until: datetime | None
    agent_id: str | None = None
    newest_start_at: datetime | None = None
    sequence: int | None = None

    @property
    def order(self) -> int:
        """Listings sort by it as they landed; it compares to ``landing_sequence.order`` of rows."""
        return order_of(self.sequence, self.listed_at)


BEGINNING = datetime(1, 1, 1, tzinfo=UTC)
"""Start of a window without ``since``."""


def land_documents(home: Home, rows: Sequence[Mapping[str, object]], sequence: int | None = None) -> pl.DataFrame:
    """Append snapshots, one segment per start date, each written atomically; returns them as a frame.

    ``sequence`` is their number in the order of the landing, if it was taken before: when the first of them was read.
    """
    data = parquet.frame(LANDED_DOCUMENTS, rows)
    if not rows:
        return data
    number = next_number(home, is_synced=False) if sequence is None else sequence
    landing_sequence.sync_counter(home)
    data = data.with_columns(sequence=pl.lit(number, pl.Int64))
    for (day,), segment in data.group_by("start_date", maintain_order=True):
        folder = home.landing / f"start_date={day}"
        parquet.write_file(home, home.file(folder, file_name(number)), segment)
    return data


def land_listing(home: Home, listing: Listing, rows: pl.DataFrame) -> None:
    """Append a complete listing (rows of ``LANDED_LISTINGS``) with its window, even an empty one.

    A row that equals the conversation's latest lands without its content: that it was listed is all that is new.
    """
    list_rows = latest_list_rows(home, ("fingerprint",), ids=rows["conversation_id"])
    latest = list_rows.select("conversation_id", latest="fingerprint")
    is_changed = pl.col("fingerprint").ne_missing(pl.col("latest"))
    content = (pl.when(is_changed).then(name).alias(name) for name in LIST_ROW_CONTENT)
    compared_rows = rows.join(latest, "conversation_id", "left", maintain_order="left").with_columns(*content)
    number, newest_start_at = next_number(home), rows["start_time_at"].max()
    if not isinstance(newest_start_at, datetime):
        newest_start_at = listing.since or BEGINNING
    window = asdict(replace(listing, newest_start_at=newest_start_at, sequence=number))
    window = {key: value.isoformat() if isinstance(value, datetime) else value for key, value in window.items()}
    numbered_rows = compared_rows.with_columns(sequence=pl.lit(number, pl.Int64)).select(LANDED_LISTINGS.column_names)
    target = home.file(home.listings, file_name(number))
    parquet.write_file(home, target, numbered_rows, footer=windows_footer([window]))


def windows(file: Path) -> list[dict[str, Any]]:
    """The windows of the listings in a file: the fields of ``Listing``, times as text."""
    value = json.loads(pl.read_parquet_metadata(file)[WINDOW_KEY])
    return value if isinstance(value, list) else [value]


def windows_footer(listed_windows: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """The footer of a file with the rows of these listings."""
    return {WINDOW_KEY: json.dumps(listed_windows)}


def listings(home: Home) -> list[Listing]:
    """Every complete listing, in the order in which they landed."""

    def read_windows(files: list[Path]) -> list[dict[str, Any]]:
        return [window for file in files for window in windows(file)]

    listed_windows = parquet.read_consistently(lambda: landing_files.list_files(home, home.listings), read_windows)
    return sorted(map(_parse_window, listed_windows), key=lambda listing: listing.order)


def _parse_window(window: Mapping[str, Any]) -> Listing:
    times = {key: window[key] for key in ("listed_at", "since", "until", "newest_start_at") if window.get(key)}
    return Listing(**{**window, **{key: datetime.fromisoformat(text) for key, text in times.items()}})


def latest_list_rows(
    home: Home, columns: Sequence[str] = LIST_ROW_COLUMNS, *, ids: Iterable[str] | None = None
) -> pl.DataFrame:
    """The latest list row of each conversation, or of some, without its payload.

    Args:
        home: The home folder.
        columns: Columns of ``LANDED_LISTINGS`` besides the id. ``listed_at`` is when a listing showed the conversation
            last, whether or not its row had changed, ``sequence`` the number of that listing. ``first_seen_at`` is when
            one showed it first, ``changed_order`` where its row landed with this content (``landing_sequence.order``).
        ids: Conversations; None for all.
    """
    content = [name for name in columns if name in LIST_ROW_CONTENT]
    times = ("listed_at", "last_seen_at", "sequence", "last_seen_sequence")
    names = ["conversation_id", "workspace", *times, *{"fingerprint", *content}]
    has_id = None if ids is None else pl.col("conversation_id").is_in(list(ids))
    rows = landing_files.read(home, LANDED_LISTINGS, home.listings, columns=names, where=has_id)
    in_order = rows.sort(order("sequence", "listed_at"), maintain_order=True)
    first_seen = in_order.group_by("conversation_id").agg(first_seen_at=pl.col("listed_at").first())
    # A row that was seen again and again, and merged, may be last although another landed after it.
    by_last_sight = rows.select("conversation_id", seen_at=LAST_SEEN_AT, seen_sequence=LAST_SEEN_SEQUENCE).sort(
        order("seen_sequence", "seen_at"), maintain_order=True
    )
    last_seen = by_last_sight.unique("conversation_id", keep="last")
    latest = (
        in_order.filter(pl.col("fingerprint").is_not_null())
        .unique("conversation_id", keep="last", maintain_order=True)
        .with_columns(changed_order=order("sequence", "listed_at"))
        .join(first_seen, "conversation_id", maintain_order="left")
        .join(last_seen, "conversation_id", maintain_order="left")
    )
    return latest.with_columns(listed_at="seen_at", sequence="seen_sequence").select(
        *dict.fromkeys(("conversation_id", *columns))
    )


def snapshots(home: Home, ids: Iterable[str] | None = None) -> pl.DataFrame:
    """Every landed snapshot, of all conversations or of some, without its payload, in the order of their landing."""
    id_list = None if ids is None else list(ids)
    if id_list == []:
        return parquet.read_files(LANDED_DOCUMENTS, [], DOCUMENT_COLUMNS)
    has_id = None if id_list is None else pl.col("conversation_id").is_in(id_list)
    return _read_documents(home, DOCUMENT_COLUMNS, has_id).sort(LANDING_ORDER, maintain_order=True)


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Snapshots in the order of their landing, without webhooks that came after what was read later than their event.

    The event of a webhook says when its document was current, and a webhook can be late. Only its own time can tell; if
    our clock was wrong at that time, the next sync, which fetches what a webhook brought, decides.
    """
    in_order = rows.sort(LANDING_ORDER, maintain_order=True)
    if not rows["is_webhook"].any():
        return in_order
    read_before = pl.col("fetched_at").cum_max().shift().over("conversation_id")
    return in_order.filter(~(pl.col("is_webhook") & (pl.col("fetched_at") < read_before)).fill_null(value=False))


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

    latest = parquet.read_consistently(lambda: landing_files.list_files(home, home.landing, DAY_FOLDERS), read_latest)
    # A conversation whose start was corrected has snapshots on several days.
    is_moved = latest["conversation_id"].is_duplicated()
    if not is_moved.any():
        return latest
    moved_ids = latest.filter(is_moved)["conversation_id"].unique()
    return pl.concat([latest.filter(~is_moved), _latest_of(snapshots(home, moved_ids))])


def _latest_of(rows: pl.DataFrame) -> pl.DataFrame:
    """The latest snapshot of each conversation, as ``latest_snapshots`` returns it; rows of ``DOCUMENT_COLUMNS``."""
    in_order = _in_order(rows)
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
    is_selected = pl.col("conversation_id").is_in(id_list)
    keys = ("conversation_id", "fetched_at", "sequence")
    names, columns = (*keys, "kind", "is_webhook"), ("conversation_id", "fetched_at", "content_sha256", "payload")
    if len(id_list) <= PAYLOAD_BATCH_SIZE:  # a first pass to find the latest would double the cost
        rows = parquet.read_files(LANDED_DOCUMENTS, files, (*names, *columns[2:]), is_selected)
        yield _latest_documents(rows).select(columns)
        return
    rows = parquet.read_files(LANDED_DOCUMENTS, files, names, is_selected, file_column="file")
    latest = _latest_documents(rows)
    numbered = latest.sort("file").with_columns(batch=pl.int_range(pl.len()) // PAYLOAD_BATCH_SIZE)
    for batch in numbered.partition_by("batch"):
        is_document = is_selected & (pl.col("kind") == "document")
        batch_files = map(Path, batch["file"].unique().sort())
        rows = parquet.read_files(LANDED_DOCUMENTS, batch_files, (*keys, *columns[2:]), is_document)
        documents = rows.join(batch.select(keys), keys, "semi", nulls_equal=True, maintain_order="left")
        yield documents.unique("conversation_id", keep="last", maintain_order=True).select(columns)


def _latest_documents(rows: pl.DataFrame) -> pl.DataFrame:
    """The latest snapshot with a document of each conversation."""
    documents = _in_order(rows).filter(pl.col("kind") == "document")
    return documents.unique("conversation_id", keep="last", maintain_order=True)
