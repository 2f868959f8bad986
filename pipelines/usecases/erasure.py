"""Erase conversations for good: upstream if requested, in landing, lake and warehouse, then where they are published.

The order makes an interruption safe: first the deletion at the API, then a tombstone per conversation, then everything
else, which any later run completes. Repeating an erasure ends in the same state.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import polars as pl

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import delete_conversation
from pipelines.api.tasks import run_concurrently
from pipelines.errors import ApiError
from pipelines.transform.refresh_lake import refresh_lake
from pipelines.usecases.context import Context, Progress, no_progress, run_with_client
from pipelines.usecases.published_removals import publish_removals
from pipelines.usecases.run_session import describe_failed_check, repair
from pipelines.usecases.sync_steps import build_models
from warehouse.build.state import includes_removals
from warehouse.publish import record
from warehouse.schema.registry import TABLES
from warehouse.storage import erasure, lake
from warehouse.storage.home import Home


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was removed of one conversation.

    ``upstream`` is "deleted", "not_found", or None if the API was not asked. ``landing`` counts rows and the files that
    held them; ``lake`` counts rows by table.
    """

    conversation_id: str
    upstream: str | None
    landing: dict[str, int]
    lake: dict[str, int]


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """The outcome of an erasure.

    ``unknown`` ids were never landed here. ``failed`` says why the API did not delete an id, which is then not erased
    here either. ``problems`` say why the warehouse could not be rebuilt: the old ``warehouse.duckdb`` may still hold
    what was erased. ``targets`` are those that were published to: None if the erasure reached it, else why not.
    """

    receipts: tuple[Receipt, ...]
    unknown: tuple[str, ...]
    failed: dict[str, str]
    problems: tuple[str, ...]
    targets: dict[str, str | None]


def erase(
    context: Context, ids: Sequence[str], *, is_upstream: bool = False, progress: Progress = no_progress
) -> ErasureResult:
    """Erase conversations; only their ids, their start dates and the time of the erasure are kept.

    What an earlier erasure has left undone, because it was stopped or a target not reached, is done as well.

    Args:
        context: The home folder; each conversation is looked up in all its workspaces.
        ids: Conversations.
        is_upstream: Delete them at the API first; an id that fails there is not erased here.
        progress: Called while the warehouse is rebuilt.

    Raises:
        CredentialsError: ``is_upstream``, and a workspace with one of them has no key; nothing was deleted.
        HomeError: see ``Context.write_lock``.
        LockedError: see ``Context.write_lock``.
    """
    upstream: dict[str, str] = {}
    failed: dict[str, str] = {}
    ids_to_erase: list[str] = []
    home = context.home.all_workspaces
    with context.write_lock("erase"):
        for workspace in context.workspaces_with_data():
            repair(workspace)  # before the landing is purged, which empties what is set aside
        landed_ids = set(erasure.find_start_dates(home, ids)["conversation_id"])
        known_ids = [conversation_id for conversation_id in dict.fromkeys(ids) if conversation_id in landed_ids]
        start_dates_by_workspace = [
            (workspace, start_dates)
            for workspace in context.workspaces_with_data()
            if not (start_dates := erasure.find_start_dates(workspace.home, known_ids)).is_empty()
        ]
        if is_upstream:
            require_keys(workspace for workspace, _ in start_dates_by_workspace)
        for workspace, start_dates in start_dates_by_workspace:
            if is_upstream:
                deletions, errors = delete_upstream(workspace, start_dates["conversation_id"].to_list())
                upstream, failed = upstream | deletions, failed | errors
            remaining_dates = start_dates.filter(~pl.col("conversation_id").is_in(list(failed)))
            # from here on the erasure cannot be lost: every later run purges what has a tombstone
            erasure.write_tombstones(workspace.home, remaining_dates, workspace.clock())
            ids_to_erase += remaining_dates["conversation_id"].to_list()
        ids_to_erase.sort(key={conversation_id: place for place, conversation_id in enumerate(known_ids)}.__getitem__)
        lake_counts = _count_lake_rows(home, ids_to_erase)
        landing_counts = erasure.purge(home)
        # also without ids: the targets must not get the tables of a warehouse that still has what was erased before
        problems = _rebuild(context, progress) if ids_to_erase or not includes_removals(context.home) else ()
        targets = _reach_targets(context, progress, problems)
    return ErasureResult(
        receipts=tuple(
            Receipt(
                conversation_id,
                upstream.get(conversation_id),
                asdict(landing_counts[conversation_id]),
                lake_counts[conversation_id],
            )
            for conversation_id in ids_to_erase
        ),
        unknown=tuple(conversation_id for conversation_id in dict.fromkeys(ids) if conversation_id not in landed_ids),
        failed=failed,
        problems=problems,
        targets=targets,
    )


