"""The commands sync, retry, reprocess and check over every workspace; Dagster runs the same steps one by one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from pipelines.errors import ApiError
from pipelines.extract import run_log
from pipelines.extract.fetch_plan import FetchPlan, quarantined_ids
from pipelines.extract.landing_pipeline import FetchStats
from pipelines.extract.time_window import Window
from pipelines.transform.refresh_lake import RefreshResult
from pipelines.transform.worker_pool import WorkerPool
from pipelines.usecases import sync_steps
from pipelines.usecases.agents import require_agent
from pipelines.usecases.context import Context, Progress, no_progress
from pipelines.usecases.masking_state import apply_masking
from pipelines.usecases.published_removals import describe_problem, publish_removals
from pipelines.usecases.reference_data import ToolsCopy
from pipelines.usecases.run_session import (
    describe_failed_check,
    end_copy,
    finish_runs,
    for_each_workspace,
    run_session,
)
from pipelines.usecases.sync_reference_data import OptionalCopy, sync_reference_data
from pipelines.usecases.workspace_lookup import require_same_workspace
from warehouse.build.runner import BuildResult
from warehouse.models.checks import CheckResult
from warehouse.models.data_quality import check_complete, check_fresh, check_landed_times, check_warehouse
from warehouse.models.file_checks import RECORDED, check_files
from warehouse.storage import landing


@dataclass(frozen=True, slots=True)
class SyncResult:
    """The outcome of a run; it is complete if there are no ``problems``.

    ``runs`` are its rows of ``sync_runs``, one per workspace. ``warnings`` name reference data that could not be
    fetched, changed settings, and damaged files; the conversations are complete without it.
    """

    runs: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]
    build_result: BuildResult
    warnings: tuple[str, ...] = ()

    @property
    def run(self) -> dict[str, Any]:
        """The run as one row: counts are summed over the workspaces, the outcome is the worst one."""
        return run_log.total(self.runs)

    @property
    def is_complete(self) -> bool:
        """Whether everything listed is in the warehouse and every check passed."""
        return not self.problems


def sync(
    context: Context,
    *,
    run_id: str,
    since: datetime | None = None,
    until: datetime | None = None,
    agent_id: str | None = None,
    allow_removals: bool = False,
    progress: Progress = no_progress,
) -> SyncResult:
    """List, fetch, land, flatten, build and check every workspace.

    ``allow_removals`` lets this run redact or erase however many conversations the API deleted, and copy a workspace
    in which nothing known is found.

    Raises:
        UsageError: no listing has ever shown this agent in any workspace.
        ConvohouseError: the run stopped; what was landed is kept, and the next run continues from it. An API error is
            raised after what had landed was flattened and built; if there are several workspaces, one in some of them,
            or one that cannot be copied as it is, is a problem of the result.
    """

    def copy(workspace: Context) -> FetchStats:
        window, is_requested = sync_steps.window_of(workspace, since, until, agent_id)
        listed_window = sync_steps.list_conversations(
            workspace, window, run_id, progress, allow_removals=allow_removals
        )
        warnings.extend(listed_window.warnings())
        tools = OptionalCopy("tools", ToolsCopy(workspace, progress))
        stats = sync_steps.fetch_documents(
            workspace,
            run_id,
            window if is_requested else None,
            progress,
            worker_pool=worker_pool,
            flattens_completed_days=True,
            fetch_beside=tools.fetch,
        )
        warnings.extend(tools.land())
        return stats

    warnings: list[str] = []
    with (
        sync_steps.project_read_ahead(context),
        run_session(context, run_id, "sync", warn=warnings.append) as workspaces,
        build_after_outage(context, workspaces, run_id, progress),
    ):
        with context.worker_pool() as worker_pool:
            fetch_stats = for_each_workspace(workspaces, run_id, copy)
            require_agent(context.home, agent_id)
            _flatten(workspaces, run_id, progress, worker_pool, fetch_stats, allow_removals=allow_removals)
        for workspace in workspaces:
            if workspace.settings.workspace in fetch_stats:
                warnings.extend(sync_reference_data(workspace, progress))
        return replace(_build_and_finish(context, workspaces, run_id, progress), warnings=tuple(warnings))


def retry(context: Context, *, run_id: str, progress: Progress = no_progress) -> SyncResult:
    """Fetch the quarantined conversations again and no others, then flatten and build.

    Raises:
        ConvohouseError: see ``sync``.
    """

    def fetch(workspace: Context) -> FetchStats:
        ids = quarantined_ids(workspace.home)
        if ids:
            require_same_workspace(workspace)
        return sync_steps.fetch_documents(workspace, run_id, progress=progress, worker_pool=worker_pool, only=ids)

    warnings: list[str] = []
    with (
        run_session(context, run_id, "retry", warn=warnings.append) as workspaces,
        build_after_outage(context, workspaces, run_id, progress),
    ):
        with context.worker_pool() as worker_pool:
            for_each_workspace(workspaces, run_id, fetch)
            _flatten(workspaces, run_id, progress, worker_pool)
        return replace(_build_and_finish(context, workspaces, run_id, progress), warnings=tuple(warnings))


def reprocess(
    context: Context,
    *,
    run_id: str,
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Progress = no_progress,
) -> SyncResult:
    """Rebuild the lake and the warehouse from the landing, without the API: all days, or those of a window.

    If the landing was masked under other rules or settings, it is masked again first.

    Raises:
        ConvohouseError: the run stopped; the next one continues from it.
    """
    window = Window(since, until or context.clock())

    def reflatten(workspace: Context) -> RefreshResult:
        starts = landing.latest_snapshots(workspace.home).select("start_date", "start_time_at")
        days = None if since is until is None else {day for day, start in starts.rows() if window.contains(start, None)}
        return sync_steps.flatten_conversations(
            workspace, run_id, days, progress, worker_pool=worker_pool, full_refresh=True
        )

    warnings: list[str] = []
    with run_session(context, run_id, "reprocess", is_offline=True, warn=warnings.append) as workspaces:
        apply_masking(context, workspaces)
        with context.worker_pool() as worker_pool:
            for_each_workspace(workspaces, run_id, reflatten)
        result = _build_and_finish(context, workspaces, run_id, progress, full_refresh=True)
        return replace(result, warnings=tuple(warnings))


@contextmanager
def build_after_outage(
    context: Context, workspaces: Sequence[Context], run_id: str, progress: Progress = no_progress
) -> Iterator[None]:
    """If the API fails for every workspace, flatten and build what has landed, and only then raise the error."""
    try:
        yield
    except ApiError:
        if any(workspace.home.files(workspace.home.landing, landing.DAY_FOLDERS) for workspace in workspaces):
            with context.worker_pool() as worker_pool:
                _flatten(workspaces, run_id, progress, worker_pool)
            _build_and_finish(context, workspaces, run_id, progress)
        raise


def plan(
    context: Context,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    agent_id: str | None = None,
    progress: Progress = no_progress,
) -> dict[str, FetchPlan]:
    """What ``sync`` would list and fetch, by name of the workspace; the home folder is neither changed nor created.

    Raises:
        HomeError: the folder is not a convohouse home.
        UsageError: no listing has ever shown this agent in any workspace.
        ApiError: a page of a list could not be fetched.
    """
    context.home.check()
    plans = {
        workspace.settings.workspace: sync_steps.plan(
            workspace, since=since, until=until, agent_id=agent_id, progress=progress
        )
        for workspace in context.workspaces()
    }
    if not any(plan.n_listed for plan in plans.values()):
        require_agent(context.home, agent_id)
    return plans


def check(context: Context, *, is_deep: bool = False) -> tuple[CheckResult, ...]:
    """Run every check of the lake and of the current warehouse, without changing anything.

    If a file cannot be read, nothing else is checked. With ``is_deep``, every value of every file is read.

    Raises:
        NothingBuiltError: there is no warehouse yet.
    """
    home = context.home.all_workspaces
    files = check_files((workspace.home for workspace in context.workspaces_with_data()), is_deep=is_deep)
    if any(not result.is_passed for result in files if result.check != RECORDED):
        return files
    within = timedelta(hours=context.settings.fresh_hours)
    homes, now = [workspace.home for workspace in context.workspaces()], context.clock()
    freshness = check_fresh(homes, now=now, within=within)
    return (*files, *check_warehouse(home), *check_complete(home), check_landed_times(homes, now=now), freshness)


def _flatten(
    workspaces: Sequence[Context],
    run_id: str,
    progress: Progress,
    worker_pool: WorkerPool,
    fetch_stats: Mapping[str, FetchStats] = MappingProxyType({}),
    *,
    allow_removals: bool = False,
) -> None:
    """Flatten every workspace, also one whose API failed, as it may have landed documents before."""

    def flatten(workspace: Context) -> RefreshResult:
        stats = fetch_stats.get(workspace.settings.workspace, FetchStats())
        return sync_steps.flatten_conversations(
            workspace,
            run_id,
            progress=progress,
            worker_pool=worker_pool,
            allow_removals=allow_removals,
            n_already=stats.n_flattened,
        )

    for_each_workspace(workspaces, run_id, flatten, includes_failed=True)


def _build_and_finish(
    context: Context,
    workspaces: Sequence[Context],
    run_id: str,
    progress: Progress,
    *,
    full_refresh: bool = False,
) -> SyncResult:
    """Build the warehouse, bring redactions to what was published, and end the run records."""
    copy_problems = end_copy(workspaces, run_id)
    build_result = sync_steps.build_models(context, progress, full_refresh=full_refresh)
    shared_problems = [describe_failed_check(result) for result in build_result.failed]
    if build_result.is_swapped:
        shared_problems += [
            describe_problem(result) for result in publish_removals(context, progress) if result.problem
        ]
    problems = finish_runs(workspaces, run_id, copy_problems, shared_problems, is_built=build_result.is_swapped)
    runs = tuple(run_log.row(workspace.home, run_id) for workspace in workspaces)
    return SyncResult(runs, problems, build_result)
