"""Which calls to list: the window of a run, from what the landing says was listed before.

The API has no "changed since", and a list row can change after its call is done, so each run lists again the days
before the last complete listing. No cursor is kept across runs. All times are UTC.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from pipelines.errors import UsageError
from warehouse.storage.landing import Listing

MOMENT_HINT = "Give a date such as 2026-01-31, a time such as 2026-01-31T14:00+01:00, or days ago such as 7d."


@dataclass(frozen=True, slots=True)
class Window:
    """Calls that started in [since, until); ``since`` None is all of history, ``agent_id`` None all agents."""

    since: datetime | None
    until: datetime
    agent_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse a window that can hold nothing."""
        if self.since is not None and self.since >= self.until:
            raise UsageError(
                f"The window is empty: until ({self.until:%Y-%m-%d %H:%M} UTC) is not after "
                f"since ({self.since:%Y-%m-%d %H:%M} UTC).",
                "Give --until a later date than --since.",
            )

    def split(self, days: int, max_parts: int) -> list[Window]:
        """Windows that together cover this one, newest first: about ``days`` long, ``most`` at most.

        Several cursors can then run side by side. All of history cannot be split: its start is not known.
        """
        if self.since is None:
            return [self]
        parts = min(max_parts, max(1, round((self.until - self.since) / timedelta(days=days))))
        step = (self.until - self.since) / parts
        bounds = [self.since + step * part for part in range(parts)] + [self.until]
        return [Window(a, b, self.agent_id) for a, b in pairwise(bounds)][::-1]

    def contains(self, start: datetime, agent_id: str | None) -> bool:
        """Whether a call belongs to the window; a call whose agent is not told may."""
        is_in_time = start < self.until and (self.since is None or start >= self.since)
        return is_in_time and (self.agent_id is None or agent_id in {None, self.agent_id})

    def as_listing(self, listed_at: datetime) -> Listing:
        """The complete listing of this window that began then."""
        return Listing(listed_at, self.since, self.until, self.agent_id)

    def __str__(self) -> str:
        """For people."""
        since = "the first call" if self.since is None else f"{self.since:%Y-%m-%d %H:%M}"
        agent = f", agent {self.agent_id}" if self.agent_id else ""
        return f"{since} to {self.until:%Y-%m-%d %H:%M} UTC{agent}"


def parse_moment(text: str, now: datetime) -> datetime:
    """A point in time that a person wrote: a date (its start, UTC), a time, or days ago.

    Raises:
        UsageError: it is none of these.
    """
    if ago := re.fullmatch(r"(\d{1,5})d", text.strip()):
        return now - timedelta(days=int(ago[1]))
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # OverflowError: a year before 1 or after 9999 in UTC
        raise UsageError(f"{text!r} is no date.", MOMENT_HINT) from None


def next_window(listings: Iterable[Listing], *, now: datetime, lookback_days: int) -> Window:
    """The window of a run that was not told one: from where the listings have no gap, less the look-back, to now.

    The first listing of all agents is where the copy begins; without one, it is all of history. A later listing counts
    as far as it hangs together with it: one of a few days alone leaves a gap, which the next run lists as well.

    Args:
        listings: Every complete listing, oldest first (``landing.listings``).
        now: The run's time.
        lookback_days: Days that are listed again.
    """
    whole = [each for each in listings if each.agent_id is None and each.until is not None]
    if not whole:
        return Window(None, now)
    covered_until = whole[0].until or now
    beginning = datetime.min.replace(tzinfo=UTC)
    for each in sorted(whole, key=lambda each: each.since or beginning):
        if each.until is not None and (each.since or beginning) <= covered_until:
            covered_until = max(covered_until, each.until)
    return Window(min(covered_until, now) - timedelta(days=lookback_days, seconds=1), now)
