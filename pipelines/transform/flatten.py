"""Landed documents become frames of the lake: a pure function of the readings, a chunk of documents at a time.

Documents become structs (``decode``), structs columns (``walk``, ``rows``, ``tools``), columns frames (``series``). A
document that cannot be read costs itself alone and comes back by name.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import polars as pl

from pipelines.transform import tool_calls
from pipelines.transform.decode import UnflattenableError, read_detail, started_at
from pipelines.transform.path_values import Columns, ParsedBatch
from pipelines.transform.polars_frames import build_frame, concat_frames
from pipelines.transform.table_builders import TABLE_BUILDERS
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import DOCUMENT_TABLES

PARSER_VERSION = 1
"""Raised whenever the flattening gives other rows for the same document: the next run then flattens all again."""

BATCH_SIZE = 500
"""Documents a chunk: few bound memory, many keep polars' cost a series small."""
DECODE_SIZE = 100
"""Documents whose structs are there at once: what a processor keeps near. Measured: a tenth quicker than a chunk."""

_EPOCH, _MICROSECOND = datetime.fromtimestamp(0, UTC), timedelta(microseconds=1)

Frames = list[tuple[str, pl.DataFrame]]
"""Frames with the names of their tables."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A landed document and what the landing knows of it beside its content."""

    conversation_id: str
    payload: bytes
    content_sha256: str
    fetched_at: datetime
    checked_at: datetime
    settle_state: str
    deleted_at: datetime | None = None
    deletion_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Flattened:
    """Frames by table name, and the documents that could not be read: conversation_id to reason."""

    frames: dict[str, pl.DataFrame]
    errors: dict[str, str]


def flatten(readings: Iterable[Snapshot]) -> Flattened:
    """Frames of all document tables for the readings, each with the schema of ``warehouse.schema``."""
    chunks: dict[str, list[pl.DataFrame]] = {table.name: [] for table in DOCUMENT_TABLES}
    refused: dict[str, str] = {}
    waiting = iter(readings)
    while chunk := list(islice(waiting, BATCH_SIZE)):
        with _no_collection():
            for name, made in _chunk(chunk, refused):
                chunks[name].append(made)
    return Flattened({table.name: concat_frames(table, chunks.pop(table.name)) for table in DOCUMENT_TABLES}, refused)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Without the collector of cycles: what is read of a document has none, but is walked through again and again.

    Measured on 2,000 documents of 24 KB: 29 % of the time.
    """
    is_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_on:
            gc.enable()


def _chunk(readings: Sequence[Snapshot], refused: dict[str, str]) -> Frames:
    try:
        return _frames(readings, refused)
    except RecursionError:  # a value can be read that is nested too deep to be written: find its document
        if len(readings) == 1:
            refused[readings[0].conversation_id] = "the document is nested too deep"
            return []
        half = len(readings) // 2
        return _chunk(readings[:half], refused) + _chunk(readings[half:], refused)


def _frames(readings: Sequence[Snapshot], refused: dict[str, str]) -> Frames:
    parts: dict[str, list[Columns]] = {table.name: [] for table in DOCUMENT_TABLES}
    read: list[tuple[Snapshot, datetime]] = []
    for begin in range(0, len(readings), DECODE_SIZE):
        _walk(readings[begin : begin + DECODE_SIZE], read, parts, refused)
    own = _derived_columns(read)
    front = own.select("conversation_id", "start_date")
    return [
        (table.name, build_frame(table, parts[table.name], own if table is CONVERSATIONS else front))
        for table in DOCUMENT_TABLES
    ]


def _walk(
    readings: Sequence[Snapshot],
    read: list[tuple[Snapshot, datetime]],
    parts: Mapping[str, list[Columns]],
    refused: dict[str, str],
) -> None:
    """Add columns of a piece to those of the chunk, and its documents to what was ``read``."""
    details, first = [], len(read)
    for reading in readings:
        try:
            detail, at = _detail(reading)
        except UnflattenableError as error:
            refused[reading.conversation_id] = str(error)
        else:
            details.append(detail)
            read.append((reading, at))
    chunk = ParsedBatch(details, first)
    for table, columns in (
        *((maker.table, maker.build(chunk)) for maker in TABLE_BUILDERS),
        *tool_calls.columns(chunk),
    ):
        parts[table.name].append(columns)


def _detail(reading: Snapshot) -> tuple[Any, datetime]:
    detail = read_detail(reading.payload)
    at = started_at(detail)
    if at is None or detail.conversation_id != reading.conversation_id:
        raise UnflattenableError(f"the document is of another conversation: {detail.conversation_id!r:.80}")
    return detail, at


def _derived_columns(read: Sequence[tuple[Snapshot, datetime]]) -> pl.DataFrame:
    """What the landing knows of the documents."""
    columns: Columns = {
        "conversation_id": [reading.conversation_id for reading, _ in read],
        "start_date": [at.date() for _, at in read],
        "start_time_at": [_microseconds(at) for _, at in read],
        "fetched_at": [_microseconds(reading.fetched_at) for reading, _ in read],
        "checked_at": [_microseconds(reading.checked_at) for reading, _ in read],
        "content_sha256": [reading.content_sha256 for reading, _ in read],
        "parser_version": [PARSER_VERSION] * len(read),
        "is_deleted": [reading.deleted_at is not None for reading, _ in read],
        "deleted_at": [reading.deleted_at and _microseconds(reading.deleted_at) for reading, _ in read],
        "deletion_reason": [reading.deletion_reason for reading, _ in read],
        "settle_state": [reading.settle_state for reading, _ in read],
    }
    return build_frame(CONVERSATIONS, [columns])


def _microseconds(at: datetime) -> int:
    """Since the epoch: as a number, polars takes a time five times as fast."""
    return (at - _EPOCH) // _MICROSECOND
