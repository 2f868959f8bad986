"""The time window that a run lists, derived from the complete listings that are landed.

The API has no "changed since" filter, and a list row can change after its conversation has ended, so each run lists
the days before the last complete listing again (a lookback). No cursor is kept across runs. All times are UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from pipelines.errors import UsageError
from warehouse.storage.freshness import end_without_gap
from warehouse.storage.landing import BEGINNING, Listing

MOMENT_HINT = "Give a date such as 2026-01-31, a time such as 2026-01-31T14:00+01:00, or days ago such as 7d."


@dataclass(frozen=True, slots=True)
class Window:
    """Start times in [since, until); ``since`` None means from the first conversation on, ``agent_id`` None all agents.

    A window that ``is_open`` also has what started after ``until``, which is our time now: our clock may be behind that
    of the API.

    Raises:
        UsageError: the window is empty.
    """

    since: datetime | None
    until: datetime
    agent_id: str | None = None
    is_open: bool = False

    def __post_init__(self) -> None:
        """Reject an empty window."""
        if self.since is not None and self.since >= self.until:
            raise UsageError(
                f"The window is empty: until ({self.until:%Y-%m-%d %H:%M} UTC) is not after "
                f"since ({self.since:%Y-%m-%d %H:%M} UTC).",
                "Give a --since before --until; the default of --until is now.",
            )

    def split(self, n_parts: int) -> list[Window]:
        """Adjacent windows of one length that cover this one, newest first; each can be listed with its own cursor.

        A window without ``since`` cannot be split: its start is unknown.
        """
        if self.since is None:
            return [self]
        step = (self.until - self.since) / n_parts
        bounds = [self.since + step * part for part in range(n_parts)] + [self.until]
        parts = [Window(a, b, self.agent_id) for a, b in pairwise(bounds)][::-1]
        return [replace(parts[0], is_open=self.is_open), *parts[1:]]

    def contains(self, start: datetime, agent_id: str | None) -> bool:
        """Whether a conversation belongs to the window; ``agent_id`` None, for an unknown agent, matches any."""
        is_in_time = (start < self.until or self.is_open) and (self.since is None or start >= self.since)
        return is_in_time and (self.agent_id is None or agent_id in {None, self.agent_id})

    def as_listing(self, listed_at: datetime) -> Listing:
        """The record of a complete listing of this window that started at ``listed_at``, and covers no time after."""
        return Listing(listed_at, self.since, min(self.until, listed_at), self.agent_id)

    def __str__(self) -> str:
        """For messages."""
        since = "the first conversation" if self.since is None else f"{self.since:%Y-%m-%d %H:%M}"
        agent = f", agent {self.agent_id}" if self.agent_id else ""
        return f"{since} to {self.until:%Y-%m-%d %H:%M} UTC{agent}"


def parse_moment(text: str, now: datetime) -> datetime:
    """Parse a user's date (its start in UTC), time, or days ago (``7d``).

    Raises:
        UsageError: it is none of these.
    """
    if ago := re.fullmatch(r"(\d{1,5})d", text.strip()):
        return now - timedelta(days=int(ago[1]))
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: a year before 1 or after 9999 in UTC
        raise UsageError(f"{text!r} is not a date.", MOMENT_HINT) from None


def parse_moments(since: str | None, until: str | None, now: datetime) -> tuple[datetime | None, datetime | None]:
    """A user's begin and end, each as ``parse_moment``; None for one that is not given.

    Raises:
        UsageError: one is not a time, or no time is between them.
    """
    since_at, until_at = (None if text is None else parse_moment(text, now) for text in (since, until))
    if until_at is not None:
        Window(since_at, until_at)
    return since_at, until_at


def next_window(listings: Iterable[Listing], *, now: datetime, lookback_days: int) -> Window:
    """The default window, which is open: from the end of what is listed without a gap, less the lookback, to now.

    The first listing of all agents decides where the copy starts; without one, the window is all of history. A later
    listing extends it only if it overlaps or is adjacent. One that leaves a gap does not, so this window covers the
    gap. What a listing covers ends with the newest conversation that it showed: our clock may have been wrong, but
    nothing is known to have started later. So this window may be longer than needed, and then has few conversations.

    Args:
        listings: Every complete listing, in the order of their landing (``landing.listings``).
        now: The run's time.
        lookback_days: Days that are listed again.
    """
    spans = [
        (listing.since or BEGINNING, min(listing.until, listing.listed_at, listing.newest_start_at or listing.until))
        for listing in listings
        if listing.agent_id is None and listing.until is not None
    ]
    covered_until = end_without_gap(spans)
    if covered_until is None or covered_until == BEGINNING:
        return Window(None, now, is_open=True)
    # A second more, so that whether the API's bounds are inclusive makes no difference.
    return Window(min(covered_until, now) - timedelta(days=lookback_days, seconds=1), now, is_open=True)
