"""The steps of a sync, as plain functions over one workspace, with everything they need passed in.

Each is a function of its own, so that a Dagster asset can be a step; ``pipelines.usecases.sync`` has all of them in
order. Whoever calls a step of a run does so inside ``working``, which holds the home folder and keeps the run's
account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from pipelines.api.client import Stats
from pipelines.extract import run_log
from pipelines.extract.completed_days import CompletedDays
from pipelines.extract.deletion_policy import apply_policy, landable
from pipelines.extract.fetch_conversations import fetch
from pipelines.extract.fetch_plan import FetchPlan, plan_fetches
from pipelines.extract.fetch_policy import REASONS
from pipelines.extract.landing_pipeline import FetchStats, LandingPipeline
from pipelines.extract.list_conversations import list_rows
from pipelines.extract.time_window import Window, next_window
from pipelines.transform.refresh_lake import RefreshResult, refresh_lake
from pipelines.transform.worker_pool import WorkerPool
from pipelines.usecases.context import Context, Progress, no_progress
from warehouse.build.runner import BuildResult, build
from warehouse.storage import lake, landing


def describe_missing(conversation_id: str, why: str) -> str:
    """Why a conversation could not be read or flattened, for people; it names the conversation."""
    return why if conversation_id in why else f"{conversation_id}: {why}"


@dataclass(frozen=True, slots=True)
class ListedWindow:
    """What a listing showed."""

    window: Window
    n_listed: int


def window_of(
    context: Context, since: datetime | None = None, until: datetime | None = None, agent_id: str | None = None
) -> tuple[Window, bool]:
    """The window of a run, and whether it was asked for (then only its calls are read)."""
    now = context.clock()
    if since is None and until is None and agent_id is None:
        return next_window(landing.listings(context.home), now=now, lookback_days=context.settings.lookback_days), False
    return Window(since, until or now, agent_id), True


def list_calls(context: Context, window: Window, run_id: str, progress: Progress = no_progress) -> ListedWindow:
    """Begin the run's account, list the window and land the listing, once it is complete."""
    listed_at = context.clock()
    run_log.start_run(context.home, run_id, at=listed_at, window=window)
    client = context.connect(context.settings)
    try:
        shown = asyncio.run(
            list_rows(client, window, listed_at, lambda n: progress("list", n, None), context.pseudonyms)
        )
    finally:
        run_log.add_counts(context.home, run_id, at=context.clock(), **_traffic(client.stats))
    rows = landable(context.home, shown)
    landing.land_listing(context.home, window.listing(listed_at), rows)
    progress("list", rows.height, rows.height)
    run_log.add_counts(context.home, run_id, at=context.clock(), n_listed=rows.height)
    return ListedWindow(window, rows.height)


def plan(
    context: Context,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    agent_id: str | None = None,
    progress: Progress = no_progress,
) -> FetchPlan:
    """List as ``sync`` would, and say what it would read; the home folder is neither touched nor made.

    Raises:
        HomeError: the folder holds something else.
        ApiError: the list could not be had.
    """
    context.home.check()
    window, is_asked = window_of(context, since, until, agent_id)
    client, now = context.connect(context.settings), context.clock()
    shown = asyncio.run(list_rows(client, window, now, lambda n: progress("list", n, None), context.pseudonyms))
    rows = landable(context.home, shown)
    progress("list", rows.height, rows.height)
    would_read = plan_fetches(
        context.home,
        window if is_asked else None,
        now=now,
        reread_days=context.settings.reread_days,
        listing=window.listing(now),
        listed=rows,
    )
    return FetchPlan(window, rows.height, would_read)


def fetch_calls(
    context: Context,
    run_id: str,
    window: Window | None = None,
    progress: Progress = no_progress,
    *,
    crew: WorkerPool,
    only: Collection[str] | None = None,
    is_ahead: bool = False,
) -> FetchStats:
    """Read and land what is new, open, changed, due or asked for, in a window or everywhere.

    Args:
        context: The workspace.
        run_id: The run.
        window: Only its calls.
        progress: Told of each conversation read.
        crew: Processes that help where there is much to do.
        only: Conversations to read whether or not anything else makes them due, and no others.
        is_ahead: Flatten whole days of new calls while others are still being read; ``flatten_calls`` does the rest.
    """
    rows = plan_fetches(context.home, window, now=context.clock(), reread_days=context.settings.reread_days, only=only)
    progress("fetch", 0, rows.height)
    if rows.is_empty():
        return FetchStats()  # no client: it costs a tenth of a second, and a key that nobody needs
    crew.prepare(rows.height)
    client, done = context.connect(context.settings), FetchStats()
    ahead = CompletedDays(rows, context.settings.reread_days) if is_ahead else None
    if ahead:
        lake.ensure_schema_files(context.home)

    async def reading() -> None:
        line = LandingPipeline(
            context.home, done, crew=crew, monotonic=context.monotonic, pseudonyms=context.pseudonyms, ahead=ahead
        )
        async with client:
            await fetch(
                client,
                rows,
                line,
                readers=context.settings.concurrency,
                clock=context.clock,
                on_read=lambda done: progress("fetch", done.n_fetched, rows.height),
            )

    counts = {f"n_{reason}": rows.filter(reason=reason).height for reason in REASONS}
    try:
        asyncio.run(reading())
        counts |= {name: getattr(done, name) for name in ("n_fetched", "n_landed", "n_unchanged", "n_gone")}
        counts["n_flattened"] = done.n_flattened
    finally:
        run_log.add_counts(context.home, run_id, at=context.clock(), **counts, **_traffic(client.stats))
    return done


def flatten_calls(
    context: Context,
    run_id: str,
    days: Collection[date] | None = None,
    progress: Progress = no_progress,
    *,
    crew: WorkerPool,
    anew: bool = False,
) -> RefreshResult:
    """Bring the lake up to the landing, on some days or all; ``anew`` makes rows again that are up to date.

    A ``crew`` helps where there is much to do. Before that, what the API deleted or blanked is redacted, erased or kept
    in the landing, as the settings say.
    """
    apply_policy(context.home, context.settings.on_upstream_delete, context.clock())
    done = refresh_lake(
        context.home,
        reread_days=context.settings.reread_days,
        days=days,
        anew=anew,
        crew=crew,
        on_day=lambda n, total: progress("flatten", n, total),
    )
    progress("flatten", done.n_flattened, done.n_flattened)
    run_log.add_counts(
        context.home, run_id, at=context.clock(), n_flattened=done.n_flattened, n_quarantined=len(done.refused)
    )
    return done


def build_models(context: Context, progress: Progress = no_progress, *, anew: bool = False) -> BuildResult:
    """Build the warehouse from the lake, check it, and swap it in when every check passed.

    What did not change since the last build is kept, unless it is to be made ``anew``.
    """

    def report(_model: str, number: int, total: int) -> None:
        progress("build", number, total)
        if number == total:
            progress("check", 0, None)

    result = build(context.home, anew=anew, zones=context.zones, progress=report)
    progress("check", len(result.checks), len(result.checks))
    return result


def _traffic(stats: Stats) -> dict[str, int]:
    return {"n_requests": stats.requests, "n_retries": stats.retries, "received_bytes": stats.bytes_received}
