"""Landed documents become frames of the lake: a pure function of the readings, a chunk of documents at a time.

Python fills one list of rows a table, the lists are turned into columns, and polars checks each column against the
schema. A document that cannot be read costs itself alone and comes back by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

import polars as pl

from pipelines.flatten import tools
from pipelines.flatten.decode import UnflattenableError, read_detail, started
from pipelines.flatten.lenient import text_of
from pipelines.flatten.rows import MAKERS
from pipelines.flatten.walk import Keys, projection
from warehouse import lake
from warehouse.columns import Column, Table, Type
from warehouse.tables import CONVERSATIONS, DOCUMENT_TABLES

PARSER_VERSION = 1
"""Raised whenever the flattening gives other rows for the same document: the next run then flattens all again."""

CHUNK = 2_000
"""Documents a chunk: bounds memory, and is enough for polars to be fast."""


@dataclass(frozen=True, slots=True)
class Reading:
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
    refused: dict[str, str]


_conversation_values = projection(CONVERSATIONS)
_OWN = (
    "start_time_at",
    "fetched_at",
    "checked_at",
    "content_sha256",
    "parser_version",
    "is_deleted",
    "deleted_at",
    "deletion_reason",
    "settle_state",
)
_FRONT = ("conversation_id", "start_date")

NAMES: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (CONVERSATIONS, (*_FRONT, *_OWN, *_conversation_values.names)),
    *((maker.table, (*_FRONT, *maker.names)) for maker in MAKERS),
    *((table, (*_FRONT, *names)) for table, names in tools.COLUMNS),
)
"""Tables in the order in which ``_rows`` makes them, with the order of their values."""


def flatten(readings: Iterable[Reading]) -> Flattened:
    """Frames of all document tables for the readings, each with the schema of ``warehouse.tables``."""
    chunks: dict[str, list[pl.DataFrame]] = {table.name: [] for table in DOCUMENT_TABLES}
    refused: dict[str, str] = {}
    waiting = iter(readings)
    while chunk := list(islice(waiting, CHUNK)):
        for table, made in _chunk(chunk, refused):
            chunks[table.name].append(made)
    empty = {table.name: pl.DataFrame(schema=lake.polars_schema(table)) for table in DOCUMENT_TABLES}
    return Flattened({name: pl.concat([empty[name], *made]) for name, made in chunks.items()}, refused)


def _chunk(readings: Sequence[Reading], refused: dict[str, str]) -> list[tuple[Table, pl.DataFrame]]:
    rows: list[list[Keys]] = [[] for _ in NAMES]
    for reading in readings:
        try:
            made = _rows(reading)
        except UnflattenableError as error:
            refused[reading.conversation_id] = str(error)
            continue
        for kept, more in zip(rows, made, strict=True):
            kept.extend(more)
    try:
        return [(table, _frame(table, names, made)) for (table, names), made in zip(NAMES, rows, strict=True)]
    except RecursionError:  # a value can be read that is nested too deep to be written: find its document
        if len(readings) == 1:
            refused[readings[0].conversation_id] = "the document is nested too deep"
            return []
        half = len(readings) // 2
        return _chunk(readings[:half], refused) + _chunk(readings[half:], refused)


def _rows(reading: Reading) -> list[list[Keys]]:
    detail = read_detail(reading.payload)
    at = started(detail)
    if at is None or detail.conversation_id != reading.conversation_id:
        raise UnflattenableError(f"the document is of another conversation: {detail.conversation_id!r:.80}")
    front = (detail.conversation_id, at.date())
    own = (
        at,
        reading.fetched_at,
        reading.checked_at,
        reading.content_sha256,
        PARSER_VERSION,
        reading.deleted_at is not None,
        reading.deleted_at,
        reading.deletion_reason,
        reading.settle_state,
    )
    made: list[list[Keys]] = [[(*front, *own, *_conversation_values(detail))]]
    made.extend([(*front, *row) for row in maker.make(detail)] for maker in MAKERS)
    made.extend([(*front, *row) for row in some] for some in tools.rows(detail))
    return made


def _frame(table: Table, names: Sequence[str], rows: list[Keys]) -> pl.DataFrame:
    values = zip(*rows, strict=True) if rows else ((),) * len(names)
    series = {name: _series(table.column(name), list(column)) for name, column in zip(names, values, strict=True)}
    missing = [column for column in table.columns if column.name not in series]
    series |= {column.name: pl.Series(column.name, [None] * len(rows), lake.POLARS[column.type]) for column in missing}
    return pl.DataFrame([series[name] for name in table.names])


def _series(column: Column, values: list[Any]) -> pl.Series:
    if column.type is Type.JSON and column.source is not None:
        values = [None if value is None else text_of(value) for value in values]
    elif column.type is Type.BAG:
        values = [value if value is None or isinstance(value, str) else text_of(value) for value in values]
    elif column.type in {Type.TIME, Type.TIME_MS} and column.source is not None:
        scale = 1_000_000 if column.type is Type.TIME else 1_000
        moments = pl.Series(column.name, values, pl.Float64, strict=True) * scale
        return moments.round().cast(pl.Int64).cast(lake.POLARS[column.type])
    return pl.Series(column.name, values, lake.POLARS[column.type], strict=True)
