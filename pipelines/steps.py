"""The use cases, as plain functions: what the command line and Dagster both do, with everything they need passed in.

The steps of a sync are functions of their own, so that an asset can be a step; ``sync`` is all of them in order.
Whoever calls a step of a run does so inside ``working``, which holds the home folder and keeps the run's account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from itertools import starmap
from typing import Any

from pipelines.api.client import Stats
from pipelines.site import Progress, Site, silent
from pipelines.sync import ledger
from pipelines.sync.deletions import apply_policy, landable
from pipelines.sync.fetch import Fetched, fetch
from pipelines.sync.listing import list_rows
from pipelines.sync.plan import Plan, wanted
from pipelines.sync.refresh import Refreshed, refresh_lake
from pipelines.sync.settle import REASONS
from pipelines.sync.window import Window, next_window
from warehouse import landing
from warehouse.build import BuildResult, build
from warehouse.checks import check_complete, check_warehouse
from warehouse.erasure import purge
from warehouse.errors import ConvohouseError
from warehouse.model_checks import CheckResult


@contextmanager
def working(site: Site, run_id: str, what: str) -> Iterator[None]:
    """Hold the home folder for a run or one step of it; the run's row of ``sync_runs`` says what stopped it.

    The row is begun where the run has none yet: a step can be all of a run.

    Raises:
        HomeError: see ``Site.writing``.
        LockedError: see ``Site.writing``; the run's row is not touched then.
    """
    with site.writing(what):
        purge(site.home)
        if not ledger.is_begun(site.home, run_id):
            ledger.begin(site.home, run_id, at=site.clock(), window=None)
        try:
            yield
        except BaseException as error:
            said = str(error) if isinstance(error, ConvohouseError) else type(error).__name__
            ledger.end(site.home, run_id, at=site.clock(), outcome="failed", error=said)
            raise


def close(site: Site, run_id: str, problems: Iterable[str]) -> tuple[str, ...]:
    """End the run's account: complete where everything listed is in the lake and nothing else is amiss.

    Returns:
        All that is amiss: the problems given, then what is missing.
    """
    missing = (failure(result) for result in check_complete(site.home) if not result.is_passed)
    every = (*problems, *missing)
    outcome = "incomplete" if every else "complete"
    ledger.end(site.home, run_id, at=site.clock(), outcome=outcome, error="; ".join(every) or None)
    return every


def absence(conversation_id: str, why: str) -> str:
    """Why a conversation could not be read or flattened, for people; it names the conversation."""
    return why if conversation_id in why else f"{conversation_id}: {why}"


def failure(result: CheckResult) -> str:
    """A failed check for people; it shows no row, as rows hold what people said."""
    check = result.check
    return f"{check.name} failed in {check.model}: {check.about} Failing rows: {result.n_failing}."


@dataclass(frozen=True, slots=True)
class Listed:
    """What a listing showed."""

    window: Window
    n_listed: int


def window_of(
    site: Site, since: datetime | None = None, until: datetime | None = None, agent_id: str | None = None
) -> tuple[Window, bool]:
    """The window of a run, and whether it was asked for (then only its calls are read)."""
    now = site.clock()
    if since is None and until is None and agent_id is None:
        return next_window(landing.listings(site.home), now=now, lookback_days=site.settings.lookback_days), False
    return Window(since, until or now, agent_id), True


def list_calls(site: Site, window: Window, run_id: str, progress: Progress = silent) -> Listed:
    """Begin the run's account, list the window and land the listing, once it is complete."""
    listed_at = site.clock()
    ledger.begin(site.home, run_id, at=listed_at, window=window)
    client = site.connect(site.settings)
    try:
        shown = asyncio.run(list_rows(client, window, listed_at, lambda n: progress("list", n, None), site.pseudonyms))
    finally:
        ledger.add(site.home, run_id, at=site.clock(), **_traffic(client.stats))
    rows = landable(site.home, shown)
    landing.land_listing(site.home, window.listing(listed_at), rows)
    progress("list", len(rows), len(rows))
    ledger.add(site.home, run_id, at=site.clock(), n_listed=len(rows))
    return Listed(window, len(rows))


