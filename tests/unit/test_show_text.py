"""What ``convohouse show`` prints of a conversation, whole: one with everything, and one with nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.cli.show import MAX_TOOL_TEXT, _sections
from warehouse.serve.conversation import ConversationView
from warehouse.serve.value_format import NULL_NUMBER

STARTED_AT = datetime(2026, 11, 22, 9, 5, 59, tzinfo=UTC)
UNKNOWN: dict[str, Any] = dict.fromkeys(
    (
        *("call_duration_secs", "direction", "channel", "main_language", "status", "call_successful", "outcome"),
        *("outcome_reason", "queue_wait_secs", "summary_title", "termination_reason", "error_type", "error_reason"),
        *("error_code", "tags", "is_deleted", "deleted_at", "cost_credits", "cost_usd", "cost_basis"),
        *("voice_surcharge_credits", "rating", "likes", "dislikes"),
    )
)
NOTHING_SAID = {"message": None, "original_message": None, "is_interrupted": False}


def text(conversation: dict[str, Any], **parts: Any) -> str:
    row = UNKNOWN | {"conversation_id": "conv_1", "agent_id": "agent_1", "started_at": STARTED_AT} | conversation
    names = ("turns", "tool_calls", "files", "multivoice_parts", "guardrails")
    names += ("llm_usage", "evaluations", "data_collection")
    view = ConversationView(row, **({"agent_name": None} | {name: [] for name in names} | parts))
    return "\n\n".join(_sections(view))


def turn(index: int, **columns: Any) -> dict[str, Any]:
    return {"turn_index": index, "time_in_call_secs": 60 + index, "role": "agent"} | NOTHING_SAID | columns


def call(**columns: Any) -> dict[str, Any]:
    unanswered = dict.fromkeys(("params_as_json", "latency_secs", "raw_error_message", "result_value"))
    return {"turn_index": 0, "tool_name": "look_up", "is_answered": False, "is_error": False} | unanswered | columns


def usage(model: str, **tokens: int) -> dict[str, Any]:
    kinds = ("input_tokens", "input_cache_write_tokens", "input_cache_read_tokens", "output_tokens")
    return {"model": model, "llm_cost_usd": 0.25} | dict.fromkeys(kinds) | tokens


def verdict(result: str, scope: str, index: int, agent: str | None) -> dict[str, Any]:
    of = {"scope": scope, "scope_index": index, "source_agent_id": agent, "source_branch_id": None}
    return of | {"criteria_id": "polite", "result": result, "rationale": "It was."}


def test_of_a_conversation_of_which_nothing_is_known_that_is_said() -> None:
    assert text({}).splitlines() == [
        "conv_1  agent_1",
        "  2026-11-22 09:05 UTC",
        "  cost unknown",
        "",
        "  nothing was said",
    ]


def test_everything_that_a_conversation_has_is_shown() -> None:
    conversation = {
        "call_duration_secs": 75,
        "direction": "inbound",
        "channel": "phone",
        "main_language": "de",
        "status": "done",
        "call_successful": "success",
        "outcome": "cut_off",
        "outcome_reason": "time_limit",
        "queue_wait_secs": 4.0,
        "summary_title": "A title",
        "termination_reason": "Max duration",
        "error_code": 1002,
        "tags": "a, b",
        "is_deleted": True,
        "deleted_at": STARTED_AT,
        "cost_usd": 0.5,
        "cost_basis": "plan_rate",
        "voice_surcharge_credits": 12.5,
        "rating": 4,
        "likes": 0,
        "dislikes": 2,
    }
    parts = {
        "agent_name": "The shop",
        "turns": [
            turn(0, role="user", message="Half", original_message="Half a sentence", is_interrupted=True),
            turn(1, message=" "),
            turn(2, time_in_call_secs=None, role=None),
        ],
        "tool_calls": [
            call(),
            call(is_answered=True, latency_secs=1.234, result_value="x" * (MAX_TOOL_TEXT + 1), params_as_json="{}"),
            call(is_answered=True, is_error=True, raw_error_message="timeout", result_value="unused", turn_index=1),
            call(is_answered=True, turn_index=2),
            call(tool_name="transfer", turn_index=9),
        ],
        "files": [
            {"turn_index": 2, "original_filename": "a.pdf", "file_id": "f1", "mime_type": "application/pdf"},
            {"turn_index": 2, "original_filename": None, "file_id": "f2", "mime_type": None},
            {"turn_index": 2, "original_filename": None, "file_id": None, "mime_type": None},
        ],
        "multivoice_parts": [
            {"turn_index": 1, "voice_label": "Anna", "text": "Hello"},
            {"turn_index": 1, "voice_label": None, "text": "there"},
            {"turn_index": 1, "voice_label": "Ben", "text": None},
        ],
        "guardrails": [
            {"turn_index": 1, "guardrail_name": "focus", "guardrail_type": "custom"},
            {"turn_index": 1, "guardrail_name": None, "guardrail_type": "custom"},
            {"turn_index": 1, "guardrail_name": None, "guardrail_type": None},
        ],
        "llm_usage": [
            usage("m-1", input_tokens=1000, input_cache_write_tokens=200, input_cache_read_tokens=30, output_tokens=4),
            usage("m-2"),
        ],
        "evaluations": [verdict("success", "conversation", -1, None), verdict("failure", "agent", 0, "agent_2")],
        "data_collection": [
            {"data_collection_id": "name", "value": "Kim", "rationale": "Said so.", "scope_index": -1},
        ],
    }
    long_result = "x" * MAX_TOOL_TEXT
    surcharge = "and a surcharge of 12.5 credits for the voice, billed apart"
    assert text(conversation, **parts).splitlines() == [
        "conv_1  The shop (agent_1)",
        "  2026-11-22 09:05 UTC, 1 min 15 s, inbound phone, de, done, success",
        f"  credits unknown, $0.50 (plan rate), {surcharge}, rated 4, thumbs down: 2",
        "  outcome: cut off (time_limit)",
        "  waited 4.0 s in the queue",
        "  A title",
        "  ended: Max duration",
        "  error: code 1002",
        "  tags: a, b",
        "  no longer at the API, noticed on 2026-11-22 09:05 UTC",
        "",
        "     1:00  user   Half a sentence [interrupted]",
        "     1:00  tool   look_up",
        "                  → no result",
        "     1:00  tool   look_up {}",
        "                  → answered after 1.23 s:",
        f"                  {long_result}…",
        "                  (601 characters)",
        "     1:01  agent  Anna: Hello",
        "     1:01  agent  there",
        "     1:01  agent  [guardrail: focus]",
        "     1:01  agent  [guardrail: custom]",
        "     1:01  agent  [guardrail: no name]",
        "     1:01  tool   look_up",
        "                  → failed: timeout",
        "                  [file: a.pdf, application/pdf]",
        "                  [file: f2]",
        "                  [file: no name]",
        "           tool   look_up",
        "                  → answered",
        "           tool   transfer",
        "                  → no result",
        "",
        "Cost by model (tokens):",
        "model   read  from cache  written   cost",
        "m-1    1,200          30        4  $0.25",
        f"m-2        {NULL_NUMBER}           {NULL_NUMBER}        {NULL_NUMBER}  $0.25",
        "",
        "Verdicts:",
        "of             criterion  result   why",
        "conversation   polite     success  It was.",
        "agent agent_2  polite     failure  It was.",
        "",
        "Data collected:",
        "field  value  why",
        "name   Kim    Said so.",
    ]


@pytest.mark.parametrize(
    ("columns", "line"),
    [
        ({"cost_credits": 1200}, "  cost 1,200 credits"),
        ({"cost_credits": 0, "cost_usd": 0.0, "cost_basis": "reported"}, "  cost 0 credits, $0.00 (reported)"),
        ({"cost_usd": 2.5, "cost_basis": "reported", "likes": 1}, "  credits unknown, $2.50 (reported), thumbs up: 1"),
    ],
)
def test_costs_are_said_as_far_as_they_are_known(columns: dict[str, Any], line: str) -> None:
    assert text(columns).splitlines()[2] == line


@pytest.mark.parametrize(
    ("error_type", "error_reason", "error_code", "line"),
    [
        ("llm", "too slow", 7, "  error: llm: too slow"),
        ("llm", None, 7, "  error: llm"),
        ("", "too slow", None, "  error: too slow"),
        (None, None, 0, "  error: code 0"),
    ],
)
def test_an_error_is_its_type_and_reason_else_its_code(
    error_type: str | None, error_reason: str | None, error_code: int | None, line: str
) -> None:
    columns = {"error_type": error_type, "error_reason": error_reason, "error_code": error_code}
    assert text(columns).splitlines()[3] == line
