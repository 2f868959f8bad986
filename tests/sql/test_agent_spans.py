"""An agent's weeks and versions: the measures of ``agent_daily`` over longer spans, their change and their interval."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

WAIT = "convai_ttf_audio_since_silence"
MONDAY = date(2026, 11, 2)  # a Monday: the weeks of these tests begin on 2, 9, 16 and 23 November 2026
SUNDAY, NEXT_MONDAY, TUESDAY = date(2026, 11, 8), date(2026, 11, 9), date(2026, 11, 24)


def _noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def _call(rows: Any, name: str, day: date, **row: object) -> None:
    rows.call(name, start_date=day, start_time_at=_noon(day), **row)


def _turns(rows: Any, call: str, day: date, *turns: tuple[bool, float | None]) -> None:
    """Spoken entries of the agent: whether the user cut it, and the wait before it."""
    for index, (is_cut, wait) in enumerate(turns):
        of_it = {"conversation_id": call, "start_date": day, "turn_index": index}
        # the version that makes an entry is another one here, to which its wait does not belong
        rows.add("turns", **of_it, role="agent", message="Hi", interrupted=is_cut, agent_metadata_version_id="v9")
        if wait is not None:
            rows.add("turn_metrics", **of_it, metric=WAIT, elapsed_secs=wait, is_repeat=False)


def _transfer(rows: Any, call: str, day: date, what: str) -> None:
    of_it = {"conversation_id": call, "start_date": day, "turn_index": 0, "result_index": 0}
    rows.add("tool_results", **of_it, depth=0, request_id="r", tool_name=what, result_type=what)


def _tokens(rows: Any, call: str, day: date, scope: str, price_usd: float) -> None:
    key = {"conversation_id": call, "start_date": day, "turn_index": -1, "model": "m", "token_kind": "input"}
    rows.add("llm_usage", **key, scope=scope, tokens=1, price_usd=price_usd)


def _two_weeks_and_a_bare_call(rows: Any) -> None:
    """Two weeks of a1, which are its versions v1 and v2 as well; a bare call of it; an open one of a2."""
    _call(
        rows,
        "c1",
        MONDAY,
        version_id="v1",
        call_duration_secs=60,
        analysis_call_successful="success",
        cost_credits=600,
        charging_tier="starter",
        feedback_rating=5,
        feedback_likes=1,
        feedback_dislikes=2,
    )
    _turns(rows, "c1", MONDAY, (True, None), (False, 1.0))
    _tokens(rows, "c1", MONDAY, "initiated", 0.02)
    _tokens(rows, "c1", MONDAY, "irreversible", 0.01)
    _call(
        rows,
        "c2",
        SUNDAY,
        version_id="v1",
        call_duration_secs=120,
        analysis_call_successful="failure",
        cost_credits=1800,
        cost_fiat_usd=0.3,
        is_deleted=True,
        feedback_rating=2,
        feedback_likes=2,
        feedback_dislikes=1,
    )
    _turns(rows, "c2", SUNDAY, (True, 3.0))
    _tokens(rows, "c2", SUNDAY, "initiated", 0.01)
    _transfer(rows, "c2", SUNDAY, "transfer_to_number_sip_success")
    _call(
        rows,
        "c3",
        NEXT_MONDAY,
        version_id="v2",
        call_duration_secs=20,
        analysis_call_successful="success",
        cost_credits=50,
        charging_tier="free",
        features_usage_voicemail_detection_used=True,
    )
    _call(rows, "c4", NEXT_MONDAY, version_id="v2", status="failed", call_duration_secs=0, user_message_count=1)
    _call(
        rows,
        "c5",
        NEXT_MONDAY,
        version_id="v2",
        call_duration_secs=100,
        analysis_call_successful="success",
        cost_credits=900,
        charging_tier="starter",
        feedback_rating=4,
    )
    _turns(rows, "c5", NEXT_MONDAY, (True, 4.0), (False, None))
    _transfer(rows, "c5", NEXT_MONDAY, "transfer_to_agent_success")
    _tokens(rows, "c5", NEXT_MONDAY, "initiated", 0.05)
    open_one = {"status": "in-progress", "analysis_call_successful": "success", "cost_credits": 9999}
    _call(rows, "open", NEXT_MONDAY, version_id="v2", **open_one)
    _turns(rows, "open", NEXT_MONDAY, (True, 100.0))
    rows.seed("excluded_callers", "user_id,tester,ourselves")
    for name, status in (("tested", "done"), ("in_test", "in-progress")):
        _call(rows, name, MONDAY, version_id="v1", user_id="tester", status=status, cost_credits=9999)
        _turns(rows, name, MONDAY, (True, 100.0))
    _call(rows, "bare", TUESDAY)
    _call(rows, "only_open", MONDAY, agent_id="a2", version_id="v7", status="initiated")


# c1 and c2: 600 credits at 6000 for a dollar are 0.1, and 0.3 is reported; waits of 1 and 3
FIRST = {
    "n_calls": 2,
    "n_open": 0,
    "n_deleted": 1,
    "call_minutes": 3.0,
    "n_success": 1,
    "n_failure": 1,
    "n_unknown": 0,
    "success_rate": 0.5,
    "success_coverage": 1.0,
    "cost_credits": 2400,
    "cost_usd": 0.4,
    "cost_usd_coverage": 1.0,
    "cost_usd_per_call": 0.2,
    "cost_usd_per_minute": 0.4 / 3,
    "cost_usd_per_success": 0.4,
    "llm_cost_usd": 0.03,
    "n_agent_turns": 3,
    "n_interruptions": 2,
    "interruption_rate": 2 / 3,
    "n_transferred": 1,
    "n_transferred_to_agent": 0,
    "n_transferred_to_human": 1,
    "transfer_rate": 0.5,
    "n_contained": 1,
    "containment_rate": 0.5,
    "n_voicemail": 0,
    "voicemail_rate": 0.0,
    "n_errors": 0,
    "error_rate": 0.0,
    "n_abandoned": 0,
    "abandonment_rate": 0.0,
    "n_ratings": 2,
    "rating": 3.5,
    "likes": 3,
    "dislikes": 3,
    "n_waits": 2,
    "wait_p50_secs": 2.0,
    "wait_p90_secs": 2.8,
    "wait_p95_secs": 2.9,
    "wait_p99_secs": 2.98,
}

# c3 (abandoned to a machine, no rate for its plan), c4 (failed) and c5 (900 credits are 0.15), one open
SECOND = {
    "n_calls": 3,
    "n_open": 1,
    "n_deleted": 0,
    "call_minutes": 2.0,
    "n_success": 2,
    "n_failure": 0,
    "n_unknown": 1,
    "success_rate": 1.0,
    "success_coverage": 2 / 3,
    "cost_credits": 950,
    "cost_usd": 0.15,
    "cost_usd_coverage": 1 / 3,
    "cost_usd_per_call": 0.05,
    "cost_usd_per_minute": 0.075,
    "cost_usd_per_success": 0.075,
    "llm_cost_usd": 0.05,
    "n_agent_turns": 2,
    "n_interruptions": 1,
    "interruption_rate": 0.5,
    "n_transferred": 1,
    "n_transferred_to_agent": 1,
    "n_transferred_to_human": 0,
    "transfer_rate": 1 / 3,
    "n_contained": 1,
    "containment_rate": 1 / 3,
    "n_voicemail": 1,
    "voicemail_rate": 1 / 3,
    "n_errors": 1,
    "error_rate": 1 / 3,
    "n_abandoned": 1,
    "abandonment_rate": 1 / 3,
    "n_ratings": 1,
    "rating": 4.0,
    "likes": 0,
    "dislikes": 0,
    "n_waits": 1,
    "wait_p50_secs": 4.0,
    "wait_p90_secs": 4.0,
    "wait_p95_secs": 4.0,
    "wait_p99_secs": 4.0,
}

# a call that lasted no time that is known, was judged by nobody, cost nothing that is known, and had no entry
BARE = dict.fromkeys(FIRST) | {
    **dict.fromkeys((name for name in FIRST if name.startswith("n_")), 0),
    **dict.fromkeys((name for name in FIRST if name.endswith(("_coverage", "_rate"))), 0.0),
    "n_calls": 1,
    "n_unknown": 1,
    "n_contained": 1,
    "containment_rate": 1.0,
    "call_minutes": 0.0,
    "likes": 0,
    "dislikes": 0,
    "success_rate": None,
    "interruption_rate": None,
}

# no finished call at all
ONLY_OPEN = dict.fromkeys(FIRST) | {
    **dict.fromkeys((name for name in FIRST if name.startswith("n_")), 0),
    "n_open": 1,
    "call_minutes": 0.0,
    "likes": 0,
    "dislikes": 0,
}

# SECOND less FIRST, worked out apart
CHANGE = {
    "n_calls_change": 1,
    "n_open_change": 1,
    "call_minutes_change": -1.0,
    "success_rate_change": 0.5,
    "success_coverage_change": -1 / 3,
    "cost_credits_change": -1450,
    "cost_usd_change": -0.25,
    "cost_usd_coverage_change": -2 / 3,
    "cost_usd_per_call_change": -0.15,
    "cost_usd_per_minute_change": 0.075 - 0.4 / 3,
    "cost_usd_per_success_change": -0.325,
    "llm_cost_usd_change": 0.02,
    "interruption_rate_change": -1 / 6,
    "transfer_rate_change": -1 / 6,
    "containment_rate_change": -1 / 6,
    "voicemail_rate_change": 1 / 3,
    "error_rate_change": 1 / 3,
    "abandonment_rate_change": 1 / 3,
    "rating_change": 0.5,
    "wait_p50_secs_change": 2.0,
    "wait_p90_secs_change": 1.2,
    "wait_p95_secs_change": 1.1,
    "wait_p99_secs_change": 1.02,
}
NO_CHANGE = dict.fromkeys(CHANGE)


def test_weeks_and_their_change(rows: Any) -> None:
    _two_weeks_and_a_bare_call(rows)
    key = {"workspace": "main", "agent_id": "a1"}
    assert rows.model("metrics.agent_scorecard") == [
        pytest.approx(row)
        for row in (
            key | {"week_start_date": MONDAY, "is_over": True} | FIRST | NO_CHANGE,
            key | {"agent_id": "a2", "week_start_date": MONDAY, "is_over": True} | ONLY_OPEN | NO_CHANGE,
            key | {"week_start_date": NEXT_MONDAY, "is_over": True} | SECOND | CHANGE,
            # no call in the week of 16 November, so there is nothing to compare with
            key | {"week_start_date": date(2026, 11, 23), "is_over": False} | BARE | NO_CHANGE,
        )
    ]


@pytest.mark.parametrize(("newest", "is_over"), [(SUNDAY, False), (NEXT_MONDAY, True)])
def test_a_week_is_over_when_a_later_day_has_a_call(rows: Any, newest: date, *, is_over: bool) -> None:
    _call(rows, "c1", MONDAY)
    _call(rows, "c2", newest, status="in-progress", agent_id="a2")
    _call(rows, "c3", TUESDAY, workspace="second", agent_id="b1")
    actual = rows.model("metrics.agent_scorecard", "agent_id", "week_start_date", "is_over")
    assert actual[0] == {"agent_id": "a1", "week_start_date": MONDAY, "is_over": is_over}


def test_a_week_is_compared_with_the_same_agents_in_the_same_workspace(rows: Any) -> None:
    _call(rows, "c1", MONDAY, agent_id=None)
    _call(rows, "c2", MONDAY, agent_id=None)
    _call(rows, "c3", NEXT_MONDAY, agent_id=None)
    _call(rows, "c4", NEXT_MONDAY, agent_id="a2", status="in-progress")
    _call(rows, "c5", NEXT_MONDAY, agent_id=None, workspace="second")
    _turns(rows, "c1", MONDAY, (False, 1.0))
    names = ("n_calls", "n_open", "n_calls_change", "n_open_change", "n_waits")
    actual = rows.model("metrics.agent_scorecard", "workspace", "week_start_date", "agent_id", *names)
    assert [tuple(row.values()) for row in actual] == [
        ("main", MONDAY, None, 2, 0, None, None, 1),
        ("main", NEXT_MONDAY, "a2", 0, 1, None, None, 0),
        ("main", NEXT_MONDAY, None, 1, 0, -1, 0, 0),
        ("second", NEXT_MONDAY, None, 1, 0, None, None, 0),
    ]


def test_a_week_without_the_troubles_of_the_one_before(rows: Any) -> None:
    # a machine took the failed call, in which nobody spoke
    trouble = {"status": "failed", "features_usage_voicemail_detection_used": True}
    _call(rows, "c1", MONDAY, call_duration_secs=5, **trouble)
    _call(rows, "c2", MONDAY, call_duration_secs=60)
    _call(rows, "c3", MONDAY, status="in-progress")
    _call(rows, "c4", NEXT_MONDAY, call_duration_secs=60)
    names = ("n_open", "voicemail_rate", "error_rate", "abandonment_rate", "containment_rate")
    actual = rows.model("metrics.agent_scorecard", *names, *(f"{name}_change" for name in names))
    nothing = (None, None, None, None, None)
    assert [tuple(row.values()) for row in actual] == [
        (1, 0.5, 0.5, 0.5, 0.5, *nothing),
        (0, 0.0, 0.0, 0.0, 1.0, -1, -0.5, -0.5, -0.5, 0.5),
    ]


def test_versions_side_by_side(rows: Any) -> None:
    _two_weeks_and_a_bare_call(rows)
    key = {"workspace": "main", "agent_id": "a1"}
    # Wilson, z² = 3.841459. One of two: (1 + 1.920729 ± 1.959964 √(1·1/2 + 0.960365)) ÷ 5.841459.
    first = {"version_id": "v1", "n_judged": 2, "success_rate_low": 0.0945312, "success_rate_high": 0.9054688}
    # Two of two: (2 + 1.920729 ± 1.920729) ÷ 5.841459.
    second = {"version_id": "v2", "n_judged": 2, "success_rate_low": 0.3423802, "success_rate_high": 1.0}
    unjudged = {"n_judged": 0, "success_rate_low": None, "success_rate_high": None}
    actual = rows.model("metrics.version_comparison")
    times = [(row.pop("first_call_at"), row.pop("last_call_at")) for row in actual]
    assert times == [
        (_noon(since), _noon(until))
        for since, until in ((MONDAY, SUNDAY), (NEXT_MONDAY, NEXT_MONDAY), (TUESDAY, TUESDAY), (MONDAY, MONDAY))
    ]
    assert actual == [
        pytest.approx(key | row)
        for row in (
            FIRST | first,
            SECOND | second,
            BARE | unjudged | {"version_id": None},
            ONLY_OPEN | unjudged | {"agent_id": "a2", "version_id": "v7"},
        )
    ]


@pytest.mark.parametrize(
    ("n_success", "n_failure", "low", "high"),
    # Newcombe, Two-sided confidence intervals for the single proportion (1998), table I, method 3; mirrored
    [
        (81, 182, 0.2553, 0.3662),
        (15, 133, 0.0624, 0.1605),
        (1, 28, 0.0061, 0.1718),
        (0, 20, 0, 0.1611),
        (20, 0, 0.8389, 1),
    ],
)
def test_interval_of_the_success_rate(rows: Any, n_success: int, n_failure: int, low: float, high: float) -> None:
    for number in range(n_success + n_failure + 1):
        verdict = "success" if number < n_success else "failure" if number < n_success + n_failure else "unknown"
        rows.call(f"c{number}", version_id="v1", analysis_call_successful=verdict)
    names = ("success_rate_low", "success_rate_high", "n_judged", "n_calls")
    (actual,) = rows.model("metrics.version_comparison", *names)
    counts = (n_success + n_failure, n_success + n_failure + 1)
    assert tuple(actual.values()) == pytest.approx((low, high, *counts), abs=0.00005)
    assert actual["success_rate_low"] >= 0
    assert actual["success_rate_high"] <= 1


def test_versions_of_two_workspaces_and_of_no_agent(rows: Any) -> None:
    later = rows.noon + timedelta(hours=1)
    rows.call("c1", agent_id=None, version_id="v1")
    rows.call("c2", agent_id=None, version_id="v1", status="in-progress", start_time_at=later)
    rows.call("c3", agent_id=None, version_id="v1", workspace="second")
    rows.call("c4", agent_id="a1", version_id="v1", status="in-progress")
    rows.call("c5", agent_id=None)
    _turns(rows, "c1", rows.day, (False, 1.0))
    _turns(rows, "c5", rows.day, (False, 1.0), (False, 2.0))
    names = ("n_calls", "n_open", "n_judged", "n_waits", "first_call_at", "last_call_at")
    actual = rows.model("metrics.version_comparison", "workspace", "agent_id", "version_id", *names)
    assert [tuple(row.values()) for row in actual] == [
        ("main", "a1", "v1", 0, 1, 0, 0, rows.noon, rows.noon),
        ("main", None, "v1", 1, 1, 0, 1, rows.noon, later),
        ("main", None, None, 1, 0, 0, 2, rows.noon, rows.noon),
        ("second", None, "v1", 1, 0, 0, 0, rows.noon, rows.noon),
    ]


@pytest.mark.parametrize("metric", ["metrics.agent_scorecard", "metrics.version_comparison"])
def test_weeks_and_versions_that_lasted_no_time_and_had_no_success(rows: Any, metric: str) -> None:
    rows.call(call_duration_secs=0, cost_credits=60, charging_tier="starter", analysis_call_successful="failure")
    names = ("cost_usd_per_call", "cost_usd_per_minute", "cost_usd_per_success", "success_rate", "rating")
    (actual,) = rows.model(metric, *names)
    assert tuple(actual.values()) == (0.01, None, None, 0.0, None)
