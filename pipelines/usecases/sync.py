"""The sync as a whole: a run over every workspace, which the command line starts; Dagster runs the same steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import starmap
from typing import Any

from pipelines.extract import run_log
from pipelines.extract.fetch_plan import FetchPlan, quarantined
from pipelines.extract.landing_pipeline import FetchStats
from pipelines.extract.time_window import Window
from pipelines.transform.refresh_lake import RefreshResult
from pipelines.transform.worker_pool import WorkerPool
from pipelines.usecases import reference_data, sync_steps
from pipelines.usecases.context import Context, Progress, no_progress
from pipelines.usecases.run_session import describe_failed_check, finish_runs, for_each_workspace, run_session
from warehouse.build.runner import BuildResult
from warehouse.models.checks import CheckResult
from warehouse.models.data_quality import check_complete, check_fresh, check_warehouse
from warehouse.storage import landing


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a run did: its rows of ``sync_runs``, one a workspace, and why it is not complete, if it is not.

    ``warnings`` say what beside the conversations could not be had: their copy is whole without it.
    """

    runs: tuple[dict[str, Any], ...]
    problems: tuple[str, ...]
    built: BuildResult
    warnings: tuple[str, ...] = ()

    @property
    def run(self) -> dict[str, Any]:
        """The row of the run; of several workspaces, their sums."""
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
    progress: Progress = no_progress,
) -> SyncResult:
    """List, read, land, flatten, check and build: the whole way, for every workspace.

    Raises:
        ConvohouseError: the run stopped; what was landed before is kept, and the next run goes on from it. Of several
            workspaces, one whose API cannot be had is a problem and stops no other.
    """

    def copy(each: Context) -> FetchStats:
        window, is_asked = sync_steps.window_of(each, since, until, agent_id)
        sync_steps.list_calls(each, window, run_id, progress)
        asked = window if is_asked else None
        fetched = sync_steps.fetch_calls(each, run_id, asked, progress, crew=crew, is_ahead=True)
        warnings.extend(reference_data.sync_tools(each, progress))
        return fetched

    warnings: list[str] = []
    with run_session(context, run_id, "sync") as contexts:
        with context.worker_pool() as crew:
            fetched = for_each_workspace(contexts, run_id, copy)
            absent = _flatten(contexts, run_id, fetched, progress, crew)
        for each in contexts:
            if each.settings.workspace in fetched:
                warnings.extend(reference_data.sync_prices(each, progress))
        return replace(_finish(context, contexts, run_id, absent, progress), warnings=tuple(warnings))


def retry(context: Context, *, run_id: str, progress: Progress = no_progress) -> SyncResult:
    """Read again what stands aside in quarantine, and nothing else; then flatten and build.

    Raises:
        ConvohouseError: see ``sync``.
    """

    def read(each: Context) -> FetchStats:
        return sync_steps.fetch_calls(each, run_id, progress=progress, crew=crew, only=quarantined(each.home))

    with run_session(context, run_id, "retry") as contexts:
        with context.worker_pool() as crew:
            fetched = for_each_workspace(contexts, run_id, read)
            absent = _flatten(contexts, run_id, fetched, progress, crew)
        return _finish(context, contexts, run_id, absent, progress)


def reprocess(
    context: Context,
    *,
    run_id: str,
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Progress = no_progress,
) -> SyncResult:
    """Make the lake and the warehouse again from the landing, without the API: all days, or those of a window.

    Raises:
        ConvohouseError: the run stopped; the next one goes on from it.
    """
    window = Window(since, until or context.clock())

    def anew(each: Context) -> RefreshResult:
        starts = landing.latest_snapshots(each.home).select("start_date", "start_time_at")
        days = None if since is until is None else {day for day, start in starts.rows() if window.holds(start, None)}
        return sync_steps.flatten_calls(each, run_id, days, progress, crew=crew, anew=True)

    with run_session(context, run_id, "reprocess", is_offline=True) as contexts:
        with context.worker_pool() as crew:
            absent = {each.settings.workspace: anew(each).errors for each in contexts}
        return _finish(context, contexts, run_id, absent, progress, anew=True)


def plan(
    context: Context,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    agent_id: str | None = None,
    progress: Progress = no_progress,
) -> dict[str, FetchPlan]:
    """What ``sync`` would list and read, by workspace; the home folder is neither touched nor made.

    Raises:
        HomeError: the folder holds something else.
        ApiError: a list could not be had.
    """
    context.home.check()
    return {
        each.settings.workspace: sync_steps.plan(each, since=since, until=until, agent_id=agent_id, progress=progress)
        for each in context.workspaces()
    }


def check(context: Context) -> tuple[CheckResult, ...]:
    """Every check of the lake and of the warehouse as it stands; nothing is changed.

    Raises:
        NothingBuiltError: there is no warehouse yet.
    """
    home = context.home.all_workspaces
    within = timedelta(hours=context.settings.fresh_hours)
    fresh = check_fresh((each.home for each in context.workspaces()), now=context.clock(), within=within)
    return (*check_warehouse(home), *check_complete(home), fresh)


def _flatten(
    contexts: Sequence[Context], run_id: str, fetched: Mapping[str, FetchStats], progress: Progress, crew: WorkerPool
) -> dict[str, dict[str, str]]:
    """Flatten every workspace, those whose API could not be had as well; gives the calls left out and why."""
    absent = {}
    for each in contexts:
        name = each.settings.workspace
        unread = fetched[name].failed if name in fetched else {}
        absent[name] = {**unread, **sync_steps.flatten_calls(each, run_id, progress=progress, crew=crew).errors}
    return absent


def _finish(
    context: Context,
    contexts: Sequence[Context],
    run_id: str,
    absent: Mapping[str, Mapping[str, str]],
    progress: Progress,
    *,
    anew: bool = False,
) -> SyncResult:
    """Build, and close the accounts with all that is amiss; ``absent`` are calls left out and why, by workspace."""
    built = sync_steps.build_models(context, progress, anew=anew)
    own = {name: list(starmap(sync_steps.describe_missing, calls.items())) for name, calls in absent.items()}
    problems = finish_runs(contexts, run_id, map(describe_failed_check, built.failed), own)
    return SyncResult(tuple(run_log.row(each.home, run_id) for each in contexts), problems, built)
