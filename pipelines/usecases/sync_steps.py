"""The steps of a sync, each a plain function over one workspace.

They are separate functions so that a Dagster asset can be one step; ``pipelines.usecases.sync`` runs all of them in
order. Call them inside ``run_session``, which holds the lock of the home folder and keeps the run record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime
from threading import Thread
from typing import Any

from pipelines.api.client import ApiClient
from pipelines.api.tasks import run_beside
from pipelines.extract import run_log
from pipelines.extract.completed_days import CompletedDays
from pipelines.extract.deletion_policy import apply_policy, landable
from pipelines.extract.fetch_conversations import fetch_conversations
from pipelines.extract.fetch_plan import FetchPlan, plan_fetches
from pipelines.extract.fetch_policy import REASONS
from pipelines.extract.landing_pipeline import FetchStats, LandingPipeline
from pipelines.extract.list_conversations import list_rows
from pipelines.extract.time_window import Window, next_window
from pipelines.transform.flatten import PARSER_VERSION
from pipelines.transform.refresh_lake import RefreshResult, refresh_lake
from pipelines.transform.worker_pool import WorkerPool
from pipelines.usecases.context import Context, Progress, no_progress
from pipelines.usecases.list_window import list_window, request_counts
from warehouse.build.runner import BuildResult, build
from warehouse.errors import ConvohouseError, ModelError
from warehouse.models.project import read_project
from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS
from warehouse.serve.value_format import plural
from warehouse.storage import damage, lake, landing

MAX_NAMES = 5
"""Ids that a warning names."""
REBUILD_HINT = "Run `convohouse reprocess`, which rebuilds them from the landing."


@dataclass(frozen=True, slots=True)
class ListedWindow:
    """A window whose listing is landed; ``n_listed`` counts its conversations.

    ``skipped_ids`` are those that an earlier request for their time had skipped, see ``sync_runs.n_skipped``.
    """

    window: Window
    n_listed: int
    skipped_ids: frozenset[str]

    def warnings(self) -> tuple[str, ...]:
        """One line if conversations had been skipped; they are copied now."""
        if not self.skipped_ids:
            return ()
        names = ", ".join(sorted(self.skipped_ids)[:MAX_NAMES]) + (", …" if len(self.skipped_ids) > MAX_NAMES else "")
        skipped = plural(len(self.skipped_ids), "conversation")
        return (f"The API's list had skipped {skipped}, which this run copies: {names}",)


def window_of(
    context: Context, since: datetime | None = None, until: datetime | None = None, agent_id: str | None = None
) -> tuple[Window, bool]:
    """The window of a run, and whether the user requested it: then only its conversations are fetched."""
    now = context.clock()
    if since is None and until is None and agent_id is None:
        listings = landing.listings(context.home)
        in_full = [listing.listed_at for listing in listings if listing.since is None and listing.agent_id is None]
        if damage.has_lost_listings(context.home, max(in_full, default=None)):
            return Window(None, now, is_open=True), False
        return next_window(listings, now=now, lookback_days=context.settings.lookback_days), False
    return Window(since, until or now, agent_id), True


def list_conversations(
    context: Context,
    window: Window,
    run_id: str,
    progress: Progress = no_progress,
    *,
    allow_removals: bool = False,
) -> ListedWindow:
    """Start the run record, list the window, and land the listing once it is complete.

    If an open window shows conversations that earlier listings had to show and did not, the time before it is listed as
    well, and again, until that shows nothing of the kind: the gap may have begun before the window.

    Raises:
        ApiError: a page of the list could not be fetched; nothing is landed.
        ForeignWorkspaceError: nothing known was found, and not ``allow_removals``; nothing is landed.
    """
    run_log.start_run(context.home, run_id, at=context.clock(), window=window)
    days_before = 1 if window.is_open else 0
    n_listed, skipped_ids = list_window(
        context, window, run_id, progress, allow_removals=allow_removals, days_before=days_before
    )
    progress("list", n_listed, n_listed)
    return ListedWindow(window, n_listed, skipped_ids)


def plan(
    context: Context,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    agent_id: str | None = None,
    progress: Progress = no_progress,
) -> FetchPlan:
    """List as ``sync`` does and return what it would fetch; the home folder is neither changed nor created.

    Raises:
        ApiError: a page of the list could not be fetched.
    """
    window, is_requested = window_of(context, since, until, agent_id)
    client, now = context.client(), context.clock()
    listed_rows = asyncio.run(list_rows(client, window, now, lambda n: progress("list", n, None), context.pseudonyms))
    rows = landable(context.home, listed_rows.rows)
    progress("list", rows.height, rows.height)
    to_fetch = plan_fetches(
        context.home,
        window if is_requested else None,
        now=now,
        reread_days=context.settings.reread_days,
        confirm_after=context.settings.confirm_after,
        listing=window.as_listing(now),
        list_rows=rows,
    )
    return FetchPlan(window, rows.height, to_fetch)


def fetch_documents(
    context: Context,
    run_id: str,
    window: Window | None = None,
    progress: Progress = no_progress,
    *,
    worker_pool: WorkerPool,
    only: Collection[str] | None = None,
    flattens_completed_days: bool = False,
    fetch_beside: Callable[[ApiClient], Coroutine[Any, Any, None]] | None = None,
) -> FetchStats:
    """Fetch and land the conversations that are new, open, changed, due or requested.

    Args:
        context: The workspace.
        run_id: The run.
        window: Limits the conversations by start time and agent; by default there is no limit.
        progress: Called after each fetched conversation.
        worker_pool: Processes that parse and land large batches.
        only: Ids to fetch whether or not they are due, and no others.
        flattens_completed_days: Flatten a day as soon as all its new conversations are landed, while other days are
            still being fetched; ``flatten_conversations`` does the remaining days.
        fetch_beside: Other requests to send meanwhile, also if there is no conversation to fetch. They share the client
            and its limit, but are not counted in the run record.

    Raises:
        ApiError: the API is down or refuses the key; what was landed before is kept.
    """
    rows = plan_fetches(
        context.home,
        window,
        now=context.clock(),
        reread_days=context.settings.reread_days,
        confirm_after=context.settings.confirm_after,
        only_ids=only,
    )
    progress("fetch", 0, rows.height)
    if rows.is_empty() and fetch_beside is None:
        return FetchStats()  # opening a client takes a tenth of a second and needs a key
    worker_pool.prepare(rows.height)
    client, stats = context.client(), FetchStats()
    completed_days = CompletedDays(rows, context.settings.reread_days) if flattens_completed_days else None
    if completed_days:
        lake.ensure_schema_files(context.home)

    async def fetch_rows() -> None:
        pipeline = LandingPipeline(
            context.home,
            stats,
            worker_pool=worker_pool,
            monotonic=context.monotonic,
            pseudonyms=context.pseudonyms,
            completed_days=completed_days,
        )
        await fetch_conversations(
            client,
            rows,
            pipeline,
            n_workers=context.settings.concurrency,
            clock=context.clock,
            on_fetched=lambda stats: progress("fetch", stats.n_fetched, rows.height),
        )

    async def fetch_and_land() -> None:
        async with client:
            if fetch_beside is None:
                await fetch_rows()
            else:
                await run_beside(fetch_rows(), fetch_beside(client.with_own_stats()))

    counts = {f"n_{reason}": rows.filter(reason=reason).height for reason in REASONS}
    try:
        asyncio.run(fetch_and_land())
    finally:  # also of a run that the API or the key has stopped: what landed before stays
        counts |= {name: getattr(stats, name) for name in ("n_fetched", "n_landed", "n_unchanged", "n_gone")}
        counts["n_flattened"] = stats.n_flattened
        run_log.add_counts(context.home, run_id, at=context.clock(), **counts, **request_counts(client.stats))
    return stats


def flatten_conversations(
    context: Context,
    run_id: str,
    days: Collection[date] | None = None,
    progress: Progress = no_progress,
    *,
    worker_pool: WorkerPool,
    full_refresh: bool = False,
    allow_removals: bool = False,
    n_already: int = 0,
) -> RefreshResult:
    """Apply the policy for upstream deletions to the landing, then flatten its snapshots that are not in the lake yet.

    Args:
        context: The workspace.
        run_id: The run.
        days: Limits the conversations by start date (UTC); by default there is no limit.
        progress: Called after each flattened day with the number of conversations.
        worker_pool: Processes that flatten large batches.
        full_refresh: Flatten again also what the lake already has.
        allow_removals: Apply the policy to however many deletions there are.
        n_already: Conversations that ``fetch_documents`` has flattened, for the progress.

    Raises:
        RemovalsError: the policy would remove too much; nothing is removed, and nothing flattened.
    """
    apply_policy(context.home, context.settings, context.clock(), allow_removals=allow_removals)
    result = refresh_lake(
        context.home,
        reread_days=context.settings.reread_days,
        days=days,
        full_refresh=full_refresh,
        worker_pool=worker_pool,
        on_day=lambda n, total: progress("flatten", n_already + n, n_already + total),
    )
    n_flattened = n_already + result.n_flattened
    progress("flatten", n_flattened, n_flattened)
    run_log.add_counts(context.home, run_id, at=context.clock(), n_flattened=result.n_flattened)
    return result


def flatten_after_update(workspaces: Sequence[Context], progress: Progress = no_progress) -> None:
    """Flatten again what an earlier version has flattened, as models read columns that its rows lack.

    A sync does so anyway; without this, a build that comes first after an update would fail its checks.
    """
    for workspace in workspaces:
        home, keys = workspace.home, ["conversation_id", "start_date"]
        current = lake.read(home, CONVERSATION_CHECKS, [*keys, "parser_version"]).filter(parser_version=PARSER_VERSION)
        if lake.read(home, CONVERSATIONS, keys).join(current, keys, "anti").height:
            days = workspace.settings.reread_days
            refresh_lake(home, reread_days=days, on_day=lambda n, total: progress("flatten", n, total))


@contextmanager
def project_read_ahead(context: Context) -> Iterator[None]:
    """Read the SQL models in a thread: ``build_models`` then finds them in the cache of ``read_project``.

    It takes a quarter of a second of processor time, in which a sync would otherwise wait for the API. An error is
    raised when the warehouse is built. The thread has ended when the block has: a process that ends while DuckDB works
    in a thread is aborted, whatever its exit code should be.
    """

    def read() -> None:
        with suppress(ConvohouseError, OSError):
            read_project(user_seeds=context.home.seeds)

    thread = Thread(target=read, name="read project")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def build_models(context: Context, progress: Progress = no_progress, *, full_refresh: bool = False) -> BuildResult:
    """Build the warehouse from the lake and swap it in if every check passed.

    Models whose inputs have not changed since the last build are reused, except in a ``full_refresh``.

    Raises:
        ModelError: see ``build``; files of the lake that cannot be read are named.
    """

    def report(_model: str, number: int, total: int) -> None:
        progress("build", number, total)
        if number == total:
            progress("check", 0, None)

    try:
        result = build(context.home, full_refresh=full_refresh, zones=context.zones, progress=report)
    except ModelError as error:
        files = damage.unreadable_files(context.home.all_workspaces, context.home.lake, is_deep=True)
        if names := ", ".join(str(file) for file, _ in files):
            raise ModelError(f"Files of the lake cannot be read: {names}.", REBUILD_HINT) from error
        raise
    progress("check", len(result.checks), len(result.checks))
    return result
