"""Stale conversations become rows of the lake: flattened in groups of days, merged day by day.

Three levels run in parallel. Groups of days are flattened in worker processes, if there are many. Within a group, the
tables of a day are merged in threads. The days of a group follow one another.

``conversations`` is written first for each day: it says where a conversation has rows. ``conversation_checks`` is
written last: from its rows ``refresh_lake.stale_snapshots`` sees what is up to date. So a merge that was interrupted is
found and repeated. A conversation that was fetched again without news changes no other table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date

import polars as pl

from pipelines.transform.flatten import PARSER_VERSION, Snapshot, flatten
from pipelines.transform.merge_large_day import is_large, merge_by_range
from pipelines.transform.settle_state import settle_state
from pipelines.transform.worker_pool import WorkerPool
from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS
from warehouse.schema.operations import DELETIONS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.storage import lake, landing, parquet
from warehouse.storage.home import Home

DELETION_REASONS = {"gone": "deleted", "blanked": "retention", landing.ERASED: "erased"}
"""``deletions.reason`` by the kind of the latest snapshot; conversations with other kinds have no row there."""

DELETION_EVIDENCE = {"gone": "not_found", "blanked": "blanked", landing.ERASED: "erased"}
"""``deletions.evidence`` by the kind of the latest snapshot."""

DOCUMENTS_PER_TASK = 500
"""Documents of several days that are flattened in one task: a call of ``flatten`` costs as much as ten documents."""

PREFETCHED_TASKS = 2
"""Tasks per process that are submitted ahead, so that no process waits while this one is busy with its own task."""

MERGE_THREADS = lake.WRITERS
"""Tables of a day that are merged at once: reading, writing and syncing files release the GIL."""

_CHILD_TABLES = tuple(table for table in DOCUMENT_TABLES if table is not CONVERSATIONS)


@dataclass(frozen=True, slots=True)
class FlattenedDay:
    """A day that was merged; ``errors`` maps the conversation_id of a document that could not be flattened to why."""

    day: date
    n_flattened: int
    errors: dict[str, str]


def map_kind(names: dict[str, str]) -> pl.Expr:
    """The name for the ``kind`` of a snapshot; null for a kind that has none."""
    return pl.col("kind").replace_strict(names, default=None, return_dtype=pl.String)


def reflatten(
    home: Home, stale: pl.DataFrame, reread_days: Sequence[int], worker_pool: WorkerPool
) -> Iterator[FlattenedDay]:
    """Rebuild the rows of stale conversations (rows of ``refresh_lake.stale_snapshots``); yields days as they finish.

    No two tasks have the same day, so no two processes write the same file.
    """
    _remove_from_former_days(home, stale)
    worker_pool.prepare(stale.height)
    pending_tasks: set[Future[list[FlattenedDay]]] = set()
    for days in _group_days(stale):
        # The executor is None until its processes have started: this process works from the first moment on. Later it
        # takes a task whenever the others have enough, and so becomes one more worker instead of waiting.
        executor = worker_pool.executor
        if executor is not None and len(pending_tasks) < PREFETCHED_TASKS * worker_pool.processes:
            pending_tasks.add(executor.submit(reflatten_days, home, days, reread_days))
        else:
            yield from reflatten_days(home, days, reread_days)
        finished_tasks = {task for task in pending_tasks if task.done()}
        pending_tasks -= finished_tasks
        for task in finished_tasks:
            yield from task.result()
    for task in as_completed(pending_tasks):
        yield from task.result()


def reflatten_days(home: Home, days: Sequence[pl.DataFrame], reread_days: Sequence[int]) -> list[FlattenedDay]:
    """Rebuild the rows of stale snapshots, one frame of them per day; nothing else may write these days meanwhile.

    A task of a worker process: a function of a module whose arguments and result can be pickled.
    """
    with ThreadPoolExecutor(MERGE_THREADS) as threads:
        return list(_flatten_and_merge(home, days, reread_days, threads))


def _flatten_and_merge(
    home: Home, days: Sequence[pl.DataFrame], reread_days: Sequence[int], threads: Executor
) -> Iterator[FlattenedDay]:
    large_days = [stale for stale in days if is_large(home, stale)]
    for stale in large_days:
        yield _merge_large_day(home, stale, reread_days)
    days = [stale for stale in days if not any(stale is large_day for large_day in large_days)]
    if not days:
        return
    hashes = dict[str, str]()  # of the documents that were read, by conversation
    result = flatten(_read_snapshots(home, pl.concat(days), hashes))
    # pop, so that a table is not kept twice, as a whole and by day
    rows = {
        table.name: _split_by_day(lake.prepare(home, table, result.frames.pop(table.name)), days)
        for table in DOCUMENT_TABLES
    }
    for number, stale in enumerate(days):
        day, ids = stale["start_date"][0], stale["conversation_id"].to_list()
        conversations = rows[CONVERSATIONS.name][number]
        counts = {
            DELETIONS.name: lake.upsert_partition(home, DELETIONS, day, _deletion_rows(stale), ids),
            CONVERSATIONS.name: lake.upsert_partition(home, CONVERSATIONS, day, conversations, ids, is_prepared=True),
        }
        merges = {
            table.name: threads.submit(
                lake.upsert_partition, home, table, day, rows[table.name][number], ids, is_prepared=True
            )
            for table in _CHILD_TABLES
        }
        # a failure ends the day here, before its conversations count as up to date
        counts |= {name: merge.result() for name, merge in merges.items()}
        checks = _check_rows(stale.join(conversations, "conversation_id", "semi"), hashes, reread_days)
        lake.upsert_partition(home, CONVERSATION_CHECKS, day, checks, ids, counts=counts)
        errors = {conversation_id: error for conversation_id, error in result.errors.items() if conversation_id in ids}
        yield FlattenedDay(day, conversations.height, errors)


def _merge_large_day(home: Home, stale: pl.DataFrame, reread_days: Sequence[int]) -> FlattenedDay:
    """As ``_flatten_and_merge``, range by range."""
    errors, n_flattened = dict[str, str](), 0

    def flatten_range(in_range: pl.DataFrame) -> dict[str, pl.DataFrame]:
        nonlocal n_flattened
        hashes = dict[str, str]()
        result = flatten(_read_snapshots(home, in_range, hashes))
        errors.update(result.errors)
        rows = {table.name: lake.prepare(home, table, result.frames.pop(table.name)) for table in DOCUMENT_TABLES}
        n_flattened += rows[CONVERSATIONS.name].height
        checks = _check_rows(in_range.join(rows[CONVERSATIONS.name], "conversation_id", "semi"), hashes, reread_days)
        rows[CONVERSATION_CHECKS.name] = lake.prepare(home, CONVERSATION_CHECKS, checks)
        rows[DELETIONS.name] = lake.prepare(home, DELETIONS, _deletion_rows(in_range))
        return rows

    merge_by_range(home, stale, flatten_range, (DELETIONS, *DOCUMENT_TABLES), CONVERSATION_CHECKS)
    return FlattenedDay(stale["start_date"][0], n_flattened, errors)


def _group_days(stale: pl.DataFrame) -> Iterator[list[pl.DataFrame]]:
    """The stale snapshots by day; days are grouped up to ``DOCUMENTS_PER_TASK``, and a larger day is on its own."""
    days: list[pl.DataFrame] = []
    for day in stale.partition_by("start_date", maintain_order=True):
        if days and sum(earlier_day.height for earlier_day in days) + day.height > DOCUMENTS_PER_TASK:
            yield days
            days = []
        days.append(day)
    if days:
        yield days


def _read_snapshots(home: Home, stale: pl.DataFrame, hashes: dict[str, str]) -> Iterator[Snapshot]:
    """Snapshots with their payloads, some hundreds in memory at a time; adds the payloads' SHA-256 to ``hashes``."""
    latest = stale.select("conversation_id", "kind", "fetched_at")
    for documents in landing.payloads(home, stale["start_date"].unique(), latest["conversation_id"]):
        # The latest snapshot may be newer than the latest one with content, if it only says ``unchanged`` or ``gone``.
        snapshots = documents.rename({"fetched_at": "content_at"}).join(latest, "conversation_id")
        for row in snapshots.iter_rows(named=True):
            hashes[row["conversation_id"]] = row["content_sha256"]
            yield Snapshot(
                row["conversation_id"],
                row["payload"],
                row["content_at"],
                row["fetched_at"] if row["kind"] == "gone" else None,
                DELETION_REASONS.get(row["kind"]),
            )


