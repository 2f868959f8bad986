"""The use case of erasing: conversations leave the API (where asked), the landing, the lake and the warehouse for good.

The order makes it safe to be cut short: the API first, then a tombstone for each, then everything else, which the next
run of any kind goes on with. Repeated, it ends in the same state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from pipelines.api.endpoints import delete_conversation
from pipelines.api.tasks import run_concurrently
from pipelines.errors import ApiError
from pipelines.transform.refresh_lake import refresh_lake
from pipelines.usecases.context import Context, Progress, no_progress
from pipelines.usecases.run_session import describe_failed_check
from pipelines.usecases.sync_steps import build_models
from warehouse.schema.registry import TABLES
from warehouse.storage import erasure, lake
from warehouse.storage.home import Home


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was removed of one conversation, and where.

    ``upstream`` is deleted, not_found or null where the API was not asked; ``landing`` counts rows and the files that
    held them; ``lake`` rows by table.
    """

    conversation_id: str
    upstream: str | None
    landing: dict[str, int]
    lake: dict[str, int]


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure did.

    ``unknown`` was never landed here; ``failed`` could not be deleted at the API, with why, and is untouched;
    ``problems`` say why ``warehouse.duckdb`` could not be built anew and so may still hold what was erased.
    """

    receipts: tuple[Receipt, ...]
    unknown: tuple[str, ...]
    failed: dict[str, str]
    problems: tuple[str, ...]


def erase(
    context: Context, ids: Sequence[str], *, is_upstream: bool = False, progress: Progress = no_progress
) -> Erased:
    """Erase conversations; of each only its id, its day and the time of the erasure are kept.

    Args:
        context: Where and with what.
        ids: Conversations.
        is_upstream: Delete them at the API first; what fails there is not erased here.
        progress: Told how far it is.

    Raises:
        CredentialsError: no key is set, and the API was to be asked.
        HomeError: see ``Context.write_lock``.
        LockedError: see ``Context.write_lock``.
    """
    told: dict[str, str] = {}
    failed: dict[str, str] = {}
    doomed: list[str] = []
    everywhere = context.home.all_workspaces
    with context.write_lock("erase"):
        landed = set(erasure.find_start_dates(everywhere, ids)["conversation_id"])
        wanted = [each for each in dict.fromkeys(ids) if each in landed]
        for each in context.workspaces_with_data():
            known = erasure.find_start_dates(each.home, wanted)
            if is_upstream and not known.is_empty():
                answers = asyncio.run(delete_upstream(each, known["conversation_id"].to_list()))
                told, failed = told | answers[0], failed | answers[1]
            known = known.filter(~pl.col("conversation_id").is_in(list(failed)))
            erasure.write_tombstones(each.home, known, each.clock())
            doomed += known["conversation_id"].to_list()
        doomed.sort(key=wanted.index)
        counts = _rows_in_lake(everywhere, doomed)
        removed = erasure.purge(everywhere)
        problems = _rebuild(context, progress) if doomed else ()
    return Erased(
        receipts=tuple(Receipt(each, told.get(each), asdict(removed[each]), counts[each]) for each in doomed),
        unknown=tuple(each for each in dict.fromkeys(ids) if each not in wanted),
        failed=failed,
        problems=problems,
    )


async def delete_upstream(context: Context, ids: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Delete at the API: what it said of each, and why it did not."""
    told: dict[str, str] = {}
    failed: dict[str, str] = {}
    client = context.connect(context.settings)

    async def delete(conversation_id: str) -> None:
        try:
            was_there = await delete_conversation(client, conversation_id)
        except ApiError as error:
            failed[conversation_id] = str(error)
        else:
            told[conversation_id] = "deleted" if was_there else "not_found"

    async with client:
        await run_concurrently(map(delete, ids))
    return told, failed


def _rows_in_lake(home: Home, ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Rows of each conversation in each table of the lake that has any."""
    counts: dict[str, dict[str, Any]] = {conversation_id: {} for conversation_id in ids}
    for table in TABLES:
        if "conversation_id" in table.column_names:
            rows = lake.read(home, table, ["conversation_id"]).filter(pl.col("conversation_id").is_in(list(ids)))
            for conversation_id, n_rows in rows.group_by("conversation_id").len().rows():
                counts[conversation_id][table.name] = n_rows
    return counts


def _rebuild(context: Context, progress: Progress) -> tuple[str, ...]:
    """Make lake and warehouse without what was erased, and leave nothing beside them that could hold it."""
    for leftover in (*context.home.temporary.iterdir(), *context.home.root.glob(f"{context.home.warehouse.name}.*")):
        if leftover.is_file():
            leftover.unlink()
    for each in context.workspaces_with_data():
        refresh_lake(each.home, reread_days=each.settings.reread_days)
    return tuple(describe_failed_check(result) for result in build_models(context, progress, anew=True).failed)
