"""When calls come, by the workspace's clock, and how many ran at once: starts and ends swept by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

MONDAY, TUESDAY, SATURDAY = 1, 2, 6


def called(rows: Any, call: str, start: str, minutes: int | None, **row: object) -> None:
    at = datetime.fromisoformat(f"2026-{start}").replace(tzinfo=UTC)
    secs = None if minutes is None else minutes * 60
    rows.call(call, start_time_at=at, start_date=at.date(), call_duration_secs=secs, **row)


def loads(rows: Any) -> dict[tuple[int, int], tuple[int, int]]:
    """Calls and peak by weekday and hour."""
    names = ("local_weekday", "local_start_hour", "n_calls", "n_peak_calls")
    return {
        (weekday, hour): (n_calls, n_peak_calls)
        for weekday, hour, n_calls, n_peak_calls in rows.values("metrics.hourly_load", *names)
    }


def test_hourly_load_counts_by_the_clock_of_the_workspace(rows: Any) -> None:
    rows.zone("Europe/Berlin")
    rows.seed("excluded_callers", "user_id,bot,load test")
    # Monday 2 November, winter: Berlin is an hour ahead
    called(rows, "c1", "11-02 12:50", 30, cost_fiat_usd=0.2, analysis_call_successful="success")  # 13:50 to 14:20
    called(rows, "c2", "11-02 13:00", 10, cost_credits=60, charging_tier="starter")  # 14:00 to 14:10
    called(rows, "c3", "11-02 13:10", 10, analysis_call_successful="failure")  # begins as c2 ends
    called(rows, "c4", "11-02 13:05", None, cost_fiat_usd=0.09)  # an instant, beside c1 and c2: three at once
    called(rows, "c5", "11-09 13:30", 60)  # the Monday after: 14:30 to 15:30
    called(rows, "c6", "11-02 13:05", 10, status="in-progress")
    called(rows, "c7", "11-02 13:05", 10, user_id="bot")
    called(rows, "c8", "10-24 12:00", 1)  # a Saturday in summer: two hours ahead
    called(rows, "c9", "11-02 13:15", 1, workspace="other")  # UTC

    hour_13, hour_14, hour_15, saturday, other = rows.model("metrics.hourly_load")

    key = {"workspace": "main", "local_weekday": MONDAY}
    assert hour_14 == pytest.approx(
        {
            **key,
            "local_start_hour": 14,
            "n_calls": 4,  # c2 to c5
            "call_minutes": 80.0,
            "n_success": 0,
            "n_failure": 1,
            "n_unknown": 3,
            "success_rate": 0.0,
            "success_coverage": 0.25,
            "cost_credits": 60,
            "cost_usd": 0.1,
            "cost_usd_coverage": 0.5,
            "cost_usd_per_call": 0.025,
            "n_peak_calls": 3,
        }
    )
    assert (hour_13["local_start_hour"], hour_13["n_calls"], hour_13["n_peak_calls"]) == (13, 1, 1)
    assert (hour_13["success_rate"], hour_13["cost_usd_per_call"]) == (1.0, 0.2)
    assert hour_15 == {  # c5 runs on, and nothing starts
        **key,
        "local_start_hour": 15,
        "n_calls": 0,
        "call_minutes": 0.0,
        "n_success": 0,
        "n_failure": 0,
        "n_unknown": 0,
        "success_rate": None,
        "success_coverage": None,
        "cost_credits": None,
        "cost_usd": None,
        "cost_usd_coverage": None,
        "cost_usd_per_call": None,
        "n_peak_calls": 1,
    }
    assert (saturday["local_weekday"], saturday["local_start_hour"]) == (SATURDAY, 14)
    assert (other["workspace"], other["local_weekday"], other["local_start_hour"]) == ("other", MONDAY, 13)
    assert other["n_peak_calls"] == 1


def test_calls_that_end_on_the_hour_are_not_in_it(rows: Any) -> None:
    for call in ("c1", "c2", "c3"):
        called(rows, call, "11-02 17:30", 30)
    called(rows, "c4", "11-02 18:00", 30)
    called(rows, "c5", "11-03 17:30", 30)  # and nothing runs at six
    assert loads(rows) == {(MONDAY, 17): (3, 3), (MONDAY, 18): (1, 1), (TUESDAY, 17): (1, 1)}


def test_a_long_call_is_in_the_peak_of_hours_in_which_nothing_happens(rows: Any) -> None:
    called(rows, "d1", "11-02 22:30", 200)  # until Tuesday 01:50
    called(rows, "d2", "11-03 01:10", 5)
    assert loads(rows) == {
        (MONDAY, 22): (1, 1),
        (MONDAY, 23): (0, 1),
        (TUESDAY, 0): (0, 1),
        (TUESDAY, 1): (1, 2),
    }


def test_hours_of_a_zone_that_is_half_an_hour_off(rows: Any) -> None:
    rows.zone("Asia/Kolkata")
    called(rows, "e1", "11-02 12:15", 30)  # 17:45 to 18:15
    assert loads(rows) == {(MONDAY, 17): (1, 1), (MONDAY, 18): (0, 1)}


def test_hours_of_a_zone_that_is_a_quarter_off(rows: Any) -> None:
    rows.zone("Asia/Kathmandu")
    called(rows, "e2", "11-02 12:00", 16)  # 17:45 to 18:01
    assert loads(rows) == {(MONDAY, 17): (1, 1), (MONDAY, 18): (0, 1)}


def test_calls_without_length_are_there_together_for_an_instant(rows: Any) -> None:
    for call in ("f1", "f2"):
        called(rows, call, "11-02 12:00", None)
    called(rows, "f3", "11-02 12:01", 0)
    assert loads(rows) == {(MONDAY, 12): (3, 2)}
