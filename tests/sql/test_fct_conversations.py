from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest

KEY = "marts.fct_conversations"
WAIT = "convai_ttf_audio_since_silence"


def test_call_with_everything(rows: Any) -> None:
    rows.call(
        agent_name="Ann",
        version_id="v1",
        branch_id="b1",
        environment="production",
        phone_call_type="twilio",
        phone_call_direction="inbound",
        phone_call_external_number="+100",
        conversation_initiation_source="twilio",
        batch_call_batch_call_id="batch",
        main_language="en",
        text_only=False,
        call_duration_secs=60,
        queue_wait_secs=2.5,
        analysis_call_successful="success",
        analysis_call_success_score=0.9,
        analysis_call_summary_title="A title",
        analysis_transcript_summary="A summary",
        cost_credits=600,
        charging_call_charge_credits=540,
        charging_llm_charge_credits=60,
        charging_platform_charge_credits=540,
        charging_platform_price_usd=0.09,
        charging_llm_price_usd=0.02,
        charging_tier="starter",
        charging_is_burst=True,
        charging_dev_discount=True,
        charging_free_minutes_consumed=1.0,
        charging_free_llm_dollars_consumed=0.01,
        rag_usage_usage_count=2,
        termination_reason="end_call tool was called.",
        feedback_rating=5,
        feedback_likes=1,
        feedback_dislikes=0,
        feedback_comment="Thanks",
        user_id="u1",
    )
    rows.zone("Europe/Berlin")
    rows.add("turns", turn_index=0, role="agent", message="Hello")
    rows.add("turns", turn_index=1, role="user", message="Hi")
    rows.add("turns", turn_index=2, role="agent", message="How ...", interrupted=True)
    rows.add("turns", turn_index=3, role="agent")
    rows.add("turns", turn_index=4, role="user", message="...")
    rows.add("turns", turn_index=5, role="agent", message="Bye")
    for index, secs, is_repeat in ((2, 1.0, False), (3, 1.0, True), (5, 2.0, False)):
        rows.add("turn_metrics", turn_index=index, metric=WAIT, elapsed_secs=secs, is_repeat=is_repeat)
    rows.add("tool_calls", turn_index=3, call_index=0, depth=0, request_id="r", tool_name="look_up")
    rows.add("tool_calls", turn_index=3, call_index=1, depth=0, request_id="s", tool_name="look_up")
    rows.add("tool_results", turn_index=4, result_index=0, depth=0, request_id="r", tool_name="look_up", is_error=True)
    for index, tag in enumerate(("tag_b", "tag_a", "tag_c", "tag_d")):
        rows.add("tags", tag_index=index, tag_id=tag)
    for tag, title in (("tag_b", "VIP"), ("tag_c", "Complaint"), ("tag_d", " ")):  # tag_a has no definition
        rows.whole("tag_definitions", tag_id=tag, title=title)
    for name, result in (("polite", "failure"), ("brief", "success"), ("sure", "unknown")):
        rows.add("evaluation_results", criteria_id=name, result=result)
    rows.add("evaluation_results", scope_index=0, criteria_id="polite", result="failure")
    rows.tokens("initiated", -1, "input", 0.02)
    rows.tokens("irreversible", -1, "input", 0.01)
    assert rows.model(KEY) == [
        {
            "workspace": "main",
            "conversation_id": "c1",
            "agent_id": "a1",
            "agent_name": "Ann",
            "version_id": "v1",
            "branch_id": "b1",
            "environment": "production",
            "started_at": rows.noon,
            "start_date": rows.day,
            "local_start_at": datetime.combine(rows.day, time(13)),
            "local_start_date": rows.day,
            "local_start_hour": 13,
            "local_weekday": 1,
            "local_weekday_name": "Monday",
            "status": "done",
            "is_finished": True,
            "is_excluded": False,
            "is_counted": True,
            "channel": "phone",
            "direction": "inbound",
            "initiation_source": "twilio",
            "batch_call_id": "batch",
            "main_language": "en",
            "is_text_only": False,
            "call_duration_secs": 60,
            "queue_wait_secs": 2.5,
            "call_successful": "success",
            "success_score": 0.9,
            "cost_credits": 600,
            "voice_surcharge_credits": None,
            "call_cost_credits": 540,
            "llm_cost_credits": 60,
            "platform_cost_credits": 540,
            "llm_price_usd": 0.02,
            "llm_cost_usd": 0.02,
            "platform_price_usd": 0.09,
            "cost_usd": 0.1,
            "cost_basis": "plan_rate",
            "credits_per_usd": 6000,
            "tier": "starter",
            "is_burst": True,
            "is_dev_discount": True,
            "free_minutes": 1.0,
            "free_llm_usd": 0.01,
            "n_turns": 6,
            "n_user_turns": 1,
            "n_agent_turns": 3,
            "n_interruptions": 1,
            "n_tool_calls": 2,
            "n_tool_errors": 1,
            "n_unanswered_tool_calls": 1,
            "n_rag_retrievals": 2,
            "is_transferred_to_agent": False,
            "outcome": "contained",
            "outcome_reason": "ended_by_agent",
            "is_transferred_to_human": False,
            "is_voicemail": False,
            "is_abandoned": False,
            "is_contained": True,
            "is_reached": True,
            "is_error": False,
            "termination_reason": "end_call tool was called.",
            "termination_group": "agent_ended",
            "error_code": None,
            "error_type": None,
            "error_reason": None,
            "rating": 5,
            "likes": 1,
            "dislikes": 0,
            "has_feedback_comment": True,
            "feedback_comment": "Thanks",
            "user_id": "u1",
            "caller_id": "+100",
            "is_repeat_caller_7d": False,
            "n_waits": 2,
            "first_response_secs": 1.0,
            "median_wait_secs": 1.5,
            "p95_wait_secs": pytest.approx(1.95),
            "n_slow_waits": 0,
            "main_llm": "m",
            "n_failed_criteria": 1,
            "sentiment_label": None,
            "tags": "Complaint, VIP, tag_a, tag_d",
            "summary_title": "A title",
            "transcript_summary": "A summary",
            "is_deleted": False,
            "deleted_at": None,
            "fetched_at": rows.noon,
        }
    ]


