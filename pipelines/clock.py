"""The clock: the only module that reads the time of day, so that all others can be given another one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from time import monotonic


def utc_now() -> datetime:
    """The clock of the real world."""
    return datetime.now(UTC)  # noqa: TID251 - the one place


class MovingClock:
    """A clock that begins at a moment and goes on with the seconds of the real one since it was set."""

    def __init__(self, begin: datetime) -> None:
        self.set(begin)

    def set(self, begin: datetime) -> None:
        """Begin again, at this moment."""
        self.begin, self._set_at = begin, monotonic()

    def __call__(self) -> datetime:
        """Now."""
        return self.begin + timedelta(seconds=monotonic() - self._set_at)


@cache
def clock_from(begin: datetime) -> MovingClock:
    """The clock of this process that begins at a moment when it is first asked for; all who ask share it."""
    return MovingClock(begin)