def _split_by_day(rows: pl.DataFrame, days: Sequence[pl.DataFrame]) -> list[pl.DataFrame]:
    """For each day, the rows of its conversations in their order; the day is that of the snapshot, the partition."""
    if len(days) == 1:
        return [rows]
    day_of_conversation = pl.concat(days).select("conversation_id", day="start_date")
    by_day = rows.join(day_of_conversation, "conversation_id", maintain_order="left").partition_by(
        "day", as_dict=True, include_key=False
    )
    return [by_day.get((stale["start_date"][0],), rows.clear()) for stale in days]


def _deletion_rows(stale: pl.DataFrame) -> pl.DataFrame:
    """Rows of ``deletions`` for the stale snapshots of a day."""
    return stale.filter(pl.col("kind").is_in(list(DELETION_REASONS))).select(
        "conversation_id",
        "start_date",
        noticed_at="fetched_at",
        evidence=map_kind(DELETION_EVIDENCE),
        reason=map_kind(DELETION_REASONS),
    )


def _check_rows(stale: pl.DataFrame, hashes: dict[str, str], reread_days: Sequence[int]) -> pl.DataFrame:
    """Rows of ``conversation_checks`` for the stale snapshots of a day that were flattened."""
    return stale.select(
        "conversation_id",
        "start_date",
        checked_at="fetched_at",
        content_sha256=pl.col("conversation_id").replace_strict(hashes, return_dtype=pl.String),
        parser_version=pl.lit(PARSER_VERSION, pl.Int64),
        settle_state=settle_state(pl.col("fetched_at"), reread_days),
    )


