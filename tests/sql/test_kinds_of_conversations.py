"""Small documents of every channel and every form of a cost, from the flattening to the marts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.helpers.sample_documents import STARTED, detail

KEY = "marts.fct_conversations"
CHARGES = {"tier": "starter", "llm_charge": 400, "call_charge": 200}


def conversation(name: str, variables: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    """A done conversation of a minute in which both sides spoke."""
    transcript = [{"role": "agent", "message": "Hello."}, {"role": "user", "message": "I need help."}]
    return detail(
        conversation_id=name,
        transcript=transcript,
        metadata={"start_time_unix_secs": STARTED, "call_duration_secs": 60} | metadata,
        conversation_initiation_client_data={"dynamic_variables": variables or {}},
    )


def phone_call(number: str) -> dict[str, Any]:
    return {"type": "twilio", "direction": "inbound", "external_number": number, "agent_number": "+15550100001"}


def sms(number: str) -> dict[str, Any]:
    return {"direction": "inbound", "sms_user_phone_number": number, "agent_phone_number": "+15550100001"}


def test_each_channel_its_direction_and_its_caller(rows: Any) -> None:
    caller = {"system__caller_id": "+1 555 010 0005"}
    for document in (
        conversation("a_phone", phone_call=phone_call("5550100005")),
        conversation("b_sms", sms=sms("+15550100005"), text_only=True, conversation_initiation_source="twilio_sms"),
        conversation("c_whatsapp", whatsapp={"direction": "outbound", "whatsapp_user_id": "15550100005"}),
        conversation("d_genesys", caller, conversation_initiation_source="genesys"),
        conversation("e_sip", conversation_initiation_source="sip_trunk"),
        conversation("f_bot", text_only=True, conversation_initiation_source="genesys"),
        conversation("g_chat", text_only=True, conversation_initiation_source="widget"),
        conversation("h_voice", conversation_initiation_source="react_sdk"),
        conversation("i_exotel", phone_call=phone_call("+15550100009") | {"type": "exotel"}, queue_wait_secs=12.5),
        conversation("j_withheld", phone_call=phone_call("anonymous")),
    ):
        rows.document(document)
    assert rows.values(KEY, "conversation_id", "channel", "direction", "caller_id", "queue_wait_secs") == [
        ("a_phone", "phone", "inbound", "+15550100005", None),
        ("b_sms", "sms", "inbound", "+15550100005", None),
        ("c_whatsapp", "whatsapp", "outbound", "+15550100005", None),
        ("d_genesys", "phone", "inbound", "+15550100005", None),
        ("e_sip", "phone", None, None, None),
        ("f_bot", "chat", None, None, None),
        ("g_chat", "chat", None, None, None),
        ("h_voice", "voice", None, None, None),
        ("i_exotel", "phone", "inbound", "+15550100009", 12.5),
        ("j_withheld", "phone", "inbound", None, None),
    ]


def test_one_person_is_one_caller_whatever_the_channel(rows: Any) -> None:
    day = int(timedelta(days=1).total_seconds())
    rows.document(conversation("a", phone_call=phone_call("+1 555 010 0004")))
    rows.document(conversation("b", sms=sms("+15550100004"), start_time_unix_secs=STARTED + day))
    rows.document(conversation("c", sms=sms("+15550100004"), start_time_unix_secs=STARTED + 9 * day))
    actual = rows.model(KEY, "conversation_id", "is_repeat_caller_7d")
    assert [row["is_repeat_caller_7d"] for row in actual] == [False, True, False]


@pytest.mark.parametrize(("user_id", "client_user_id", "caller"), [("", None, None), (" ", "", None), ("", "u1", "u1")])
def test_a_blank_user_id_is_nobodys(user_id: str, client_user_id: str | None, caller: str | None, rows: Any) -> None:
    for name in ("a", "b"):
        document = conversation(name) | {"user_id": user_id}
        document["conversation_initiation_client_data"]["user_id"] = client_user_id
        rows.document(document)
    rows.build(KEY, "metrics.repeat_callers")
    repeats = [None, None] if caller is None else [False, True]
    expected = [(caller, caller, is_repeat) for is_repeat in repeats]
    assert rows.values(KEY, "user_id", "caller_id", "is_repeat_caller_7d") == expected
    assert rows.values("metrics.repeat_callers", "n_known_calls", "n_callers") == [(2, 1) if caller else (0, 0)]


NOTATIONS = [
    ("+15500100004", "550 010 0004", True),
    ("+1 551 010-0004", "551 010 0004", True),
    ("+1 (552) 010%", "552 010 0004", True),
    ("+1553010000_", "553 010 0004", True),
    ("554 010 0004", "554 010 0004", True),  # as the provider writes it
    ("+15550100005", "555 010 0004", False),
    ("+49%", "556 010 0004", False),
]


@pytest.mark.parametrize(("_pattern", "number", "is_excluded"), NOTATIONS)
def test_a_caller_is_left_out_in_any_notation(_pattern: str, number: str, *, is_excluded: bool, rows: Any) -> None:
    rows.seed("excluded_callers", *(f"caller_id,{pattern},a test" for pattern, _, _ in NOTATIONS))
    rows.document(conversation("a", sms=sms(number)))
    actual = rows.model(KEY, "is_excluded", "is_counted")
    assert actual == [{"is_excluded": is_excluded, "is_counted": not is_excluded}]


def usage(block: str, price: float) -> dict[str, Any]:
    return {block: {"model_usage": {"model-x": {"input": {"tokens": 100, "price": price}}}}}


def test_each_form_of_a_cost(rows: Any) -> None:
    for document in (
        conversation("a_both", cost=600, charging=CHARGES),
        conversation("b_charges_only", cost=None, charging=CHARGES),
        conversation("c_one_charge", charging={"tier": "starter", "llm_charge": 400}),
        conversation("d_dollars_only", cost_fiat=0.025, charging={"tier": "starter"}),
        conversation("e_surcharge", cost=600, charging=CHARGES | {"voice_surcharge_charge": 120}),
        conversation("f_fraction", cost=600.5, call_duration_secs=12.6, charging=CHARGES),
        conversation(
            "g_delivered", cost=600, charging=CHARGES | {"llm_usage": usage("irreversible_generation", 0.03125)}
        ),
        conversation(
            "h_initiated",
            cost=600,
            charging=CHARGES
            | {"llm_usage": usage("irreversible_generation", 0.03125) | usage("initiated_generation", 0.0625)},
        ),
    ):
        rows.document(document)
    columns = (
        "cost_credits",
        "cost_usd",
        "cost_basis",
        "voice_surcharge_credits",
        "llm_cost_usd",
        "call_duration_secs",
    )
    rows.build(KEY, "intermediate.int_conversation_costs")
    actual = rows.model(KEY, "conversation_id", *columns)
    assert {row.pop("conversation_id"): tuple(row.values()) for row in actual} == {
        "a_both": (600, 0.1, "plan_rate", None, None, 60),
        "b_charges_only": (600, 0.1, "plan_rate", None, None, 60),
        "c_one_charge": (None, None, "unknown", None, None, 60),
        "d_dollars_only": (None, 0.025, "reported", None, None, 60),
        "e_surcharge": (600, 0.1, "plan_rate", 120.0, None, 60),
        "f_fraction": (600, 0.1, "plan_rate", None, None, 12),
        "g_delivered": (600, 0.1, "plan_rate", None, 0.03125, 60),
        "h_initiated": (600, 0.1, "plan_rate", None, 0.0625, 60),
    }
    costs = rows.model("intermediate.int_conversation_costs", "conversation_id", "voice_surcharge_usd")
    assert {row["conversation_id"]: row["voice_surcharge_usd"] for row in costs if row["voice_surcharge_usd"]} == {
        "e_surcharge": 0.02
    }


def test_the_models_cost_counts_what_was_only_delivered(rows: Any) -> None:
    rows.document(conversation("a", charging={"llm_usage": usage("irreversible_generation", 0.03125)}))
    actual = rows.model("metrics.llm_cost", "n_calls", "input_tokens", "llm_cost_usd", "delivered_usd")
    assert actual == [{"n_calls": 1, "input_tokens": 100, "llm_cost_usd": 0.03125, "delivered_usd": 0.03125}]


THUMBS: list[tuple[dict[str, Any], int, int]] = [
    ({"overall_score": "like"}, 1, 0),
    ({"overall_score": "dislike"}, 0, 1),
    ({"overall_score": "like", "likes": 0, "dislikes": 0}, 1, 0),
    ({"overall_score": "dislike", "likes": 2, "dislikes": 1}, 2, 1),
    ({"overall_score": None}, 0, 0),
]


@pytest.mark.parametrize(("feedback", "likes", "dislikes"), THUMBS)
def test_a_thumb_without_counts_is_one(feedback: dict[str, Any], likes: int, dislikes: int, rows: Any) -> None:
    rows.document(conversation("a", feedback={"type": "thumbs"} | feedback))
    actual = rows.model("metrics.feedback", "likes", "dislikes")
    assert actual == [{"likes": likes, "dislikes": dislikes}]


@pytest.mark.parametrize(
    ("feedback", "likes", "dislikes"),
    [
        (None, 2, 1),
        ({"type": "thumbs"}, 2, 1),
        ({"type": "thumbs", "likes": 0, "dislikes": 0}, 0, 0),
        ({"overall_score": "dislike"}, 0, 1),
        ({"likes": 1, "dislikes": 0}, 1, 0),
    ],
)
def test_thumbs_of_entries_count_where_none_of_the_conversation_is_reported(
    feedback: dict[str, Any] | None, likes: int, dislikes: int, rows: Any
) -> None:
    document = conversation("a", feedback=feedback)
    document["transcript"] += [{"role": "agent", "feedback": {"score": score}} for score in ("like", "like", "dislike")]
    rows.document(document)
    actual = rows.model("metrics.feedback", "likes", "dislikes")
    assert actual == [{"likes": likes, "dislikes": dislikes}]


def test_a_verdict_counts_once_that_of_the_whole_or_of_the_first_scope(rows: Any) -> None:
    kind = {"criteria_id": "kind", "result": "success"}
    rude = {"criteria_id": "kind", "result": "failure"}
    scopes = [
        {"scope": "agent", "source_agent_id": "agent_a", "evaluation_criteria_results": {"kind": kind}},
        {
            "scope": "agent",
            "source_agent_id": "agent_b",
            "source_branch_id": "main",
            "evaluation_criteria_results": {"kind": rude, "refund": rude | {"criteria_id": "refund"}},
            "data_collection_results": {"invoice": {"value": "INV-7"}},
        },
        {
            "scope": "conversation",
            "source_agent_id": "agent_b",
            "evaluation_criteria_results": {"refund": kind | {"criteria_id": "refund"}},
        },
    ]
    analysis = {"evaluation_criteria_results": {"kind": kind}, "scoped": scopes}
    rows.document(conversation("a") | {"analysis": analysis})
    rates = ("metrics.evaluation_rates", "metrics.data_collection_fill")
    rows.build("marts.fct_evaluations", "marts.fct_data_collection", KEY, *rates)
    columns = ("scope_index", "criteria_id", "scope", "source_agent_id", "source_branch_id", "result", "is_main")
    assert rows.values("marts.fct_evaluations", *columns) == [
        (-1, "kind", None, None, None, "success", True),
        (0, "kind", "agent", "agent_a", None, "success", False),
        (1, "kind", "agent", "agent_b", "main", "failure", False),
        (1, "refund", "agent", "agent_b", "main", "failure", True),
        (2, "refund", "conversation", "agent_b", None, "success", False),
    ]
    columns = ("scope_index", "source_agent_id", "data_collection_id", "value_text", "is_main")
    assert rows.values("marts.fct_data_collection", *columns) == [(1, "agent_b", "invoice", "INV-7", True)]
    assert rows.values("metrics.evaluation_rates", "criteria_id", "n_calls", "n_success", "n_failure") == [
        ("kind", 1, 1, 0),
        ("refund", 1, 0, 1),
    ]
    assert rows.values("metrics.data_collection_fill", "data_collection_id", "n_asked", "n_filled") == [
        ("invoice", 1, 1)
    ]
    assert rows.values(KEY, "n_failed_criteria") == [(1,)]


def test_the_channel_of_a_conversation_that_says_little(rows: Any) -> None:
    sources = {
        "a_bot": {"conversation_initiation_source": "genesys_bot_connector"},
        "b_key": {"conversation_initiation_source": "unknown", "authorization_method": "genesys_api_key"},
        "c_avaya": {"authorization_method": "avaya_api_key"},
        "d_audiocodes": {"authorization_method": "audiocodes_api_key"},
        "e_audio": {"authorization_method": "signed_url"},
        "f_whatsapp": {"authorization_method": "whatsapp", "text_only": True},
        "g_sms": {"authorization_method": "sms", "text_only": True},
        "h_sms": {"sms": {"agent_phone_number": "+15550100001"}},
        "i_sms": {"sms": {"phone_number_id": "phnum_1"}},
        "j_phone": {"phone_call": {"direction": "outbound"}},
        "j_result": {"phone_call": {"call_result": "answered"}},
        "j_whatsapp": {"whatsapp": {"recipient": {"phone": "15550100005"}}},
        "j_whatsapp_result": {"whatsapp": {"call_result": "answered"}},
        "k_slack": {"conversation_initiation_source": "slack_integration"},
        "l_desk": {"async_metadata": {"external_system": "zendesk"}},
        "m_chat": {"text_only": True, "authorization_method": "public"},
    }
    for name, metadata in sources.items():
        rows.document(conversation(name, **metadata))
    client = {"source_info": {"source": "avaya"}}
    rows.document(conversation("n_client") | {"conversation_initiation_client_data": client})
    rows.document(
        conversation("o_both", conversation_initiation_source="widget")
        | {"conversation_initiation_client_data": client}
    )
    assert rows.values(KEY, "conversation_id", "channel", "is_text_only") == [
        ("a_bot", "phone", False),
        ("b_key", "phone", False),
        ("c_avaya", "phone", False),
        ("d_audiocodes", "phone", False),
        ("e_audio", "voice", False),
        ("f_whatsapp", "whatsapp", True),
        ("g_sms", "sms", True),
        ("h_sms", "sms", True),
        ("i_sms", "sms", True),
        ("j_phone", "phone", False),
        ("j_result", "phone", False),
        ("j_whatsapp", "whatsapp", False),
        ("j_whatsapp_result", "whatsapp", False),
        ("k_slack", "chat", True),
        ("l_desk", "chat", True),
        ("m_chat", "chat", True),
        ("n_client", "phone", False),
        ("o_both", "voice", False),
    ]


@pytest.mark.parametrize(
    ("metadata", "outcome"),
    [
        ({"sms": sms("+15550100005")}, "contained"),
        ({"sms": sms("+15550100005"), "text_only": False}, "contained"),
        ({"conversation_initiation_source": "intercom_integration"}, "contained"),
        ({"phone_call": phone_call("+15550100005")}, "abandoned"),
    ],
)
def test_a_question_mark_is_a_word_where_people_write(metadata: Any, outcome: str, rows: Any) -> None:
    document = conversation("a", **metadata)
    document["transcript"] = [{"role": "agent", "message": "Hello."}, {"role": "user", "message": "?"}]
    rows.document(document)
    assert rows.values(KEY, "outcome") == [(outcome,)]


def test_a_second_result_and_a_result_without_its_call_count(rows: Any) -> None:
    call = {"request_id": "r", "tool_name": "slow", "type": "webhook"}
    late = call | {"is_error": True, "error_type": "timeout", "tool_latency_secs": 8.0}
    lone = {"request_id": "r9", "tool_name": "lookup", "type": "mcp", "is_error": True, "tool_latency_secs": 1.0}
    document = conversation("a")
    document["transcript"] = [
        {"role": "agent", "tool_calls": [call]},
        {"role": "agent", "tool_results": [call | {"is_error": False, "tool_latency_secs": 0.5}]},
        {"role": "agent", "tool_results": [late, lone]},
        {"role": "user", "message": "hm"},
    ]
    rows.document(document)
    rows.build("marts.fct_tool_calls", "metrics.tool_reliability")
    columns = ("tool_name", "has_call", "is_error", "error_type", "latency_secs", "turn_index", "result_turn_index")
    assert rows.values("marts.fct_tool_calls", *columns) == [
        ("lookup", False, True, None, 1.0, 2, 2),
        ("slow", False, True, "timeout", 8.0, 2, 2),
        ("slow", True, False, None, 0.5, 0, 1),
    ]
    columns = ("tool_name", "n_tool_calls", "n_answered", "n_errors", "n_unanswered")
    assert rows.values("metrics.tool_reliability", *columns) == [
        ("lookup", 1, 1, 1, 0),
        ("slow", 2, 2, 1, 0),
    ]


def test_no_time_is_below_0(rows: Any) -> None:
    tool = {"request_id": "r", "tool_name": "look_up", "type": "webhook"}
    document = conversation("a", call_duration_secs=-5, queue_wait_secs=-1.5)
    document["transcript"] += [
        {"role": "agent", "tool_calls": [tool]},
        {"role": "agent", "tool_results": [tool | {"tool_latency_secs": -0.25}]},
        {"role": "agent", "message": "Here.", "rag_retrieval_info": {"rag_latency_secs": -0.5, "chunks": []}},
    ]
    rows.document(document)
    retrievals, calls = "marts.fct_rag_retrievals", "marts.fct_tool_calls"
    rows.build(KEY, calls, retrievals, "metrics.agent_daily")
    assert rows.values(KEY, "call_duration_secs", "queue_wait_secs") == [(None, None)]
    assert rows.values(calls, "latency_secs") == [(None,)]
    assert rows.values(retrievals, "latency_secs") == [(None,)]
    assert rows.values("marts.fct_turns", "rag_latency_secs") == [(None,)] * 5
    assert rows.values("metrics.agent_daily", "call_minutes", "n_handled", "n_queued") == [(0.0, 0, 0)]


def test_a_conversation_whose_error_is_a_text_is_an_error(rows: Any) -> None:
    for name, error in (("c1", "Agent not found"), ("c2", ""), ("c3", "Rate_limit hit")):
        rows.document(conversation(name, error=error))
    assert rows.values(KEY, "outcome", "outcome_reason", "error_reason") == [
        ("error", "other", "Agent not found"),
        ("contained", "other", ""),
        ("error", "quota", "Rate_limit hit"),
    ]
