"""The weeks of an agent: the measures of ``agent_daily`` over a week, and their change."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.helpers.two_weeks import (
    BARE,
    CHANGE,
    FIRST,
    MONDAY,
    NEXT_MONDAY,
    NO_CHANGE,
    ONLY_OPEN,
    SECOND,
    SUNDAY,
    TUESDAY,
    add_call,
    add_tokens,
    add_transfer,
    add_turns,
    add_two_weeks,
)


def test_weeks_and_their_change(rows: Any) -> None:
    add_two_weeks(rows)
    key = {"workspace": "main", "agent_id": "a1", "agent_name": None}
    assert rows.model("metrics.agent_scorecard") == [
        pytest.approx(row)
        for row in (
            key | {"week_start_date": MONDAY, "is_over": True} | FIRST | NO_CHANGE,
            key
            | {"agent_id": "a2", "agent_name": None, "week_start_date": MONDAY, "is_over": True}
            | ONLY_OPEN
            | NO_CHANGE,
            key | {"week_start_date": NEXT_MONDAY, "is_over": True} | SECOND | CHANGE,
            # no call in the week of 16 November, so there is nothing to compare with
            key | {"week_start_date": date(2026, 11, 23), "is_over": False} | BARE | NO_CHANGE,
        )
    ]


@pytest.mark.parametrize(("newest", "is_over"), [(SUNDAY, False), (NEXT_MONDAY, True)])
def test_a_week_is_over_when_a_later_day_has_a_call(rows: Any, newest: date, *, is_over: bool) -> None:
    add_call(rows, "c1", MONDAY)
    add_call(rows, "c2", newest, status="in-progress", agent_id="a2")
    add_call(rows, "c3", TUESDAY, workspace="second", agent_id="b1")
    actual = rows.model("metrics.agent_scorecard", "agent_id", "week_start_date", "is_over")
    assert actual[0] == {"agent_id": "a1", "week_start_date": MONDAY, "is_over": is_over}


def test_a_week_is_compared_with_the_same_agents_in_the_same_workspace(rows: Any) -> None:
    add_call(rows, "c1", MONDAY, agent_id=None)
    add_call(rows, "c2", MONDAY, agent_id=None)
    add_call(rows, "c3", NEXT_MONDAY, agent_id=None)
    add_call(rows, "c4", NEXT_MONDAY, agent_id="a2", status="in-progress")
    add_call(rows, "c5", NEXT_MONDAY, agent_id=None, workspace="second")
    add_turns(rows, "c1", MONDAY, (False, 1.0))
    names = ("n_calls", "n_open", "n_calls_change", "n_open_change", "n_waits")
    assert rows.values("metrics.agent_scorecard", "workspace", "week_start_date", "agent_id", *names) == [
        ("main", MONDAY, None, 2, 0, None, None, 1),
        ("main", NEXT_MONDAY, "a2", 0, 1, None, None, 0),
        ("main", NEXT_MONDAY, None, 1, 0, -1, 0, 0),
        ("second", NEXT_MONDAY, None, 1, 0, None, None, 0),
    ]


def test_a_week_without_the_troubles_of_the_one_before(rows: Any) -> None:
    add_call(rows, "c1", MONDAY, call_duration_secs=5, features_usage_voicemail_detection_used=True)
    add_call(rows, "c2", MONDAY, call_duration_secs=5, status="failed")
    add_call(rows, "c3", MONDAY, call_duration_secs=5)
    add_call(rows, "c4", MONDAY, call_duration_secs=60)
    add_turns(rows, "c4", MONDAY)
    add_call(rows, "c5", MONDAY, status="in-progress")
    add_call(rows, "c6", NEXT_MONDAY, call_duration_secs=60)
    add_turns(rows, "c6", NEXT_MONDAY)
    names = ("n_open", "voicemail_rate", "error_rate", "abandonment_rate", "containment_rate")
    actual = rows.model("metrics.agent_scorecard", *names, *(f"{name}_change" for name in names))
    nothing = (None, None, None, None, None)
    assert [tuple(row.values()) for row in actual] == [
        pytest.approx((1, 0.25, 0.25, 1 / 3, 1 / 3, *nothing)),
        pytest.approx((0, 0.0, 0.0, 0.0, 1.0, -1, -0.25, -0.25, -1 / 3, 2 / 3)),
    ]


def test_every_change_is_the_week_less_the_week_before(rows: Any) -> None:
    """Weeks of which the API tells everything, with callers who come back the day after; both are long over."""
    audio = "charging_tts_usage_total_audio_output_seconds", "charging_asr_usage_total_audio_input_seconds"
    for week, monday in enumerate((MONDAY, NEXT_MONDAY), 1):
        for number in range(3 + week):  # the first is lost in the queue, the last comes back
            name, caller = f"c{week}{number}", f"+{week}{number}"
            day = monday + timedelta(days=1) if number == 2 + week else monday
            add_call(
                rows,
                name,
                day,
                call_duration_secs=60 * week + number,
                queue_wait_secs=15.0 + 4 * number * week,
                phone_call_external_number=f"+{week}1" if day > monday else caller,
                analysis_call_successful="failure" if day > monday else "success",
                cost_fiat_usd=0.5 * week,
                cost_credits=100,
                feedback_rating=3 + number % 3,
                **dict(zip(audio, (20.0 + week, 10.0), strict=True)),
            )
            rows.add("platform_usage", conversation_id=name, start_date=day, category="silence", quantity=5.0 * week)
            add_tokens(rows, name, day, "initiated", 0.01 * week)
            if number:
                add_turns(rows, name, day, (number == 1, number / 2), (False, 1.0 + week))
        add_call(rows, f"v{week}", monday, features_usage_voicemail_detection_used=True)
        add_call(rows, f"e{week}", monday, error_code=1011)
        add_call(rows, f"o{week}", monday, status="in-progress")
        add_call(rows, f"t{week}", monday)
        add_turns(rows, f"t{week}", monday)
        add_transfer(rows, f"t{week}", monday, "transfer_to_number_sip_success")
    add_call(rows, "later", TUESDAY)
    first, second, _ = rows.model("metrics.agent_scorecard")
    changes = {name.removesuffix("_change"): value for name, value in second.items() if name.endswith("_change")}
    assert [name for name in changes if not first[name]] == []
    assert changes == {name: second[name] - first[name] for name in changes}


def test_a_window_is_over_when_a_conversation_is_on_a_later_day_than_its_last(rows: Any) -> None:
    for days in (1, 2, 7, 8):
        workspace = f"w{days}"
        name = f"c{days}"
        row = {"phone_call_external_number": "+1", "analysis_call_successful": "success", "cost_fiat_usd": 0.5}
        add_call(rows, name, MONDAY, workspace=workspace, **row)
        of_it = {"conversation_id": name, "start_date": MONDAY, "workspace": workspace}
        rows.add("turns", **of_it, turn_index=0, role="user", message="Hello?")
        add_call(rows, f"later{days}", MONDAY + timedelta(days=days), workspace=workspace, agent_id="a2")
    names = ("n_followed", "n_contained_no_callback", "n_traced", "n_traced_judged", "n_resolved", "traced_cost_usd")
    actual = rows.model("metrics.agent_scorecard", "workspace", "agent_id", *names)
    assert [tuple(row.values()) for row in actual if row["agent_id"] == "a1"] == [
        ("w1", "a1", 0, 0, 0, 0, 0, None),
        ("w2", "a1", 1, 1, 0, 0, 0, None),
        ("w7", "a1", 1, 1, 0, 0, 0, None),
        ("w8", "a1", 1, 1, 1, 1, 1, 0.5),
    ]


@pytest.mark.parametrize("metric", ["metrics.agent_scorecard", "metrics.version_comparison"])
def test_weeks_and_versions_that_lasted_no_time_and_had_no_success(rows: Any, metric: str) -> None:
    rows.call(call_duration_secs=0, cost_credits=60, charging_tier="starter", analysis_call_successful="failure")
    names = ("cost_usd_per_call", "cost_usd_per_minute", "cost_usd_per_success", "success_rate", "rating")
    (actual,) = rows.model(metric, *names)
    assert tuple(actual.values()) == (0.01, None, None, 0.0, None)