def test_open_call_of_which_nothing_is_known(rows: Any) -> None:
    rows.call(agent_id=None, status=None)
    (row,) = rows.model(KEY)
    assert {name: value for name, value in row.items() if value is not None} == {
        "workspace": "main",
        "conversation_id": "c1",
        "started_at": rows.noon,
        "start_date": rows.day,
        "local_start_at": datetime.combine(rows.day, time(12)),
        "local_start_date": rows.day,
        "local_start_hour": 12,
        "local_weekday": 1,
        "local_weekday_name": "Monday",
        "is_finished": False,
        "is_excluded": False,
        "is_counted": False,
        "channel": "voice",
        "is_text_only": False,
        "cost_basis": "unknown",
        "is_burst": False,
        "is_dev_discount": False,
        **dict.fromkeys(("n_turns", "n_user_turns", "n_agent_turns", "n_interruptions"), 0),
        **dict.fromkeys(("n_tool_calls", "n_tool_errors", "n_unanswered_tool_calls", "n_failed_criteria"), 0),
        **dict.fromkeys(("n_waits", "n_slow_waits"), 0),
        "has_feedback_comment": False,
        "is_deleted": False,
        "fetched_at": rows.noon,
    }


def test_deleted_call_keeps_its_numbers(rows: Any) -> None:
    rows.call(
        "a1",
        is_deleted=True,
        deleted_at=rows.noon,
        call_duration_secs=10,
        cost_credits=60,
        charging_tier="starter",
        analysis_call_successful="failure",
    )
    columns = ("is_deleted", "deleted_at", "call_duration_secs", "cost_credits", "cost_usd", "call_successful")
    assert rows.values(KEY, *columns) == [(True, rows.noon, 10, 60, 0.01, "failure")]


def test_cost_in_dollars_is_reported_else_at_the_plans_rate_else_unknown(rows: Any) -> None:
    rows.call("b1", cost_credits=606, cost_fiat_usd=0.3, charging_tier="pro")
    rows.call("b2", cost_credits=606, charging_tier="growing_business")
    rows.call("b3", cost_credits=606, charging_tier="free")
    rows.call("b4", cost_credits=None, charging_tier="pro")
    rows.call("b5", cost_credits=0, cost_fiat_usd=0.0)
    rows.call("b6", cost_credits=0)  # nobody answered: no plan is told, and nothing was paid
    rows.call("b7", cost_credits=0, charging_tier="free")
    assert rows.values(KEY, "cost_usd", "cost_basis", "credits_per_usd") == [
        (0.3, "reported", 5050),
        (0.1, "plan_rate", 6060),
        (None, "unknown", None),
        (None, "unknown", 5050),
        (0.0, "reported", None),
        (0.0, "plan_rate", None),
        (0.0, "plan_rate", None),
    ]


