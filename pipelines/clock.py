"""The only module that reads the time of day; all others are given a clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from time import monotonic


def utc_now() -> datetime:
    """The real time."""
    return datetime.now(UTC)  # noqa: TID251 - the one place


class MovingClock:
    """A clock that starts at a moment and then runs at real speed."""

    def __init__(self, start: datetime) -> None:
        self.set(start)

    def set(self, start: datetime) -> None:
        """Start again at this moment."""
        self.start, self._set_at = start, monotonic()

    def __call__(self) -> datetime:
        """The current time of this clock."""
        return self.start + timedelta(seconds=monotonic() - self._set_at)


@cache
def clock_from(start: datetime) -> MovingClock:
    """The one clock of this process that starts at a moment, when it is first used."""
    return MovingClock(start)
