from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.two_weeks import UNTOLD

WAIT = "convai_ttf_audio_since_silence"


def _agent_day(rows: Any) -> None:
    """Five calls of a1 (success, failure and deleted, a machine, failed, open), one open call of a2."""
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
    rows.call("c4", status="failed", call_duration_secs=0, error_code=1002, accepted_time_at=rows.noon)
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
        ("c2", 0, "user", "Hi", False, None),
        ("c2", 1, "agent", "Hello", False, 3.0),
        ("c5", 0, "user", "Hi", False, None),
        ("c5", 1, "agent", "Hello", True, 100.0),
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
            "workspace": "main",
            "start_date": rows.day,
            "agent_id": "a1",
            "agent_name": None,
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
            "containment_rate": 1 / 3,
            "n_voicemail": 1,
            "voicemail_rate": 0.25,
            "n_errors": 1,
            "error_rate": 0.25,
            "n_abandoned": 0,
            "abandonment_rate": 0.0,
            "n_ratings": 2,
            "rating": 3.5,
            "likes": 1,
            "dislikes": 1,
            "n_waits": 3,
            "wait_p50_secs": 2.0,
            "wait_p90_secs": 2.8,
            "wait_p95_secs": 2.9,
            "wait_p99_secs": 2.98,
            "wait_within_good_rate": 1 / 3,
            "wait_within_fair_rate": 1 / 3,
            "wait_within_poor_rate": 1.0,
            "n_reached": 3,
            "reach_rate": 0.75,
            "n_reached_judged": 2,
            "n_resolved_contained": 1,
            "resolved_containment_rate": 0.5,
            "n_handled": 3,
            "aht_mean_secs": 60.0,
            "aht_p50_secs": 60.0,
            "aht_p90_secs": 108.0,
            "n_satisfied": 1,
            "csat_rate": 0.5,
            "traced_cost_usd": None,
            **UNTOLD,
        }
    )
    assert {name: value for name, value in empty.items() if value not in (0, None)} == {
        "workspace": "main",
        "start_date": rows.day,
        "agent_id": "a2",
        "n_open": 1,
    }
    assert {name for name, value in empty.items() if value is None} == {
        "agent_name",
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
        "reach_rate",
        "resolved_containment_rate",
        "aht_mean_secs",
        "aht_p50_secs",
        "aht_p90_secs",
        "csat_rate",
        "rating",
        "wait_p50_secs",
        "wait_p90_secs",
        "wait_p95_secs",
        "wait_p99_secs",
        "wait_within_good_rate",
        "wait_within_fair_rate",
        "wait_within_poor_rate",
        "traced_cost_usd",
        *(name for name, value in UNTOLD.items() if value is None),
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