def test_repeat_caller_within_seven_days_of_the_same_agent(rows: Any) -> None:
    calls = [("c1", "+1", "a1", 0), ("c2", "+1", "a1", 7), ("c3", "+1", "a1", 15), ("c4", "+1", "a2", 16)]
    calls += [("c5", "+2", "a1", 16), ("c6", None, "a1", 16), ("d2", "+3", "a1", 1), ("d1", "+3", "a1", 2)]
    calls += [("e1", "+4", "a1", 1), ("e2", "+4", "a1", 2), ("f1", "+5", "a1", 1), ("f2", "+5", "a1", 2)]
    # nor is a conversation that the seed leaves out
    calls += [("g1", "+6", "a1", 1), ("g2", "+6", "a1", 2)]
    rows.seed("excluded_callers", "conversation_id,g1,a test")
    # an attempt that reached nobody, or a machine, is not a contact
    attempts: dict[str, dict[str, Any]] = {
        "e1": {"phone_call_call_result": "busy"},
        "f1": {"features_usage_voicemail_detection_used": True},
    }
    for name, number, agent, days in calls:
        at = rows.noon + timedelta(days=days)
        row = {"phone_call_external_number": number} | attempts.get(name, {})
        rows.call(name, agent_id=agent, start_time_at=at, start_date=at.date(), **row)
    assert [value for (value,) in rows.values(KEY, "is_repeat_caller_7d")] == [
        *(False, True, False, False),
        *(False, None, True, False),
        *[False] * 6,
    ]


def test_outcome_and_flags(rows: Any) -> None:
    def result(call: str, tool: str, **row: object) -> None:
        index = len(rows.rows["tool_results"])
        rows.add("turns", conversation_id=call, turn_index=0, role="user", message="Hi")
        defaults = {"turn_index": 1, "result_index": index, "depth": 0, "request_id": f"r{index}"}
        defaults |= {"type": "system", "tool_name": tool}
        rows.add("tool_results", conversation_id=call, **(defaults | row))

    long = {"call_duration_secs": 60}
    rows.call("c1_to_agent", **long)
    result("c1_to_agent", "transfer_to_agent", result_type="transfer_to_agent_success", result_status="success")
    rows.call("c2_to_node", **long)
    result("c2_to_node", "transfer_to_agent", result_type="transfer_to_agent_success", depth=1)
    rows.call("c3_visits", **long)
    rows.add("visited_agents", conversation_id="c3_visits", visit_index=0, agent_id="a1")
    rows.add("visited_agents", conversation_id="c3_visits", visit_index=1, agent_id="a2")
    rows.call("c4_to_human", **long)
    result("c4_to_human", "transfer_to_number", result_type="transfer_to_number_twilio_success", depth=1)
    rows.call("c5_failed_transfer", **long)
    result("c5_failed_transfer", "transfer_to_number", result_type="transfer_to_number_error", result_status="error")
    rows.call("c6_old_result", **long)
    result("c6_old_result", "transfer_to_number", is_error=False)
    rows.call("c7_voicemail", **long)
    result("c7_voicemail", "voicemail_detection", result_type="voicemail_detection_success")
    rows.call("c8_abandoned", call_duration_secs=29)
    rows.add("turns", conversation_id="c8_abandoned", turn_index=0, role="user", message="...")
    rows.call("c9_abandoned_late", call_duration_secs=600)
    rows.call("d1_short_with_words", call_duration_secs=29)
    rows.add("turns", conversation_id="d1_short_with_words", turn_index=0, role="user", message="No")
    for visit in (0, 1):  # the same agent again
        rows.add("visited_agents", conversation_id="d1_short_with_words", visit_index=visit, agent_id="a1")
    rows.call("d2_text_gone", call_duration_secs=29, user_message_count=3)
    rows.call("d3_failed", status="failed", **long)
    flags = ("is_transferred_to_human", "is_voicemail", "is_abandoned", "is_contained", "is_error")
    columns = ("conversation_id", "outcome", "is_transferred_to_agent", *flags)
    actual = {
        row["conversation_id"]: (row["outcome"], row["is_transferred_to_agent"], [flag for flag in flags if row[flag]])
        for row in rows.model(KEY, *columns)
    }
    assert actual == {
        "c1_to_agent": ("contained", True, ["is_contained"]),
        "c2_to_node": ("contained", False, ["is_contained"]),
        "c3_visits": ("abandoned", True, ["is_abandoned"]),
        "c4_to_human": ("transferred", False, ["is_transferred_to_human"]),
        "c5_failed_transfer": ("contained", False, ["is_contained"]),
        "c6_old_result": ("transferred", False, ["is_transferred_to_human"]),
        "c7_voicemail": ("voicemail", False, ["is_voicemail"]),
        "c8_abandoned": ("abandoned", False, ["is_abandoned"]),
        "c9_abandoned_late": ("abandoned", False, ["is_abandoned"]),
        "d1_short_with_words": ("contained", False, ["is_contained"]),
        "d2_text_gone": ("unknown", False, []),
        "d3_failed": ("error", False, ["is_error"]),
    }


