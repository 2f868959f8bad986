"""The use cases: whole runs over every workspace of a site, which the command line starts; Dagster runs their steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import starmap
from typing import Any

from pipelines.extract import run_log
from pipelines.extract.fetch_plan import Plan, set_aside
from pipelines.extract.landing_pipeline import Fetched
from pipelines.extract.time_window import Window
from pipelines.transform.refresh_lake import Refreshed
from pipelines.transform.worker_pool import Crew
from pipelines.usecases import reference_data, sync_steps
from pipelines.usecases.context import Progress, Site, silent
from pipelines.usecases.run_session import attempt, close, failure, working
from warehouse.build.runner import BuildResult
from warehouse.models.checks import CheckResult
from warehouse.models.data_quality import check_complete, check_fresh, check_warehouse
from warehouse.storage import landing


@dataclass(frozen=True, slots=True)
class Synced:
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
    site: Site,
    *,
    run_id: str,
    since: datetime | None = None,
    until: datetime | None = None,
    agent_id: str | None = None,
    progress: Progress = silent,
) -> Synced:
    """List, read, land, flatten, check and build: the whole way, for every workspace.

    Raises:
        ConvohouseError: the run stopped; what was landed before is kept, and the next run goes on from it. Of several
            workspaces, one whose API cannot be had is a problem and stops no other.
    """

    def copy(each: Site) -> Fetched:
        window, is_asked = sync_steps.window_of(each, since, until, agent_id)
        sync_steps.list_calls(each, window, run_id, progress)
        asked = window if is_asked else None
        fetched = sync_steps.fetch_calls(each, run_id, asked, progress, crew=crew, is_ahead=True)
        warnings.extend(reference_data.sync_tools(each, progress))
        return fetched

    warnings: list[str] = []
    with working(site, run_id, "sync") as sites:
        with site.crew() as crew:
            fetched = attempt(sites, run_id, copy)
            absent = _flatten(sites, run_id, fetched, progress, crew)
        for each in sites:
            if each.settings.workspace in fetched:
                warnings.extend(reference_data.sync_prices(each, progress))
        return replace(_finish(site, sites, run_id, absent, progress), warnings=tuple(warnings))


def retry(site: Site, *, run_id: str, progress: Progress = silent) -> Synced:
    """Read again what stands aside in quarantine, and nothing else; then flatten and build.

    Raises:
        ConvohouseError: see ``sync``.
    """

    def read(each: Site) -> Fetched:
        return sync_steps.fetch_calls(each, run_id, progress=progress, crew=crew, only=set_aside(each.home))

    with working(site, run_id, "retry") as sites:
        with site.crew() as crew:
            fetched = attempt(sites, run_id, read)
            absent = _flatten(sites, run_id, fetched, progress, crew)
        return _finish(site, sites, run_id, absent, progress)


def reprocess(
    site: Site,
    *,
    run_id: str,
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Progress = silent,
) -> Synced:
    """Make the lake and the warehouse again from the landing, without the API: all days, or those of a window.

    Raises:
        ConvohouseError: the run stopped; the next one goes on from it.
    """
    window = Window(since, until or site.clock())

    def anew(each: Site) -> Refreshed:
        starts = landing.latest_readings(each.home).select("start_date", "start_time_at")
        days = None if since is until is None else {day for day, start in starts.rows() if window.holds(start, None)}
        return sync_steps.flatten_calls(each, run_id, days, progress, crew=crew, anew=True)

    with working(site, run_id, "reprocess", is_offline=True) as sites:
        with site.crew() as crew:
            absent = {each.settings.workspace: anew(each).refused for each in sites}
        return _finish(site, sites, run_id, absent, progress, anew=True)


def plan(
    site: Site,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    agent_id: str | None = None,
    progress: Progress = silent,
) -> dict[str, Plan]:
    """What ``sync`` would list and read, by workspace; the home folder is neither touched nor made.

    Raises:
        HomeError: the folder holds something else.
        ApiError: a list could not be had.
    """
    site.home.check()
    return {
        each.settings.workspace: sync_steps.plan(each, since=since, until=until, agent_id=agent_id, progress=progress)
        for each in site.each()
    }


def check(site: Site) -> tuple[CheckResult, ...]:
    """Every check of the lake and of the warehouse as it stands; nothing is changed.

    Raises:
        NothingBuiltError: there is no warehouse yet.
    """
    home = site.home.everywhere
    within = timedelta(hours=site.settings.fresh_hours)
    fresh = check_fresh((each.home for each in site.each()), now=site.clock(), within=within)
    return (*check_warehouse(home), *check_complete(home), fresh)


def _flatten(
    sites: Sequence[Site], run_id: str, fetched: Mapping[str, Fetched], progress: Progress, crew: Crew
) -> dict[str, dict[str, str]]:
    """Flatten every workspace, those whose API could not be had as well; gives the calls left out and why."""
    absent = {}
    for each in sites:
        name = each.settings.workspace
        unread = fetched[name].failed if name in fetched else {}
        absent[name] = {**unread, **sync_steps.flatten_calls(each, run_id, progress=progress, crew=crew).refused}
    return absent


def _finish(
    site: Site,
    sites: Sequence[Site],
    run_id: str,
    absent: Mapping[str, Mapping[str, str]],
    progress: Progress,
    *,
    anew: bool = False,
) -> Synced:
    """Build, and close the accounts with all that is amiss; ``absent`` are calls left out and why, by workspace."""
    built = sync_steps.build_models(site, progress, anew=anew)
    own = {name: list(starmap(sync_steps.absence, calls.items())) for name, calls in absent.items()}
    problems = close(sites, run_id, map(failure, built.failed), own)
    return Synced(tuple(run_log.row(each.home, run_id) for each in sites), problems, built)
