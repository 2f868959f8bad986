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
from pipelines.extract.completed_days import Ahead
from pipelines.extract.deletion_policy import apply_policy, landable
from pipelines.extract.fetch_conversations import fetch
from pipelines.extract.fetch_plan import Plan, wanted
from pipelines.extract.fetch_policy import REASONS
from pipelines.extract.landing_pipeline import Fetched, Line
from pipelines.extract.list_conversations import list_rows
from pipelines.extract.time_window import Window, next_window
from pipelines.transform.refresh_lake import Refreshed, refresh_lake
from pipelines.transform.worker_pool import Crew
from pipelines.usecases.context import Progress, Site, silent
from warehouse.build.runner import BuildResult, build
from warehouse.storage import lake, landing


def absence(conversation_id: str, why: str) -> str:
    """Why a conversation could not be read or flattened, for people; it names the conversation."""
    return why if conversation_id in why else f"{conversation_id}: {why}"


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
    run_log.begin(site.home, run_id, at=listed_at, window=window)
    client = site.connect(site.settings)
    try:
        shown = asyncio.run(list_rows(client, window, listed_at, lambda n: progress("list", n, None), site.pseudonyms))
    finally:
        run_log.add(site.home, run_id, at=site.clock(), **_traffic(client.stats))
    rows = landable(site.home, shown)
    landing.land_listing(site.home, window.listing(listed_at), rows)
    progress("list", rows.height, rows.height)
    run_log.add(site.home, run_id, at=site.clock(), n_listed=rows.height)
    return Listed(window, rows.height)


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
    progress("list", rows.height, rows.height)
    would_read = wanted(
        site.home,
        window if is_asked else None,
        now=now,
        reread_days=site.settings.reread_days,
        listing=window.listing(now),
        listed=rows,
    )
    return Plan(window, rows.height, would_read)


def fetch_calls(
    site: Site,
    run_id: str,
    window: Window | None = None,
    progress: Progress = silent,
    *,
    crew: Crew,
    only: Collection[str] | None = None,
    is_ahead: bool = False,
) -> Fetched:
    """Read and land what is new, open, changed, due or asked for, in a window or everywhere.

    Args:
        site: The workspace.
        run_id: The run.
        window: Only its calls.
        progress: Told of each conversation read.
        crew: Processes that help where there is much to do.
        only: Conversations to read whether or not anything else makes them due, and no others.
        is_ahead: Flatten whole days of new calls while others are still being read; ``flatten_calls`` does the rest.
    """
    rows = wanted(site.home, window, now=site.clock(), reread_days=site.settings.reread_days, only=only)
    progress("fetch", 0, rows.height)
    if rows.is_empty():
        return Fetched()  # no client: it costs a tenth of a second, and a key that nobody needs
    crew.prepare(rows.height)
    client, done = site.connect(site.settings), Fetched()
    ahead = Ahead(rows, site.settings.reread_days) if is_ahead else None
    if ahead:
        lake.ensure(site.home)

    async def reading() -> None:
        line = Line(site.home, done, crew=crew, monotonic=site.monotonic, pseudonyms=site.pseudonyms, ahead=ahead)
        async with client:
            await fetch(
                client,
                rows,
                line,
                readers=site.settings.concurrency,
                clock=site.clock,
                on_read=lambda done: progress("fetch", done.n_fetched, rows.height),
            )

    counts = {f"n_{reason}": rows.filter(reason=reason).height for reason in REASONS}
    try:
        asyncio.run(reading())
        counts |= {name: getattr(done, name) for name in ("n_fetched", "n_landed", "n_unchanged", "n_gone")}
        counts["n_flattened"] = done.n_flattened
    finally:
        run_log.add(site.home, run_id, at=site.clock(), **counts, **_traffic(client.stats))
    return done


def flatten_calls(
    site: Site,
    run_id: str,
    days: Collection[date] | None = None,
    progress: Progress = silent,
    *,
    crew: Crew,
    anew: bool = False,
) -> Refreshed:
    """Bring the lake up to the landing, on some days or all; ``anew`` makes rows again that are up to date.

    A ``crew`` helps where there is much to do. Before that, what the API deleted or blanked is redacted, erased or kept
    in the landing, as the settings say.
    """
    apply_policy(site.home, site.settings.on_upstream_delete, site.clock())
    done = refresh_lake(
        site.home,
        reread_days=site.settings.reread_days,
        days=days,
        anew=anew,
        crew=crew,
        on_day=lambda n, total: progress("flatten", n, total),
    )
    progress("flatten", done.n_flattened, done.n_flattened)
    run_log.add(site.home, run_id, at=site.clock(), n_flattened=done.n_flattened, n_quarantined=len(done.refused))
    return done


def build_models(site: Site, progress: Progress = silent, *, anew: bool = False) -> BuildResult:
    """Build the warehouse from the lake, check it, and swap it in when every check passed.

    What did not change since the last build is kept, unless it is to be made ``anew``.
    """
    return build(
        site.home,
        anew=anew,
        zones=site.zones,
        progress=lambda _model, number, total: progress("build", number, total),
    )


def _traffic(stats: Stats) -> dict[str, int]:
    return {"n_requests": stats.requests, "n_retries": stats.retries, "received_bytes": stats.bytes_received}