def test_channel_and_termination_group(rows: Any) -> None:
    rows.call("e1", phone_call_type="sip_trunking", text_only=True, termination_reason="Call ended by remote party")
    rows.call("e2", whatsapp_whatsapp_user_id="w", termination_reason="Client disconnected: 1005")
    rows.call("e3", sms_direction="inbound", termination_reason="voicemail_detection tool was called.")
    rows.call("e4", text_only=True, termination_reason="Call exceeded the maximum duration")
    rows.call("e5", termination_reason="")
    rows.call("e6", status="failed", error_type="llm_error")
    rows.call("e7", status="processing", termination_reason="end_call tool was called.")
    rows.call("e8", termination_reason="transfer_to_number tool was called.")
    rows.call("e9", termination_reason="Ended after long silence")
    rows.call("f1", whatsapp_whatsapp_phone_number_id="w")
    rows.call("f2", whatsapp_direction="inbound")
    rows.call("f3", conversation_initiation_source="whatsapp", text_only=True)
    rows.call("f4", conversation_initiation_source="twilio_sms", text_only=True)
    for source in ("twilio", "sip_trunk", "exotel", "genesys", "avaya", "audiocodes", "amazon_connect"):
        rows.call(f"g_{source}", conversation_initiation_source=source)
    assert rows.values(KEY, "channel", "termination_group") == [
        ("phone", "client_left"),
        ("whatsapp", "client_left"),
        ("sms", "voicemail"),
        ("chat", "limit"),
        ("voice", "other"),
        ("voice", "error"),
        ("voice", None),
        ("voice", "transfer"),
        ("voice", "silence"),
        *((channel, "other") for channel in ("whatsapp", "whatsapp", "whatsapp", "sms", *["phone"] * 7)),
    ]


def test_the_main_model_costs_the_most_then_has_the_most_tokens_then_is_the_first_by_name(rows: Any) -> None:
    kinds = ("input", "input_cache_read", "input_cache_write", "output_total", "reasoning")
    usage: list[tuple[str, str, str, tuple[str, ...], int, float | None]] = [
        ("c1", "initiated", "y", ("input",), 100, 0.25),
        ("c1", "initiated", "z", ("input",), 1, 0.5),
        ("c1", "irreversible", "x", ("input",), 100, 0.75),  # in no total beside what was initiated
        ("c2", "initiated", "y", ("input",), 9, None),
        ("c2", "initiated", "z", kinds, 2, 0.0),
        ("c3", "initiated", "z", ("input",), 9, 0.25),
        ("c3", "initiated", "y", ("input",), 9, 0.25),
    ]
    for call, scope, model, token_kinds, tokens, price in usage:
        key = {"conversation_id": call, "scope": scope, "turn_index": -1, "model": model}
        for kind in token_kinds:
            rows.add("llm_usage", **key, token_kind=kind, tokens=tokens, price_usd=price)
    for call in ("c1", "c2", "c3"):
        rows.call(call)
    assert rows.values(KEY, "main_llm") == [("z",), ("z",), ("y",)]
