from __future__ import annotations

from typing import Any

import pytest

WAIT = "convai_ttf_audio_since_silence"


def _agent_day(rows: Any) -> None:
    """Five calls of a1 (success, failure and deleted, abandoned to a machine, failed, open), one open call of a2."""
    rows.call(
        "c1",
        call_duration_secs=60,
        analysis_call_successful="success",
        cost_credits=600,
        charging_tier="starter",
        feedback_rating=5,
        feedback_likes=1,
    )
    rows.call(
        "c2",
        call_duration_secs=120,
        analysis_call_successful="failure",
        cost_credits=1800,
        cost_fiat_usd=0.3,
        is_deleted=True,
        feedback_rating=2,
        feedback_dislikes=1,
    )
    rows.call(
        "c3",
        call_duration_secs=20,
        analysis_call_successful="unknown",
        cost_credits=50,
        charging_tier="free",
        features_usage_voicemail_detection_used=True,
    )
    rows.call("c4", status="failed", call_duration_secs=0, error_code=1002, user_message_count=1)
    rows.call(
        "c5", status="in-progress", cost_credits=9999, charging_tier="starter", analysis_call_successful="success"
    )
    rows.call("c6", agent_id="a2", status="initiated")
    turns = [
        ("c1", 0, "agent", "Hello ...", True, None),
        ("c1", 1, "user", "Hi", False, None),
        ("c1", 2, "agent", "How are you?", False, 1.0),
        ("c1", 3, "agent", None, False, None),
        ("c1", 4, "agent", None, False, 2.0),
        ("c2", 0, "agent", "Hello", False, 3.0),
        ("c5", 0, "agent", "Hello", True, 100.0),
    ]
    for call, turn, role, message, interrupted, wait in turns:
        rows.add("turns", conversation_id=call, turn_index=turn, role=role, message=message, interrupted=interrupted)
        if wait:
            rows.add(
                "turn_metrics", conversation_id=call, turn_index=turn, metric=WAIT, elapsed_secs=wait, is_repeat=False
            )
    rows.add("turn_metrics", conversation_id="c1", turn_index=3, metric=WAIT, elapsed_secs=50.0, is_repeat=True)
    rows.add(
        "tool_results",
        conversation_id="c2",
        turn_index=1,
        result_index=0,
        depth=0,
        request_id="r",
        tool_name="transfer_to_number",
        result_type="transfer_to_number_sip_success",
    )
    for scope, price in (("initiated", 0.02), ("irreversible", 0.01)):
        rows.tokens(scope, -1, "input", price)


def test_agent_daily(rows: Any) -> None:
    _agent_day(rows)
    full, empty = rows.model("metrics.agent_daily")
    assert full == pytest.approx(
        {
            "start_date": rows.day,
            "agent_id": "a1",
            "n_calls": 4,
            "n_open": 1,
            "n_deleted": 1,
            "call_minutes": 200 / 60,
            "n_success": 1,
            "n_failure": 1,
            "n_unknown": 2,
            "success_rate": 0.5,
            "success_coverage": 0.5,
            "cost_credits": 2450,
            "cost_usd": 0.4,
            "cost_usd_coverage": 0.5,
            "cost_usd_per_call": 0.1,
            "cost_usd_per_minute": 0.12,
            "cost_usd_per_success": 0.4,
            "llm_cost_usd": 0.02,
            "n_agent_turns": 3,
            "n_interruptions": 1,
            "interruption_rate": 1 / 3,
            "n_transferred": 1,
            "n_transferred_to_agent": 0,
            "n_transferred_to_human": 1,
            "transfer_rate": 0.25,
            "n_contained": 1,
            "containment_rate": 0.25,
            "n_voicemail": 1,
            "voicemail_rate": 0.25,
            "n_errors": 1,
            "error_rate": 0.25,
            "n_abandoned": 1,
            "abandonment_rate": 0.25,
            "n_ratings": 2,
            "rating": 3.5,
            "likes": 1,
            "dislikes": 1,
            "n_waits": 3,
            "wait_p50_secs": 2.0,
            "wait_p90_secs": 2.8,
            "wait_p95_secs": 2.9,
            "wait_p99_secs": 2.98,
        }
    )
    assert {name: value for name, value in empty.items() if value not in (0, None)} == {
        "start_date": rows.day,
        "agent_id": "a2",
        "n_open": 1,
    }
    assert {name for name, value in empty.items() if value is None} == {
        "success_rate",
        "success_coverage",
        "cost_credits",
        "cost_usd",
        "cost_usd_coverage",
        "cost_usd_per_call",
        "cost_usd_per_minute",
        "cost_usd_per_success",
        "llm_cost_usd",
        "interruption_rate",
        "transfer_rate",
        "containment_rate",
        "voicemail_rate",
        "error_rate",
        "abandonment_rate",
        "rating",
        "wait_p50_secs",
        "wait_p90_secs",
        "wait_p95_secs",
        "wait_p99_secs",
    }


