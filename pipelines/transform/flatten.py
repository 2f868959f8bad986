"""Landed documents become frames of the lake; a pure function of the snapshots.

Each batch of documents takes the same steps: decode (JSON to structs), extract (structs to columns), build (columns to
frames). At the end the frames of all batches are joined. A document that cannot be decoded is reported with its reason
and does not affect the others.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import polars as pl

from pipelines.privacy.messages import describe_error, hide_message
from pipelines.transform import tool_calls
from pipelines.transform.decode import UnflattenableError, read_detail, started_at
from pipelines.transform.path_values import Columns, ParsedBatch
from pipelines.transform.polars_frames import build_frame, concat_frames
from pipelines.transform.table_builders import TABLE_BUILDERS
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.schema.types import Table

PARSER_VERSION = 4
"""Raise it whenever the same document gives other rows: the next run then flattens every document again."""

BATCH_SIZE = 500
"""Documents per batch: small enough to bound memory, large enough that polars' cost per series does not matter."""
DECODE_SIZE = 100
"""Documents whose structs exist at the same time, so that they fit the cache of the processor.

Measured: 10 % faster than to decode an entire batch at once.
"""

_EPOCH, _MICROSECOND = datetime.fromtimestamp(0, UTC), timedelta(microseconds=1)

Frames = list[tuple[str, pl.DataFrame]]
"""Pairs of table name and rows."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A landed version of a conversation: the document and the columns that only the landing knows."""

    conversation_id: str
    payload: bytes
    fetched_at: datetime
    deleted_at: datetime | None = None
    deletion_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Flattened:
    """Frames by table name; ``errors`` maps the conversation_id of a document without rows to the reason."""

    frames: dict[str, pl.DataFrame]
    errors: dict[str, str]


class _Document(NamedTuple):
    """A snapshot, the struct of its document, and the start of the conversation, UTC."""

    snapshot: Snapshot
    detail: Any
    started_at: datetime


def flatten(snapshots: Iterable[Snapshot]) -> Flattened:
    """The rows of all document tables for the snapshots, with the schema of ``warehouse.schema``."""
    frames: dict[str, list[pl.DataFrame]] = {table.name: [] for table in DOCUMENT_TABLES}
    errors: dict[str, str] = {}
    for batch in _batches(snapshots):
        with _paused_cycle_collector():
            for table_name, frame in _flatten_batch(batch, errors):
                frames[table_name].append(frame)
    # pop, so that the parts of a table are freed before the next table is joined
    return Flattened({table.name: concat_frames(table, frames.pop(table.name)) for table in DOCUMENT_TABLES}, errors)


def _batches(snapshots: Iterable[Snapshot]) -> Iterator[list[Snapshot]]:
    """Batches of ``BATCH_SIZE``; the snapshots are read only as far as needed, since each holds its payload."""
    iterator = iter(snapshots)
    while batch := list(islice(iterator, BATCH_SIZE)):
        yield batch


@contextmanager
def _paused_cycle_collector() -> Iterator[None]:
    """Without the cycle collector of Python: decoded JSON has no cycles, but would be searched for them repeatedly.

    Measured on 2,000 documents of 24 KB: 29 % of the time.
    """
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_enabled:
            gc.enable()


def _flatten_batch(batch: Sequence[Snapshot], errors: dict[str, str]) -> Frames:
    """The frames of a batch.

    A value can be nested too deep to be encoded though it was decoded, or be one that no column can hold. Only the
    whole batch fails then, so it is halved until the document is isolated.
    """
    try:
        return _build_frames(batch, errors)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one document, the others are flattened
        if len(batch) == 1:
            errors[batch[0].conversation_id] = f"the document cannot be flattened: {describe_error(error)}"
            return []
        half = len(batch) // 2
        return _flatten_batch(batch[:half], errors) + _flatten_batch(batch[half:], errors)


def _build_frames(batch: Sequence[Snapshot], errors: dict[str, str]) -> Frames:
    """Decode and extract a batch in pieces, then build one frame per table."""
    parts: dict[str, list[Columns]] = {table.name: [] for table in DOCUMENT_TABLES}
    starts: list[tuple[Snapshot, datetime]] = []
    for begin in range(0, len(batch), DECODE_SIZE):
        starts += _read_piece(batch[begin : begin + DECODE_SIZE], len(starts), parts, errors)
    derived_columns = _derived_columns(starts)
    key_columns = derived_columns.select("conversation_id", "start_date")
    return [
        (table.name, build_frame(table, parts[table.name], derived_columns if table is CONVERSATIONS else key_columns))
        for table in DOCUMENT_TABLES
    ]


def _read_piece(
    snapshots: Sequence[Snapshot], first: int, parts: Mapping[str, list[Columns]], errors: dict[str, str]
) -> list[tuple[Snapshot, datetime]]:
    """Decode and extract a piece of a batch, whose documents are numbered from ``first``; add its columns to ``parts``.

    A function of its own, so that its structs are freed before the next piece is decoded. It returns only what the
    derived columns need.
    """
    documents = list(_decode(snapshots, errors))
    for table, columns in _extract_columns([document.detail for document in documents], first):
        parts[table.name].append(columns)
    return [(document.snapshot, document.started_at) for document in documents]


def _decode(snapshots: Sequence[Snapshot], errors: dict[str, str]) -> Iterator[_Document]:
    """The documents that can be decoded; the others are added to ``errors``."""
    for snapshot in snapshots:
        try:
            detail = read_detail(snapshot.payload)
        except UnflattenableError as error:
            errors[snapshot.conversation_id] = str(error)
            continue
        start = started_at(detail)
        if start is None or detail.conversation_id != snapshot.conversation_id:
            message = f"the document belongs to another conversation: {detail.conversation_id!r:.80}"
            errors[snapshot.conversation_id] = hide_message(message)
            continue
        yield _Document(snapshot, detail, start)


def _extract_columns(details: Sequence[Any], first: int) -> Iterator[tuple[Table, Columns]]:
    """The columns of every table that come from the documents."""
    batch = ParsedBatch(details, first)
    for builder in TABLE_BUILDERS:
        yield builder.table, builder.build(batch)
    yield from tool_calls.build_columns(batch)


def _derived_columns(starts: Sequence[tuple[Snapshot, datetime]]) -> pl.DataFrame:
    """The columns of ``conversations`` that do not come from the document, one row per document."""
    snapshots = [snapshot for snapshot, _ in starts]
    columns: Columns = {
        "conversation_id": [snapshot.conversation_id for snapshot in snapshots],
        "start_date": [start.date() for _, start in starts],
        "start_time_at": [_to_microseconds(start) for _, start in starts],
        "fetched_at": [_to_microseconds(snapshot.fetched_at) for snapshot in snapshots],
        "is_deleted": [snapshot.deleted_at is not None for snapshot in snapshots],
        "deleted_at": [snapshot.deleted_at and _to_microseconds(snapshot.deleted_at) for snapshot in snapshots],
        "deletion_reason": [snapshot.deletion_reason for snapshot in snapshots],
    }
    return build_frame(CONVERSATIONS, [columns])


def _to_microseconds(moment: datetime) -> int:
    """Microseconds since the epoch; polars converts a number five times as fast as a datetime."""
    return (moment - _EPOCH) // _MICROSECOND
