"""Stale conversations become rows of the lake: flattened some days together, merged day by day, tables side by side.

Where there are many, groups of days are flattened side by side as well, in the processes of a crew.

The rows of ``conversations`` are written last for each day: they carry ``checked_at`` and ``parser_version``, and so a
merge that was cut short is found and made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.transform.flatten import Snapshot, flatten
from pipelines.transform.settle_state import settle_state
from pipelines.transform.worker_pool import WorkerPool
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import DELETIONS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.storage import lake, landing, parquet
from warehouse.storage.home import Home

DELETION_REASONS = {"gone": "deleted", "blanked": "retention", landing.ERASED: "erased"}
"""Why a conversation stands in ``deletions``, by the kind of its latest reading."""

DELETION_EVIDENCE = {"gone": "not_found", "blanked": "blanked", landing.ERASED: "erased"}

DOCUMENTS_PER_TASK = 500
"""Documents of several days that are flattened together: a call of ``flatten`` costs as much as ten of them."""

PREFETCHED_TASKS = 2
"""Groups of days that are given to a process before it has done the last: so it never waits."""

MERGE_THREADS = 4
"""Tables of a day that are merged at once: reading, writing and syncing a file leave Python free."""

_PARTS = tuple(table for table in DOCUMENT_TABLES if table is not CONVERSATIONS)


@dataclass(frozen=True, slots=True)
class FlattenedDay:
    """A day whose stale conversations have their rows; ``refused`` names those that could not be flattened and why."""

    day: date
    n_flattened: int
    errors: dict[str, str]


def map_kind(words: dict[str, str]) -> pl.Expr:
    """The word for the kind of the latest reading."""
    return pl.col("kind").replace_strict(words, default=None, return_dtype=pl.String)


def reflatten(home: Home, stale: pl.DataFrame, reread_days: Sequence[int], crew: WorkerPool) -> Iterator[FlattenedDay]:
    """Make the rows of ``stale`` readings anew (rows of ``refresh.stale_snapshots``), days side by side.

    While the processes of the crew have enough to do, this one does its share.
    """
    _leave_old_days(home, stale)
    crew.prepare(stale.height)
    handed: set[Future[list[FlattenedDay]]] = set()
    for days in _together(stale):
        if crew.executor is not None and len(handed) < PREFETCHED_TASKS * crew.processes:
            handed.add(crew.executor.submit(reflatten_days, home, days, reread_days))
        else:
            yield from reflatten_days(home, days, reread_days)
        ended = {each for each in handed if each.done()}
        handed -= ended
        for made in ended:
            yield from made.result()
    for made in as_completed(handed):
        yield from made.result()


def reflatten_days(home: Home, days: Sequence[pl.DataFrame], reread_days: Sequence[int]) -> list[FlattenedDay]:
    """Make the rows of stale readings anew, a frame of them a day; nobody else may write to these days meanwhile."""
    with ThreadPoolExecutor(MERGE_THREADS) as pool:
        return list(_remake(home, days, reread_days, pool))


def _remake(
    home: Home, days: Sequence[pl.DataFrame], reread_days: Sequence[int], pool: Executor
) -> Iterator[FlattenedDay]:
    made = flatten(_readings(home, pl.concat(days), reread_days))
    rows = {table.name: _by_day(made.frames.pop(table.name), days) for table in DOCUMENT_TABLES}
    for number, readings in enumerate(days):
        day, ids = readings["start_date"][0], readings["conversation_id"].to_list()
        lake.upsert_partition(home, DELETIONS, day, _lost(readings), ids)
        merged = [
            pool.submit(lake.upsert_partition, home, table, day, rows[table.name][number], ids) for table in _PARTS
        ]
        for each in merged:
            each.result()
        calls = rows[CONVERSATIONS.name][number]
        lake.upsert_partition(home, CONVERSATIONS, day, calls, ids)
        refused = {name: why for name, why in made.errors.items() if name in ids}
        yield FlattenedDay(day, calls.height, refused)


def _together(stale: pl.DataFrame) -> Iterator[list[pl.DataFrame]]:
    """The stale readings by day, several days with few of them at once."""
    days: list[pl.DataFrame] = []
    for readings in stale.partition_by("start_date", maintain_order=True):
        if days and sum(day.height for day in days) + readings.height > DOCUMENTS_PER_TASK:
            yield days
            days = []
        days.append(readings)
    if days:
        yield days


def _readings(home: Home, stale: pl.DataFrame, reread_days: Sequence[int]) -> Iterator[Snapshot]:
    state = settle_state(pl.col("fetched_at"), reread_days).alias("settle_state")
    states = stale.select("conversation_id", "kind", "fetched_at", state)
    for documents in landing.payloads(home, stale["start_date"].unique(), states["conversation_id"]):
        both = documents.rename({"fetched_at": "content_at"}).join(states, "conversation_id")
        for row in both.iter_rows(named=True):
            yield Snapshot(
                row["conversation_id"],
                row["payload"],
                row["content_sha256"],
                row["content_at"],
                row["fetched_at"],
                row["settle_state"],
                row["fetched_at"] if row["kind"] == "gone" else None,
                DELETION_REASONS.get(row["kind"]),
            )


def _by_day(rows: pl.DataFrame, days: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """For each day, the rows of its conversations."""
    if len(days) == 1:
        return [rows]
    day_of = pl.concat(days).select("conversation_id", day="start_date")
    by_day = rows.join(day_of, "conversation_id").partition_by("day", as_dict=True, include_key=False)
    return [by_day.get((readings["start_date"][0],), rows.clear()) for readings in days]


def _lost(stale: pl.DataFrame) -> pl.DataFrame:
    """Rows of ``deletions``."""
    return stale.filter(pl.col("kind").is_in(list(DELETION_REASONS))).select(
        "conversation_id",
        "start_date",
        noticed_at="fetched_at",
        evidence=map_kind(DELETION_EVIDENCE),
        reason=map_kind(DELETION_REASONS),
    )


def _leave_old_days(home: Home, stale: pl.DataFrame) -> None:
    """Take conversations out of the days that they had before their start was corrected."""
    moved = stale.filter(pl.col("lake_date") != pl.col("start_date"))
    for (old,), rows in moved.group_by("lake_date"):
        for table in reversed(DOCUMENT_TABLES):  # conversations, the first, last
            empty = pl.DataFrame(schema=parquet.polars_schema(table))
            if isinstance(old, date):
                lake.upsert_partition(home, table, old, empty, rows["conversation_id"].to_list())