def test_agent_daily_of_calls_never_judged_that_lasted_no_time(rows: Any) -> None:
    rows.call("c1", agent_id=None, call_duration_secs=0, cost_credits=60, charging_tier="starter")
    rows.call("c2", agent_id=None)
    columns = ("agent_id", "n_calls", "n_unknown", "success_rate", "success_coverage", "call_minutes")
    money = ("cost_usd", "cost_usd_coverage", "cost_usd_per_call", "cost_usd_per_minute", "cost_usd_per_success")
    (row,) = rows.model("metrics.agent_daily", *columns, *money)
    assert row == {
        "agent_id": None,
        "n_calls": 2,
        "n_unknown": 2,
        "success_rate": None,
        "success_coverage": 0.0,
        "call_minutes": 0.0,
        "cost_usd": 0.01,
        "cost_usd_coverage": 0.5,
        "cost_usd_per_call": 0.005,
        "cost_usd_per_minute": None,
        "cost_usd_per_success": None,
    }


def _component(rows: Any, agent: str, component: str, n_calls: int, **money: float | None) -> dict[str, Any]:
    nothing = {"burst_surcharge_credits": 0.0, "dev_discount_credits": 0.0, "free_minutes": None, "free_llm_usd": None}
    key = {"start_date": rows.day, "agent_id": agent, "component": component, "n_calls": n_calls}
    return key | nothing | money


def test_cost_daily_adds_up_without_counting_twice(rows: Any) -> None:
    rows.call(  # before 2026: two parts, no dollars; a burst
        "c1",
        cost_credits=600,
        charging_call_charge_credits=540,
        charging_llm_charge_credits=60,
        charging_tier="starter",
        charging_is_burst=True,
        charging_free_minutes_consumed=1.5,
        charging_free_llm_dollars_consumed=0.02,
    )
    rows.call(  # today: the call charge is itemised by category, dollars are reported
        "c2",
        cost_credits=126,
        cost_fiat_usd=0.025,
        charging_call_charge_credits=15,
        charging_llm_charge_credits=111,
        charging_llm_price_usd=0.022,
        charging_platform_charge_credits=15,
        charging_platform_price_usd=0.003,
    )
    rows.add("platform_usage", conversation_id="c2", category="text_message", charge_credits=15.0, price_usd=0.003)
    rows.call("c3", cost_credits=60, charging_tier="starter")  # before July 2025: no parts
    rows.call(  # no rate for the plan; development
        "c4",
        cost_credits=50,
        charging_call_charge_credits=49,
        charging_llm_charge_credits=1,
        charging_tier="free",
        charging_dev_discount=True,
    )
    rows.call("c5", status="in-progress", cost_credits=1000, charging_tier="starter")
    rows.call("c6")  # nothing known
    rows.call(  # a burst that the API itemises, and categories beyond the call charge
        "c7",
        agent_id="a2",
        cost_credits=48,
        charging_call_charge_credits=48,
        charging_llm_charge_credits=0,
        charging_tier="starter",
        charging_is_burst=True,
    )
    rows.add("platform_usage", conversation_id="c7", category="voice", charge_credits=30.0)
    rows.add("platform_usage", conversation_id="c7", category="burst", charge_credits=30.0)
    found = rows.model("metrics.cost_daily")
    assert found == [
        pytest.approx(row)
        for row in (
            _component(
                rows,
                "a1",
                "call",
                4,
                cost_credits=589.0,
                cost_usd=0.09,
                burst_surcharge_credits=270.0,
                dev_discount_credits=49.0,
                free_minutes=1.5,
            ),
            _component(rows, "a1", "llm", 4, cost_credits=172.0, cost_usd=0.032, free_llm_usd=0.02),
            _component(rows, "a1", "platform_text_message", 1, cost_credits=15.0, cost_usd=0.003),
            _component(rows, "a1", "unexplained", 1, cost_credits=60.0, cost_usd=0.01),
            _component(rows, "a2", "call", 1, cost_credits=0.0, cost_usd=0.0),
            _component(rows, "a2", "llm", 1, cost_credits=0.0, cost_usd=0.0),
            _component(
                rows, "a2", "platform_burst", 1, cost_credits=30.0, cost_usd=0.005, burst_surcharge_credits=30.0
            ),
            _component(rows, "a2", "platform_voice", 1, cost_credits=30.0, cost_usd=0.005),
            _component(rows, "a2", "unexplained", 1, cost_credits=-12.0, cost_usd=-0.002),
        )
    ]
    assert sum(row["cost_credits"] for row in found if row["agent_id"] == "a1") == 600 + 126 + 60 + 50