def is_unfinished(context: Context) -> bool:
    """Whether the warehouse or a target may still have what was erased or redacted; the landing and the lake too."""
    return not includes_removals(context.home) or bool(record.pending_targets(context.home))


def _reach_targets(context: Context, progress: Progress, problems: Sequence[str]) -> dict[str, str | None]:
    """Bring the erasure to every target that was published to; the problem by target, None if there is none."""
    if problems:
        reason = "The warehouse was not rebuilt."
        pending_targets = (*record.pending_targets(context.home), *record.pending_lost_targets(context.home))
        return {target.url: reason for target in pending_targets}
    problem_by_target: dict[str, str | None] = {}
    for result in publish_removals(context, progress):  # a folder can have tables in several formats
        problem = result.problem
        if problem and not result.is_lost:
            problem = f"{problem} The next `convohouse publish` or sync tries again."
        problem_by_target[result.target] = problem_by_target.get(result.target) or problem
    return problem_by_target


def require_keys(workspaces: Iterable[Context]) -> None:
    """Check that each workspace has a key, before the first conversation of any is deleted at the API.

    Raises:
        CredentialsError: one has none.
    """
    for workspace in workspaces:
        workspace.settings.key()


def delete_upstream(context: Context, ids: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Delete conversations at the API.

    Returns:
        "deleted" or "not_found" by id, and the error by id for those that could not be deleted.
    """
    outcomes: dict[str, str] = {}
    failed: dict[str, str] = {}

    async def delete(client: ApiClient, conversation_id: str) -> None:
        try:
            is_deleted = await delete_conversation(client, conversation_id)
        except ApiError as error:
            failed[conversation_id] = str(error)
        else:
            outcomes[conversation_id] = "deleted" if is_deleted else "not_found"

    run_with_client(context, lambda client: run_concurrently(map(partial(delete, client), ids)))
    return outcomes, failed


def _count_lake_rows(home: Home, ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Rows by conversation and lake table, without tables that have none."""
    counts: dict[str, dict[str, Any]] = {conversation_id: {} for conversation_id in ids}
    for table in TABLES:
        if "conversation_id" in table.column_names:
            rows = lake.read(home, table, ["conversation_id"]).filter(pl.col("conversation_id").is_in(list(ids)))
            for conversation_id, n_rows in rows.group_by("conversation_id").len().rows():
                counts[conversation_id][table.name] = n_rows
    return counts


def _rebuild(context: Context, progress: Progress) -> tuple[str, ...]:
    """Rebuild lake and warehouse without the erased conversations; returns the failed checks."""
    # temporary files and copies beside the warehouse, such as a rejected build, may hold erased content as well
    for leftover in (*context.home.temporary.rglob("*"), *context.home.root.glob(f"{context.home.warehouse.name}.*")):
        if leftover.is_file():
            leftover.unlink()
    for workspace in context.workspaces_with_data():
        refresh_lake(workspace.home, reread_days=workspace.settings.reread_days)
    # a full refresh, because a reused DuckDB file keeps deleted rows in its free blocks
    result = build_models(context, progress, full_refresh=True)
    return tuple(map(describe_failed_check, result.failed))