def plan(
    site: Site,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    agent_id: str | None = None,
    progress: Progress = silent,
) -> Plan:
    """List as ``sync`` would, and say what it would read; the home folder is neither touched nor made.

    Raises:
        HomeError: the folder holds something else.
        ApiError: the list could not be had.
    """
    site.home.check()
    window, is_asked = window_of(site, since, until, agent_id)
    client, now = site.connect(site.settings), site.clock()
    shown = asyncio.run(list_rows(client, window, now, lambda n: progress("list", n, None), site.pseudonyms))
    rows = landable(site.home, shown)
    progress("list", len(rows), len(rows))
    would_read = wanted(
        site.home,
        window if is_asked else None,
        now=now,
        reread_days=site.settings.reread_days,
        listing=window.listing(now),
        listed=rows,
    )
    return Plan(window, len(rows), would_read)


def fetch_calls(site: Site, run_id: str, window: Window | None = None, progress: Progress = silent) -> Fetched:
    """Read and land what is new, open, changed or due, in a window or everywhere."""
    rows = wanted(site.home, window, now=site.clock(), reread_days=site.settings.reread_days)
    progress("fetch", 0, rows.height)
    client = site.connect(site.settings)

    async def reading() -> Fetched:
        async with client:
            return await fetch(
                client,
                site.home,
                rows.iter_rows(named=True),
                workers=site.settings.concurrency,
                clock=site.clock,
                monotonic=site.monotonic,
                on_read=lambda done: progress("fetch", done.n_fetched, rows.height),
                pseudonyms=site.pseudonyms,
            )

    counts = {f"n_{reason}": rows.filter(reason=reason).height for reason in REASONS}
    try:
        done = asyncio.run(reading())
        counts |= {name: getattr(done, name) for name in ("n_fetched", "n_landed", "n_unchanged", "n_gone")}
    finally:
        ledger.add(site.home, run_id, at=site.clock(), **counts, **_traffic(client.stats))
    return done


def flatten_calls(
    site: Site, run_id: str, days: Collection[date] | None = None, progress: Progress = silent, *, anew: bool = False
) -> Refreshed:
    """Bring the lake up to the landing, on some days or all; ``anew`` makes rows again that are up to date.

    Before that, what the API deleted or blanked is redacted, erased or kept in the landing, as the settings say.
    """
    apply_policy(site.home, site.settings.on_upstream_delete, site.clock())
    done = refresh_lake(
        site.home,
        reread_days=site.settings.reread_days,
        days=days,
        anew=anew,
        on_day=lambda n, total: progress("flatten", n, total),
    )
    progress("flatten", done.n_flattened, done.n_flattened)
    ledger.add(site.home, run_id, at=site.clock(), n_flattened=done.n_flattened, n_quarantined=len(done.refused))
    return done


def build_models(site: Site, progress: Progress = silent) -> BuildResult:
    """Build the warehouse from the lake, check it, and swap it in when every check passed."""
    return build(site.home, progress=lambda _model, number, total: progress("build", number, total))


def _traffic(stats: Stats) -> dict[str, int]:
    return {"n_requests": stats.requests, "n_retries": stats.retries, "received_bytes": stats.bytes_received}


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did: ``run`` is its row of ``sync_runs``; ``problems`` say why it is not complete."""

    run: dict[str, Any]
    problems: tuple[str, ...]
    built: BuildResult

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
    """List, read, land, flatten, check and build: the whole way.

    Raises:
        ConvohouseError: the run stopped; what was landed before is kept, and the next run goes on from it.
    """
    with working(site, run_id, "sync"):
        window, is_asked = window_of(site, since, until, agent_id)
        list_calls(site, window, run_id, progress)
        fetched = fetch_calls(site, run_id, window if is_asked else None, progress)
        return _finish(site, run_id, flatten_calls(site, run_id, progress=progress), fetched.failed, progress)


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
    with working(site, run_id, "reprocess"):
        starts = landing.latest_readings(site.home).select("start_date", "start_time_at")
        days = {day for day, start in starts.rows() if window.holds(start, None)}
        flattened = flatten_calls(site, run_id, None if since is until is None else days, progress, anew=True)
        return _finish(site, run_id, flattened, {}, progress)


def _finish(site: Site, run_id: str, flattened: Refreshed, unread: Mapping[str, str], progress: Progress) -> Synced:
    """Build, and close the run's account with all that is amiss."""
    built = build_models(site, progress)
    left_out = starmap(absence, {**unread, **flattened.refused}.items())
    problems = close(site, run_id, (*left_out, *map(failure, built.failed)))
    return Synced(ledger.row(site.home, run_id), problems, built)


def check(site: Site) -> tuple[CheckResult, ...]:
    """Every check of the lake and of the warehouse as it stands; nothing is changed.

    Raises:
        NothingBuiltError: there is no warehouse yet.
    """
    return (*check_warehouse(site.home), *check_complete(site.home))
