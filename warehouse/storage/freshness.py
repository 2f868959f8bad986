"""Fresh means listed: the time until which all agents' conversations were listed, and everything listed was copied.

Each run that copied all that was listed notes how far the listings go (``listed_until``) in its record, also if items
are in quarantine: these are named by its problems, every night. A run that listed nothing, one agent or an earlier
month does not move this time. It is noted before the build, so that ``metrics.sync_health``, which takes the maximum of
the same column, says how fresh the warehouse is of which it is part. If the warehouse is not replaced, the time is
removed; if the run is killed before, its record has the error ``UNFINISHED``, and its time does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from warehouse.schema.operations import SYNC_RUNS
from warehouse.storage import lake
from warehouse.storage.home import Home
from warehouse.storage.landing import BEGINNING, Listing
from warehouse.storage.landing_sequence import CLOCK_TOLERANCE

UNFINISHED = "the run did not reach its end"
"""The error of a run that has not ended, or was killed."""


def listed_until(listings: Iterable[Listing], *, now: datetime) -> datetime | None:
    """Time until which conversations of all agents are listed without a gap since the first such listing.

    A listing covers no time after its own start; if our clock was ahead then, none after the newest conversation that
    it showed. ``listings`` are in the order in which they landed. None if no listing was of all agents.
    """
    return end_without_gap(
        [(listing.since or BEGINNING, _end(listing, now)) for listing in listings if listing.agent_id is None]
    )


def end_without_gap(spans: Sequence[tuple[datetime, datetime]]) -> datetime | None:
    """End of the first span, or of the spans that continue it: each overlaps or is adjacent. None without spans."""
    if not spans:
        return None
    until = spans[0][1]
    for since, end in sorted(spans):
        if since <= until:
            until = max(until, end)
    return until


def _end(listing: Listing, now: datetime) -> datetime:
    if listing.listed_at > now + CLOCK_TOLERANCE:
        return min(listing.newest_start_at or listing.since or BEGINNING, now)
    return min(listing.until or listing.listed_at, listing.listed_at)


def last_full_listing_at(home: Home, *, now: datetime, built_at: datetime | None = None) -> datetime | None:
    """How fresh a workspace is, or None if no run has copied all agents; a time after ``now`` does not count.

    With ``built_at``, how fresh a warehouse of that time is: it has what runs listed that began before. A run builds
    within its own time, and no other build can come between, as both need the lock.
    """
    runs = lake.read(home, SYNC_RUNS, ["started_at", "last_full_listing_at", "error"])
    runs = runs.filter(runs["error"].ne_missing(UNFINISHED))
    if built_at is not None:
        runs = runs.filter(runs["started_at"] <= built_at)
    times = runs["last_full_listing_at"]
    latest = times.filter(times <= now + CLOCK_TOLERANCE).max()
    return latest if isinstance(latest, datetime) else None
