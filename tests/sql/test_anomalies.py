"""Days that are not like those before: the weighted mean, its spread and the flag, worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from math import sqrt
from typing import Any

import pytest

KEY = "metrics.anomalies"
FIRST = date(2026, 9, 1)
SEVEN = (1 - 0.7**7) / 0.3  # 1 + 0.7 + … + 0.7⁶, the weights of seven days up to their factor 0.3
COLUMNS = ("expected", "spread", "deviation", "is_flagged")


def days(rows: Any, *counts: int, agent: str | None = "a1", **row: object) -> None:
    """So many calls a day, every second day from the first of September: days without calls are not days."""
    for number, count in enumerate(counts):
        day = FIRST + timedelta(days=2 * number)
        at = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        for _ in range(count):
            call = f"{agent}-{number}-{len(rows.rows['conversations'])}"
            rows.call(call, agent_id=agent, start_date=day, start_time_at=at, **row)


def last(rows: Any, measure: str, *columns: str) -> dict[str, Any]:
    """The newest day of a measure."""
    row = max((row for row in rows.model(KEY) if row["measure"] == measure), key=lambda row: row["start_date"])
    return {name: row[name] for name in columns}


@pytest.mark.parametrize(("today", "is_flagged"), [(13, True), (12, False)])
def test_a_count_against_the_weighted_days_before(rows: Any, *, today: int, is_flagged: bool) -> None:
    # Expected: (8 + 4 * 0.7 + ... + 4 * 0.7⁶) ÷ 3.0588 = 4 + 4 ÷ 3.0588 = 5.3077. Their squares weigh
    # 16 + 48 ÷ 3.0588 = 31.692, so they spread by √(31.692 - 28.172) = 1.876, less than √5.3077 = 2.304, which chance
    # gives; thrice that is 6.91, so that 12.22 are the most that a day may have.
    days(rows, 4, 4, 4, 4, 4, 4, 8, today)
    expected = 4 + 4 / SEVEN
    assert last(rows, "n_calls", "value", "n_observations", "n_days_before", *COLUMNS) == pytest.approx(
        {
            "value": float(today),
            "n_observations": today,
            "n_days_before": 7,
            "expected": expected,
            "spread": sqrt(expected),
            "deviation": today - expected,
            "is_flagged": is_flagged,
        }
    )


@pytest.mark.parametrize(("hours", "is_flagged"), [(23, False), (24, True)])
def test_a_day_that_is_not_over_is_not_flagged(rows: Any, *, hours: int, is_flagged: bool) -> None:
    days(rows, 4, 4, 4, 4, 4, 4, 8, 13)
    newest_day = datetime(2026, 9, 15, tzinfo=UTC)
    times = {"last_full_listing_at": newest_day + timedelta(hours=hours)}
    rows.whole("sync_runs", run_id="night", outcome="complete", elapsed_secs=1.0, **times)
    assert last(rows, "n_calls", "value", "is_flagged") == {"value": 13.0, "is_flagged": is_flagged}


def test_a_day_without_finished_calls_is_no_day(rows: Any) -> None:
    days(rows, 4, 4)
    days(rows, 0, 0, 1, status="in-progress")
    days(rows, 0, 0, 0, 5)
    counts = [(row["value"], row["n_days_before"]) for row in rows.model(KEY) if row["measure"] == "n_calls"]
    assert counts == [(4.0, 0), (4.0, 1), (5.0, 2)]


def test_days_that_differ_much_spread_more_than_chance(rows: Any) -> None:
    days(rows, 1, 1, 1, 1, 1, 1, 41, 9)
    expected = 1 + 40 / SEVEN  # 14.08
    square = 1 + 1680 / SEVEN
    assert last(rows, "n_calls", *COLUMNS) == pytest.approx(
        {
            "expected": expected,
            "spread": sqrt(square - expected**2),  # 18.75, more than √14.08
            "deviation": 9 - expected,
            "is_flagged": False,
        }
    )


def test_nothing_is_expected_of_an_agent_of_six_days(rows: Any) -> None:
    days(rows, 1, 1, 1, 1, 1, 1, 60)
    nothing = {"expected": None, "spread": None, "deviation": None, "is_flagged": False}
    assert last(rows, "n_calls", "n_days_before", *COLUMNS) == {"n_days_before": 6, **nothing}


def test_what_was_more_than_28_days_before_is_forgotten_and_agents_do_not_mix(rows: Any) -> None:
    days(rows, 50, *[2] * 28, 2, agent=None)
    days(rows, 50, *[60] * 2, agent="a2")
    days(rows, 50, *[70] * 2, agent=None, workspace="other")
    actual = rows.model(KEY, "workspace", "agent_id", "measure", "n_days_before", "expected")
    counts = [row for row in actual if row["measure"] == "n_calls" and row["agent_id"] is None]
    mine = [(row["n_days_before"], row["expected"]) for row in counts if row["workspace"] == "main"]
    assert mine[-1] == (28, pytest.approx(2.0))
    assert mine[-2] == (28, pytest.approx(2.0 + 48 * 0.7**27 * 0.3 / (1 - 0.7**28)))
    assert mine[:8] == [(n, None) for n in range(7)] + [(7, pytest.approx(2.0 + 48 * 0.7**6 / SEVEN))]


@pytest.mark.parametrize(("n_calls", "is_flagged"), [(10, True), (2, False)])
def test_half_of_ten_is_unusual_and_half_of_two_is_not(rows: Any, *, n_calls: int, is_flagged: bool) -> None:
    days(rows, *[10] * 7, analysis_call_successful="success")
    days(rows, *[0] * 7, n_calls // 2, analysis_call_successful="success")
    days(rows, *[0] * 7, n_calls // 2, analysis_call_successful="failure")
    days(rows, *[0] * 7, 1)  # not judged
    # Always 1 before; with half an observation added (10 + 0.5) ÷ 11 = 0.9545, or (2 + 0.5) ÷ 3 = 0.8333
    share = (n_calls + 0.5) / (n_calls + 1)
    assert last(rows, "success_rate", "value", "n_observations", *COLUMNS) == pytest.approx(
        {
            "value": 0.5,
            "n_observations": n_calls,
            "expected": 1.0,
            "spread": sqrt(share * (1 - share) / n_calls),
            "deviation": -0.5,
            "is_flagged": is_flagged,
        }
    )


@pytest.mark.parametrize(("usd", "is_flagged"), [(0.12, True), (0.08, True), (0.11, False)])
def test_an_amount_may_differ_by_three_times_a_twentieth(rows: Any, *, usd: float, is_flagged: bool) -> None:
    days(rows, *[1] * 7, cost_fiat_usd=0.10)
    days(rows, *[0] * 7, 1, cost_fiat_usd=usd)
    expected = {"expected": 0.10, "spread": 0.005, "deviation": usd - 0.10, "is_flagged": is_flagged}
    assert last(rows, "cost_usd_per_call", *COLUMNS) == pytest.approx(expected, rel=1e-4)


def test_each_measure_is_the_column_of_agent_daily(rows: Any) -> None:
    """The calls, of which one reached nobody, give every rate another value and number of observations."""
    day = {"start_date": FIRST, "start_time_at": datetime(2026, 9, 1, 9, tzinfo=UTC)}
    for number in range(10):
        rows.call(
            f"c{number}",
            **day,
            cost_fiat_usd=0.5,
            call_duration_secs=10 if number == 0 else 100,  # one abandoned
            error_code=1002 if number in (1, 2) else None,
            analysis_call_successful={3: "success", 4: "failure", 5: "failure", 6: "failure"}.get(number),
        )
        key = {"conversation_id": f"c{number}", "start_date": FIRST}
        if number:
            rows.add("turns", **key, turn_index=0, role="user", message="Hi")
        for turn in (1, 2):
            rows.add("turns", **key, turn_index=turn, role="agent", message="Yes", interrupted=number == turn == 1)
        wait = {"metric": "convai_ttf_audio_since_silence", "is_repeat": False}
        if number in (1, 2, 3):
            rows.add("turn_metrics", **key, **wait, turn_index=1, elapsed_secs=float(number))
    rows.call("c10", **day, cost_fiat_usd=0.5, phone_call_call_result="busy")
    for number in (7, 8, 9):
        rows.add("visited_agents", conversation_id=f"c{number}", start_date=FIRST, visit_index=0, agent_id="a1")
        rows.add("visited_agents", conversation_id=f"c{number}", start_date=FIRST, visit_index=1, agent_id="a2")
    actual = rows.model(KEY)
    assert [(row["measure"], row["value"], row["n_observations"]) for row in actual] == [
        ("abandonment_rate", 0.1, 10),
        ("containment_rate", 0.7, 10),
        ("cost_usd_per_call", 0.5, 11),
        ("error_rate", 2 / 11, 11),
        ("interruption_rate", 0.05, 20),
        ("n_calls", 11.0, 11),
        ("success_rate", 0.25, 4),
        ("transfer_rate", 3 / 11, 11),
        ("wait_p50_secs", 2.0, 3),
        ("wait_p95_secs", pytest.approx(2.9), 3),
    ]
