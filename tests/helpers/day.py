"""The time as far as any test can tell: 06:00 UTC of a fixed day, or of pytest's ``--today``, and the seconds since."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from pipelines.clock import MovingClock

TODAY = date(2026, 11, 26)
now = MovingClock(datetime.combine(TODAY, time(6), UTC))


def set_today(today: date) -> None:
    now.set(datetime.combine(today, time(6), UTC))


def midnight() -> datetime:
    """The start of today, in UTC."""
    return now.start - timedelta(hours=6)
