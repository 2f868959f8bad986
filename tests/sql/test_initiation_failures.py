"""Attempts that reached nobody: the webhook's reason, with the batch where the API has a conversation."""

from __future__ import annotations

from datetime import timedelta
from typing import Any


def test_initiation_failures(rows: Any) -> None:
    rows.call("c1", agent_id="a1", batch_call_batch_call_id="b1", status="failed")
    rows.call("c2", agent_id="a2", status="failed")
    at = rows.noon + timedelta(hours=1)
    common = {"event_at": at, "received_at": at}
    failure = common | {"event_type": "call_initiation_failure"}
    sip = {"failure_reason": "busy", "provider": "sip", "sip_status": 486}
    rows.whole("webhook_events", conversation_id="c1", **failure, agent_id="a9", **sip)
    rows.whole("webhook_events", conversation_id="c2", **failure)
    rows.whole("webhook_events", conversation_id="c3", **failure, agent_id="a3", failure_reason="no-answer")
    rows.whole("webhook_events", conversation_id="c1", **common, event_type="post_call_transcription_otel")
    nothing = {"workspace": "main", "failed_at": at, "batch_call_id": None}
    nothing |= {"failure_reason": None, "provider": None, "sip_status": None}
    assert rows.model("marts.fct_initiation_failures") == [
        nothing
        | {
            "conversation_id": "c1",
            "agent_id": "a9",
            "agent_name": None,
            "batch_call_id": "b1",
            "has_conversation": True,
        }
        | sip,
        nothing | {"conversation_id": "c2", "agent_id": "a2", "agent_name": None, "has_conversation": True},
        nothing
        | {
            "conversation_id": "c3",
            "agent_id": "a3",
            "agent_name": None,
            "failure_reason": "no-answer",
            "has_conversation": False,
        },
    ]