def _remove_from_former_days(home: Home, stale: pl.DataFrame) -> None:
    """Remove conversations from days other than theirs: the API corrected their start, or the list said another.

    This comes before the new rows are written: an interruption then leaves a conversation on no day, which the next run
    repairs, and never on two. The tables follow in the reverse order, so ``conversations`` shows the day until the end.
    """
    of_deletions = stale.select("conversation_id", "start_date", lake_date="deletion_dates").explode("lake_date")
    rows = pl.concat([stale.select(of_deletions.columns), of_deletions])
    moved_rows = rows.filter(pl.col("lake_date") != pl.col("start_date"))
    former_days: list[date] = moved_rows["lake_date"].unique().to_list()
    for former_day in former_days:
        ids, counts = moved_rows.filter(lake_date=former_day)["conversation_id"].to_list(), dict[str, int]()
        for table in (CONVERSATION_CHECKS, *reversed(DOCUMENT_TABLES), DELETIONS):
            no_rows = pl.DataFrame(schema=parquet.polars_schema(table))
            counts[table.name] = lake.upsert_partition(home, table, former_day, no_rows, ids)
        no_rows = pl.DataFrame(schema=parquet.polars_schema(CONVERSATION_CHECKS))
        del counts[CONVERSATION_CHECKS.name]
        lake.upsert_partition(home, CONVERSATION_CHECKS, former_day, no_rows, ids, counts=counts)
