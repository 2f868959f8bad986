"""Calls by channel, by language, and what users said of them; open and excluded calls are in none."""

from __future__ import annotations

from typing import Any

import pytest


def _calls(rows: Any) -> None:
    rows.seed("excluded_callers", "user_id,bot,load test")
    phone = {"phone_call_type": "twilio", "main_language": "en"}
    success = {"analysis_call_successful": "success", "cost_fiat_usd": 0.3}
    rows.call("c1", call_duration_secs=60, **phone, **success)
    rows.call("c2", call_duration_secs=120, status="failed", analysis_call_successful="failure", **phone)
    rows.call("c3", text_only=True, call_duration_secs=0, cost_credits=60, charging_tier="starter")
    for turn, (role, wait) in enumerate((("user", None), ("agent", 1.0), ("agent", 3.0))):
        rows.add("turns", turn_index=turn, role=role, message="Hi")
        if wait:
            of_wait = {"metric": "convai_ttf_audio_since_silence", "is_repeat": False}
            rows.add("turn_metrics", turn_index=turn, elapsed_secs=wait, **of_wait)
    rows.call("c4", status="processing", cost_fiat_usd=9.0, **phone)
    rows.call("c5", user_id="bot", cost_fiat_usd=9.0, **phone)
    rows.call("c6", workspace="other", **phone)


def _expected(rows: Any, column: str, first: str | None, second: str | None) -> list[Any]:
    key = {"workspace": "main", "start_date": rows.day, "agent_id": "a1", "agent_name": None}
    nothing = {"cost_credits": None, "cost_usd": None, "cost_usd_per_call": None, "cost_usd_per_minute": None}
    silent = {"n_reached": 1, "n_contained": 0, "containment_rate": 0.0, "n_waits": 0}
    silent |= {"wait_p50_secs": None, "wait_p90_secs": None, "wait_p95_secs": None}
    return [
        # c1 and c2 of three calls, three minutes, one of the two costs known
        {
            **key,
            column: first,
            "n_calls": 2,
            "call_share": 2 / 3,
            "call_minutes": 3.0,
            "n_success": 1,
            "n_failure": 1,
            "n_unknown": 0,
            "success_rate": 0.5,
            "success_coverage": 1.0,
            "cost_credits": None,
            "cost_usd": 0.3,
            "cost_usd_coverage": 0.5,
            "cost_usd_per_call": 0.15,
            "cost_usd_per_minute": 0.1,
            "n_reached": 2,
            "n_contained": 1,
            "containment_rate": 0.5,
            "n_waits": 2,
            "wait_p50_secs": 2.0,
            "wait_p90_secs": 2.8,
            "wait_p95_secs": 2.9,
        },
        # c3: never judged, lasted no time, 60 credits at 6,000 a dollar
        {
            **key,
            column: second,
            "n_calls": 1,
            "call_share": 1 / 3,
            "call_minutes": 0.0,
            "n_success": 0,
            "n_failure": 0,
            "n_unknown": 1,
            "success_rate": None,
            "success_coverage": 0.0,
            "cost_credits": 60,
            "cost_usd": 0.01,
            "cost_usd_coverage": 1.0,
            "cost_usd_per_call": 0.01,
            "cost_usd_per_minute": None,
            **silent,
        },
        {
            **key,
            "workspace": "other",
            column: first,
            "n_calls": 1,
            "call_share": 1.0,
            "call_minutes": 0.0,
            "n_success": 0,
            "n_failure": 0,
            "n_unknown": 1,
            "success_rate": None,
            "success_coverage": 0.0,
            "cost_usd_coverage": 0.0,
            **nothing,
            **silent,
        },
    ]


def test_channel_mix(rows: Any) -> None:
    _calls(rows)
    phone, chat, other = _expected(rows, "channel", "phone", "chat")
    assert rows.model("metrics.channel_mix") == [pytest.approx(row) for row in (chat, phone, other)]


def test_language_mix(rows: Any) -> None:
    _calls(rows)
    expected = _expected(rows, "main_language", "en", None)
    assert rows.model("metrics.language_mix") == [pytest.approx(row) for row in expected]


def test_feedback(rows: Any) -> None:
    rows.seed("excluded_callers", "user_id,bot,load test")
    rows.call("c1", feedback_rating=5, feedback_likes=1, feedback_comment="Quick and kind.")
    rows.call(
        "c2",
        feedback_rating=2,
        feedback_likes=2,
        feedback_dislikes=1,
        feedback_comment="<redacted>",
        is_deleted=True,
    )
    rows.call("c3", status="failed", feedback_dislikes=1, feedback_comment=" ")
    rows.call("c4", status="in-progress", feedback_rating=1, feedback_comment="Still here.")
    rows.call("c5", user_id="bot", feedback_rating=1, feedback_dislikes=5, feedback_comment="beep")
    rows.call("c6", agent_id="a2")
    rows.call("c7", agent_id="a3", status="initiated")
    key = {"workspace": "main", "start_date": rows.day}
    assert rows.model("metrics.feedback") == [
        {
            **key,
            "agent_id": "a1",
            "agent_name": None,
            "n_calls": 3,
            "n_ratings": 2,
            "rating_coverage": pytest.approx(2 / 3),
            "rating": 3.5,
            "likes": 3,
            "dislikes": 2,
            "like_rate": 0.6,
            "n_comments": 2,
        },
        {
            **key,
            "agent_id": "a2",
            "agent_name": None,
            "n_calls": 1,
            "n_ratings": 0,
            "rating_coverage": 0.0,
            "rating": None,
            "likes": 0,
            "dislikes": 0,
            "like_rate": None,
            "n_comments": 0,
        },
    ]
