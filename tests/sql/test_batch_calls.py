"""How a batch went: who was called, who took the call, and what it cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest


def called(rows: Any, call: str, recipient: str | None, *, batch: str = "b1", **row: object) -> None:
    defaults = {"batch_call_batch_call_id": batch, "batch_call_batch_call_recipient_id": recipient}
    rows.call(call, **defaults, **row)


def said(rows: Any, call: str, message: str) -> None:
    rows.add("turns", conversation_id=call, turn_index=0, role="user", message=message)


def test_batch_calls(rows: Any) -> None:
    rows.seed("excluded_callers", "conversation_id,c8,a test call")
    later = rows.noon + timedelta(hours=3)
    judged: dict[str, Any] = {"cost_fiat_usd": 0.2, "call_duration_secs": 60, "analysis_call_successful": "success"}
    # took it, and said nothing; the phone's word is the first
    called(rows, "c1", "r1", phone_call_call_result="answered", whatsapp_call_result="no_answer", **judged)
    called(rows, "c2", "r2", call_duration_secs=30, cost_fiat_usd=0.1, analysis_call_successful="failure")
    said(rows, "c2", "Hi")  # no result told: the word tells that it was answered
    called(rows, "c3", "r2", start_time_at=later)  # tried again
    said(rows, "c3", "...")  # silent, so not answered
    called(rows, "c4", "r3", phone_call_call_result="answered", features_usage_voicemail_detection_used=True)
    called(rows, "c5", "r4", phone_call_call_result="no_answer", status="failed")  # not reached, and no error
    said(rows, "c5", "Hello?")  # the provider's word counts
    called(rows, "c6", None, whatsapp_call_result="voicemail", is_deleted=True)  # recipient erased
    called(rows, "c7", "r5", status="in-progress", cost_fiat_usd=9.0, call_duration_secs=600)
    called(rows, "c8", "r6", cost_fiat_usd=9.0)
    called(rows, "c9", "r1", batch="b2", status="initiated")
    rows.call("c10", cost_fiat_usd=9.0)

    first, second = rows.model("metrics.batch_calls")

    assert (first.pop("first_call_at"), first.pop("last_call_at")) == (rows.noon, later)
    assert first == pytest.approx(
        {
            "workspace": "main",
            "batch_call_id": "b1",
            "batch_name": None,
            "batch_status": None,
            "n_recipients": 6,  # r1 to r5, and the one who was erased
            "n_never_called": None,
            "n_recipients_called": 6,
            "n_recipients_answered": 2,  # r1, r2
            "recipient_answer_rate": 1 / 3,
            "n_calls": 6,
            "n_open": 1,
            "n_answered": 2,  # c1, c2
            "answer_rate": 1 / 3,
            "n_voicemail": 2,  # c4, c6
            "voicemail_rate": 1 / 3,
            "n_errors": 0,
            "error_rate": 0.0,
            "call_minutes": 1.5,
            "n_success": 1,
            "n_failure": 1,
            "n_unknown": 4,
            "success_rate": 0.5,
            "success_coverage": 1 / 3,
            "cost_credits": None,
            "cost_usd": 0.3,
            "cost_usd_coverage": 1 / 3,
            "cost_usd_per_call": 0.05,
            "cost_usd_per_answered": 0.15,
            "cost_usd_per_success": 0.3,
        }
    )
    assert {name: value for name, value in second.items() if value not in (0, None)} == {
        "workspace": "main",
        "batch_call_id": "b2",
        "first_call_at": rows.noon,
        "last_call_at": rows.noon,
        "n_recipients": 1,
        "n_recipients_called": 1,
        "n_open": 1,
    }
    assert {name for name, value in second.items() if value is None} == {
        "batch_name",
        "batch_status",
        "n_never_called",
        "answer_rate",
        "voicemail_rate",
        "error_rate",
        "success_rate",
        "success_coverage",
        "cost_credits",
        "cost_usd",
        "cost_usd_coverage",
        "cost_usd_per_call",
        "cost_usd_per_answered",
        "cost_usd_per_success",
    }


def listed(rows: Any, batch: str, n_recipients: int, n_never_called: int, **row: object) -> None:
    defaults = {"name": f"Batch {batch}", "status": "in_progress", "is_gone": False, "last_seen_at": rows.noon}
    counts = {"n_recipients": n_recipients, "n_never_called": n_never_called, "content_sha256": "00"}
    rows.whole("batch_calls", batch_call_id=batch, **(defaults | counts | row))


def test_recipients_that_were_never_called_count(rows: Any) -> None:
    called(rows, "c1", "r1", phone_call_call_result="answered")
    called(rows, "c5", "r1", whatsapp_call_result="answered")  # and a second time
    called(rows, "c2", "r2", phone_call_call_result="no_answer", status="failed")
    listed(rows, "b1", 8, 6)
    listed(rows, "b2", 3, 3, status="pending")  # nobody was called yet
    called(rows, "c3", "r1", batch="b3", cost_fiat_usd=0.2)
    called(rows, "c4", "r2", batch="b3")
    listed(rows, "b3", 1, 0, status="completed")  # fewer than were called: the others were removed at the API
    listed(rows, "b4", 0, 0, status="failed")  # without recipients
    listed(rows, "b1", 5, 5, workspace="second")  # another workspace's batch of the same id

    names = ("n_recipients", "n_never_called", "n_recipients_called", "n_recipients_answered", "recipient_answer_rate")
    of_answers = ("n_answered", "cost_usd_per_answered")
    rows.build("metrics.batch_calls")
    keys = ("workspace", "batch_call_id", "batch_name", "batch_status")
    actual = rows.model("metrics.batch_calls", *keys, *names, *of_answers)

    assert [tuple(row.values()) for row in actual] == [
        ("main", "b1", "Batch b1", "in_progress", 8, 6, 2, 1, 1 / 8, 2, None),
        ("main", "b2", "Batch b2", "pending", 3, 3, 0, 0, 0.0, 0, None),
        ("main", "b3", "Batch b3", "completed", 2, 0, 2, 0, 0.0, 0, None),
        ("main", "b4", "Batch b4", "failed", 0, 0, 0, 0, None, 0, None),
        ("second", "b1", "Batch b1", "in_progress", 5, 5, 0, 0, 0.0, 0, None),
    ]
    (never_called,) = (row for row in rows.model("metrics.batch_calls") if row["batch_call_id"] == "b2")
    assert {name for name, value in never_called.items() if value == 0 and name != "recipient_answer_rate"} == {
        *("n_recipients_called", "n_recipients_answered", "n_calls", "n_open", "n_answered", "n_voicemail"),
        *("n_errors", "call_minutes", "n_success", "n_failure", "n_unknown"),
    }
