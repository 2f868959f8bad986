"""Starts of calls by the clock of their workspace, where the clock is put forward and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any


def _shown(rows: Any, **starts: str) -> dict[str, tuple[str, str, int, int]]:
    """Start, day, hour and weekday on the clock, by call; ``starts`` are UTC."""
    for name, start in starts.items():
        at = datetime.fromisoformat(f"{start}+00:00")
        rows.call(name, start_time_at=at, start_date=at.date(), workspace="second" if name == "second" else "main")
    columns = ("conversation_id", "local_start_at", "local_start_date", "local_start_hour", "local_weekday")
    return {
        row["conversation_id"]: (
            row["local_start_at"].isoformat(),
            row["local_start_date"].isoformat(),
            row["local_start_hour"],
            row["local_weekday"],
        )
        for row in rows.model("marts.fct_conversations", *columns)
    }


def test_the_clock_is_put_forward(rows: Any) -> None:
    # On Sunday 29 March 2026, 02:00 in Berlin (01:00 UTC) becomes 03:00: no call starts between.
    rows.zone("Europe/Berlin")
    assert _shown(
        rows,
        a="2026-03-28T22:59:59",  # UTC+1: 23:59:59 on Saturday
        b="2026-03-28T23:00:00",  # UTC+1: midnight, Sunday there and Saturday in UTC
        c="2026-03-29T00:59:59",  # UTC+1: the last second before
        d="2026-03-29T01:00:00",  # UTC+2: the first after
        e="2026-03-29T21:59:59",  # UTC+2: the last of the day, which has 23 hours
        f="2026-03-29T22:00:00",  # UTC+2: Monday
    ) == {
        "a": ("2026-03-28T23:59:59", "2026-03-28", 23, 6),
        "b": ("2026-03-29T00:00:00", "2026-03-29", 0, 7),
        "c": ("2026-03-29T01:59:59", "2026-03-29", 1, 7),
        "d": ("2026-03-29T03:00:00", "2026-03-29", 3, 7),
        "e": ("2026-03-29T23:59:59", "2026-03-29", 23, 7),
        "f": ("2026-03-30T00:00:00", "2026-03-30", 0, 1),
    }


def test_the_clock_is_put_back(rows: Any) -> None:
    # On Sunday 25 October 2026, 03:00 in Berlin (01:00 UTC) becomes 02:00: that hour is shown twice.
    rows.zone("Europe/Berlin")
    assert _shown(
        rows,
        a="2026-10-24T21:59:59",  # UTC+2: the last second of Saturday
        b="2026-10-24T22:00:00",  # UTC+2: Sunday
        c="2026-10-25T00:30:00",  # UTC+2: half past two for the first time
        d="2026-10-25T01:30:00",  # UTC+1: half past two again
        e="2026-10-25T22:59:59",  # UTC+1: the last second of a day of 25 hours
        f="2026-10-25T23:00:00",  # UTC+1: Monday
    ) == {
        "a": ("2026-10-24T23:59:59", "2026-10-24", 23, 6),
        "b": ("2026-10-25T00:00:00", "2026-10-25", 0, 7),
        "c": ("2026-10-25T02:30:00", "2026-10-25", 2, 7),
        "d": ("2026-10-25T02:30:00", "2026-10-25", 2, 7),
        "e": ("2026-10-25T23:59:59", "2026-10-25", 23, 7),
        "f": ("2026-10-26T00:00:00", "2026-10-26", 0, 1),
    }


def test_each_workspace_has_its_clock(rows: Any) -> None:
    rows.zone("America/New_York")  # UTC-5 in November
    rows.zone("Asia/Kathmandu", "second")  # UTC+5:45
    assert _shown(rows, first="2026-11-02T02:00:00", second="2026-11-01T20:00:00") == {
        "first": ("2026-11-01T21:00:00", "2026-11-01", 21, 7),
        "second": ("2026-11-02T01:45:00", "2026-11-02", 1, 1),
    }


def test_a_workspace_without_a_zone_has_utc(rows: Any) -> None:
    rows.zone("Asia/Tokyo", "another")
    assert _shown(rows, a="2026-11-01T23:59:59") == {"a": ("2026-11-01T23:59:59", "2026-11-01", 23, 7)}
