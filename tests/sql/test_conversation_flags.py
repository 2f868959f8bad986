"""Which calls count, and what follows from it in the facts and the metrics."""

from __future__ import annotations

from typing import Any

import pytest

FLAGS = "intermediate.int_conversation_flags"


def test_of_a_call_all_is_told(rows: Any) -> None:
    users = {"user_id": "u1", "conversation_initiation_client_data_user_id": "u2"}
    rows.call(version_id="v1", phone_call_external_number="+100", **users)
    assert rows.model(FLAGS) == [
        {
            "workspace": "main",
            "conversation_id": "c1",
            "agent_id": "a1",
            "agent_name": None,
            "version_id": "v1",
            "start_date": rows.day,
            "user_id": "u1",
            "caller_id": "+100",
            "channel": "phone",
            "is_text_only": False,
            "is_finished": True,
            "is_excluded": False,
            "is_counted": True,
        }
    ]


def test_finished_calls_count(rows: Any) -> None:
    states = ("done", "failed", "processing", "in-progress", "initiated", None)
    for state in states:
        rows.call(f"c_{state}", status=state)
    actual = rows.model(FLAGS, "conversation_id", "is_finished", "is_excluded", "is_counted")
    assert {row["conversation_id"]: tuple(row.values())[1:] for row in actual} == {
        "c_done": (True, False, True),
        "c_failed": (True, False, True),
        "c_processing": (False, False, False),
        "c_in-progress": (False, False, False),
        "c_initiated": (False, False, False),
        "c_None": (False, False, False),
    }


def test_callers_are_left_out_by_number_user_agent_or_id(rows: Any) -> None:
    rows.seed(
        "excluded_callers",
        "caller_id,+49%,our own office",
        "user_id,test-%,testers",
        "agent_id,a_9,agents that try things",
        "conversation_id,odd,it went wrong",
        "caller_id,+4%9,fits +499 a second time",
    )
    rows.call("by_number", phone_call_external_number="+499")
    rows.call("by_user", phone_call_external_number="+1", user_id="test-7")
    rows.call("by_clients_user", conversation_initiation_client_data_user_id="test-8")
    rows.call("by_user_as_caller", whatsapp_whatsapp_user_id="+490")
    rows.call("by_agent", agent_id="ab9")
    rows.call("odd")
    rows.call("open", agent_id="ab9", status="in-progress")
    rows.call("other_number", phone_call_external_number="0049")
    rows.call("other_case", user_id="TEST-7")
    rows.call("a_test_in_the_wrong_field", phone_call_external_number="test-7")
    rows.call("longer_agent", agent_id="abc9")
    rows.call("of_nobody", agent_id=None)
    actual = rows.model(FLAGS, "conversation_id", "is_excluded", "is_counted")
    assert {row["conversation_id"]: (row["is_excluded"], row["is_counted"]) for row in actual} == {
        "by_number": (True, False),
        "by_user": (True, False),
        "by_clients_user": (True, False),
        "by_user_as_caller": (True, False),
        "by_agent": (True, False),
        "odd": (True, False),
        "open": (True, False),
        "other_number": (False, True),
        "other_case": (False, True),
        "a_test_in_the_wrong_field": (False, True),
        "longer_agent": (False, True),
        "of_nobody": (False, True),
    }


def _call_with_parts(rows: Any, name: str, workspace: str = "main", **row: object) -> None:
    """A call of 60 s for 6,000 credits (1 US dollar), with one row in each table below it."""
    of_it = {"conversation_id": name, "workspace": workspace}
    at = of_it | {"turn_index": 1}
    rows.call(name, workspace=workspace, cost_credits=6000, charging_tier="starter", call_duration_secs=60, **row)
    rows.add("turns", role="user", message="Hello?", turn_index=0, **of_it)
    rows.add("turns", role="agent", message="Hello", rag_retrieval_info_retrieval_query="price", **at)
    rows.add("turn_metrics", metric="convai_ttf_audio_since_silence", elapsed_secs=1.0, is_repeat=False, **at)
    rows.add("tool_calls", call_index=0, depth=0, request_id="r", tool_name="look_up", **at)
    rows.add(
        "tool_results", result_index=0, depth=0, request_id="r", type="system", tool_name="transfer_to_number", **at
    )
    rows.add("evaluation_results", criteria_id="polite", result="success", **of_it)
    rows.add("data_collection_results", data_collection_id="name", **of_it)
    usage = {"scope": "initiated", "turn_index": -1, "model": "m", "token_kind": "input", "tokens": 1}
    rows.add("llm_usage", **(of_it | usage))


FACTS = (
    "fct_conversations",
    "fct_data_collection",
    "fct_evaluations",
    "fct_llm_usage",
    "fct_rag_retrievals",
    "fct_tool_calls",
    "fct_transfers",
    "fct_turn_latency",
    "fct_turns",
)


@pytest.mark.parametrize("fact", FACTS)
def test_a_fact_holds_every_call_and_says_which_count(rows: Any, fact: str) -> None:
    rows.seed("excluded_callers", "caller_id,+49%,our own office")
    _call_with_parts(rows, "c1", "second", phone_call_external_number="+1")
    _call_with_parts(rows, "c2", phone_call_external_number="+49")
    _call_with_parts(rows, "c3", status="in-progress")
    n_rows = 2 if fact == "fct_turns" else 1
    assert rows.model(f"marts.{fact}", "workspace", "conversation_id", "is_finished", "is_counted") == [
        {"workspace": workspace, "conversation_id": name, "is_finished": is_finished, "is_counted": is_counted}
        for workspace, name, is_finished, is_counted in (
            ("second", "c1", True, True),
            ("main", "c2", True, False),
            ("main", "c3", False, False),
        )
        for _ in range(n_rows)
    ]


METRICS = {
    "agent_daily": ("n_calls", "n_open", "call_minutes", "cost_usd", "n_waits"),
    "cost_daily": ("component", "n_calls", "cost_credits"),
    "tool_reliability": ("tool_name", "n_calls", "n_tool_calls"),
    "sync_health": ("n_in_mart",),
}


def _add_excluded_calls(rows: Any) -> None:
    rows.seed("excluded_callers", "conversation_id,c2,a test", "conversation_id,c3,a test", "agent_id,a9,tests alone")
    for name in ("c1", "c2"):
        _call_with_parts(rows, name, agent_id=None)
    for name in ("c3", "c4"):
        _call_with_parts(rows, name, agent_id=None, status="in-progress")
    _call_with_parts(rows, "c5", agent_id="a9")
    for name in ("d1", "d2"):
        _call_with_parts(rows, name, "second", agent_id=None)


@pytest.mark.parametrize(
    ("metric", "main", "second"),
    [
        ("agent_daily", [(1, 1, 1.0, 1.0, 1)], [(2, 0, 2.0, 2.0, 2)]),
        (
            "cost_daily",
            [("call", 1, 0.0), ("llm", 1, 0.0), ("unexplained", 1, 6000.0)],
            [("call", 2, 0.0), ("llm", 2, 0.0), ("unexplained", 2, 12000.0)],
        ),
        ("tool_reliability", [("look_up", 1, 1)], [("look_up", 2, 2)]),
        ("sync_health", [(5,)], [(2,)]),
    ],
)
def test_metrics_count_no_excluded_call_and_keep_workspaces_apart(
    rows: Any, metric: str, main: list[tuple[object, ...]], second: list[tuple[object, ...]]
) -> None:
    _add_excluded_calls(rows)
    actual = rows.values(f"metrics.{metric}", "workspace", *METRICS[metric])
    assert actual == [("main", *row) for row in main] + [("second", *row) for row in second]