def test_cost_components_of_one_call_add_up_to_the_last_digit(rows: Any) -> None:
    rows.call(
        cost_credits=100,
        charging_call_charge_credits=67,
        charging_llm_charge_credits=33,
        charging_tier="creator",
    )
    for category, charge in (("voice", 31.7), ("asr", 30.3)):
        rows.add("platform_usage", category=category, charge_credits=charge)
    found = rows.model("intermediate.int_cost_components", "component", "cost_credits", "cost_usd")
    assert [row["component"] for row in found] == ["call", "llm", "platform_asr", "platform_voice"]
    assert sum(row["cost_credits"] for row in found) == 100
    assert str(sum(row["cost_usd"] for row in found)) == "0.022002200220"


def test_tool_reliability(rows: Any) -> None:
    rows.call("c1")
    rows.call("c2", status="failed")
    rows.call("c3", status="in-progress")
    calls = [
        ("c1", "look_up", 0, {"is_error": False, "tool_latency_secs": 1.0}),
        ("c1", "look_up", 1, {"is_error": True, "tool_latency_secs": 3.0}),
        ("c2", "look_up", 0, {"is_error": True, "is_blocked": True}),
        ("c2", "look_up", 1, None),
        ("c2", "book", 2, None),
        ("c3", "look_up", 0, {"is_error": True}),
    ]
    for call, tool, index, result in calls:
        known = {"conversation_id": call, "turn_index": index, "depth": 0, "request_id": f"r{index}"}
        rows.add("tool_calls", call_index=index, tool_name=tool, **known)
        if result is not None:
            rows.add("tool_results", result_index=index, tool_name=tool, **known, **result)
    assert rows.model("metrics.tool_reliability") == [
        {
            "start_date": rows.day,
            "tool_name": "book",
            "n_calls": 1,
            "n_tool_calls": 1,
            "n_answered": 0,
            "n_errors": 0,
            "error_rate": None,
            "n_blocked": 0,
            "n_unanswered": 1,
            "n_latencies": 0,
            "latency_p50_secs": None,
            "latency_p95_secs": None,
        },
        {
            "start_date": rows.day,
            "tool_name": "look_up",
            "n_calls": 2,
            "n_tool_calls": 4,
            "n_answered": 3,
            "n_errors": 2,
            "error_rate": pytest.approx(2 / 3),
            "n_blocked": 1,
            "n_unanswered": 1,
            "n_latencies": 2,
            "latency_p50_secs": 2.0,
            "latency_p95_secs": pytest.approx(2.9),
        },
    ]
