"""Marts of details: collected fields, timings, retrievals and transfers."""

from __future__ import annotations

import json
from typing import Any


def _collected(rows: Any, field: str, value: object, declared: str | None, **row: object) -> None:
    """A field as the flattening writes it: JSON text, and the value in the column of its type."""
    by_type: dict[str, object] = {}
    if isinstance(value, bool):
        by_type["value_bool"] = value
    elif isinstance(value, str):
        by_type["value_text"] = value
    elif isinstance(value, int | float):
        by_type["value_number"] = float(value)
    text = None if value is None else json.dumps(value)
    rows.add(
        "data_collection_results", data_collection_id=field, value=text, json_schema_type=declared, **by_type, **row
    )


def test_data_collection_with_everything_and_nothing(rows: Any) -> None:
    rows.call(version_id="v1")
    rows.call("c2", agent_id=None, status="processing")
    _collected(rows, "name", "Ann", "string", rationale="She said so.")
    rows.add("data_collection_results", conversation_id="c2", data_collection_id="name")
    nothing = {
        "workspace": "main",
        "conversation_id": "c2",
        "scope_index": -1,
        "data_collection_id": "name",
        "start_date": rows.day,
        "scope": None,
        "source_agent_id": None,
        "source_branch_id": None,
        "agent_id": None,
        "agent_name": None,
        "version_id": None,
        "declared_type": None,
        "value": None,
        "value_text": None,
        "value_number": None,
        "value_bool": None,
        "is_filled": False,
        "is_of_declared_type": None,
        "rationale": None,
        "is_finished": False,
        "is_counted": False,
    }
    assert rows.model("marts.fct_data_collection") == [
        nothing
        | {"conversation_id": "c1", "agent_id": "a1", "agent_name": None, "version_id": "v1", "declared_type": "string"}
        | {"value": '"Ann"', "value_text": "Ann", "is_filled": True, "is_of_declared_type": True}
        | {"rationale": "She said so.", "is_finished": True, "is_counted": True},
        nothing,
    ]


def test_data_collection_filled_and_of_the_declared_type(rows: Any) -> None:
    rows.call()
    fields: list[tuple[str, object, str | None, bool, bool | None]] = [
        # field, value, type asked for, filled, of that type
        ("a_text", "Ann", "string", True, True),
        ("b_blank", "  ", "string", False, None),
        ("c_empty", "", "string", False, None),
        ("d_no_list", [], "string", False, None),
        ("e_list", ["a"], "string", True, False),
        ("f_no_object", {}, "string", False, None),
        ("g_false", False, "boolean", True, True),
        ("h_word_for_true", "true", "boolean", True, False),
        ("i_zero", 0, "integer", True, True),
        ("j_whole", 12.0, "integer", True, True),
        ("k_part", 12.5, "integer", True, False),
        ("l_text_of_number", "12", "integer", True, False),
        ("m_number", 12.5, "number", True, True),
        ("n_bool_for_number", True, "number", True, False),
        ("o_null", None, "number", False, None),
        ("p_undeclared", "x", None, True, None),
        ("q_several_types", "x", '["string", "null"]', True, None),
        ("r_redacted", "<redacted>", "number", True, None),
        ("s_number_for_text", 7, "string", True, False),
    ]
    for field, value, declared, _, _ in fields:
        _collected(rows, field, value, declared)
    actual = rows.model("marts.fct_data_collection", "data_collection_id", "is_filled", "is_of_declared_type")
    assert [tuple(row.values()) for row in actual] == [(field, filled, fits) for field, _, _, filled, fits in fields]


def test_turn_latency_keeps_repeats_apart(rows: Any) -> None:
    rows.call(version_id="v1")
    rows.call("c2", agent_id=None, status=None)
    rows.add("turn_metrics", turn_index=0, metric="convai_llm_service_ttfb", elapsed_secs=0.5, is_repeat=False)
    rows.add("turn_metrics", turn_index=1, metric="convai_llm_service_ttfb", elapsed_secs=0.5, is_repeat=True)
    rows.add("turn_metrics", conversation_id="c2", turn_index=0, metric="new", elapsed_secs=None, is_repeat=False)
    of_c1 = {
        "workspace": "main",
        "conversation_id": "c1",
        "turn_index": 0,
        "metric": "convai_llm_service_ttfb",
        "start_date": rows.day,
        "agent_id": "a1",
        "agent_name": None,
        "version_id": "v1",
        "elapsed_secs": 0.5,
        "is_repeat": False,
        "is_measured": True,
        "is_finished": True,
        "is_counted": True,
    }
    assert rows.model("marts.fct_turn_latency") == [
        of_c1,
        of_c1 | {"turn_index": 1, "is_repeat": True, "is_measured": False},
        of_c1
        | {
            "conversation_id": "c2",
            "metric": "new",
            "agent_id": None,
            "agent_name": None,
            "version_id": None,
            "elapsed_secs": None,
        }
        | {"is_measured": False, "is_finished": False, "is_counted": False},
    ]


def test_a_wait_follows_an_entry_of_the_user(rows: Any) -> None:
    rows.call()
    rows.call("c2")
    wait, ttfb = "convai_ttf_audio_since_silence", "convai_llm_service_ttfb"
    for turn, role in enumerate(("agent", "agent", "user", "agent")):
        rows.add("turns", turn_index=turn, role=role)
        rows.add("turn_metrics", turn_index=turn, metric=wait, elapsed_secs=1.0 + turn, is_repeat=False)
        rows.add("turn_metrics", turn_index=turn, metric=ttfb, elapsed_secs=0.5 + turn, is_repeat=False)
    rows.add("turns", conversation_id="c2", turn_index=0, role="agent")
    rows.add("turn_metrics", conversation_id="c2", turn_index=0, metric=wait, elapsed_secs=1.0, is_repeat=False)
    actual = rows.model("marts.fct_turn_latency", "conversation_id", "turn_index", "metric", "is_measured")
    assert [tuple(row.values())[:3] for row in actual if not row["is_measured"]] == [
        ("c1", 0, wait),
        ("c1", 1, wait),
        ("c1", 2, wait),
        ("c2", 0, wait),
    ]


def test_rag_retrievals(rows: Any) -> None:
    rows.call(version_id="v1")
    rows.add(  # three chunks, of which two were used
        "turns",
        turn_index=1,
        rag_retrieval_info_embedding_model="e5",
        rag_retrieval_info_retrieval_query="opening hours",
        rag_retrieval_info_rag_latency_secs=0.25,
        rag_retrieval_info_used_chunk_ids='["k1", "k3"]',
    )
    for chunk, distance in enumerate((0.5, 0.2, 0.8)):
        rows.add("rag_chunks", turn_index=1, chunk_index=chunk, vector_distance=distance)
    rows.add("turns", turn_index=2)  # no retrieval: in no row
    rows.add("turns", turn_index=3, rag_retrieval_info_retrieval_query="nothing found")
    rows.add("turns", turn_index=4)  # redacted: chunks alone, one without a distance
    rows.add("rag_chunks", turn_index=4, chunk_index=0)
    rows.add("rag_chunks", turn_index=4, chunk_index=1, vector_distance=0.4)
    rows.add("turns", turn_index=5, rag_retrieval_info_rag_latency_secs=0.5, rag_retrieval_info_used_chunk_ids="[]")
    rows.add("turns", turn_index=6, rag_retrieval_info_embedding_model="e5")
    nothing = {
        "workspace": "main",
        "conversation_id": "c1",
        "turn_index": 3,
        "start_date": rows.day,
        "agent_id": "a1",
        "agent_name": None,
        "version_id": "v1",
        "embedding_model": None,
        "retrieval_query": None,
        "latency_secs": None,
        "n_chunks": 0,
        "n_chunks_used": None,
        "best_distance": None,
        "mean_distance": None,
        "is_finished": True,
        "is_counted": True,
    }
    assert rows.model("marts.fct_rag_retrievals") == [
        nothing
        | {"turn_index": 1, "embedding_model": "e5", "retrieval_query": "opening hours", "latency_secs": 0.25}
        | {"n_chunks": 3, "n_chunks_used": 2, "best_distance": 0.2, "mean_distance": 0.5},
        nothing | {"turn_index": 3, "retrieval_query": "nothing found"},
        nothing | {"turn_index": 4, "n_chunks": 2, "best_distance": 0.4, "mean_distance": 0.4},
        nothing | {"turn_index": 5, "latency_secs": 0.5, "n_chunks_used": 0},
        nothing | {"turn_index": 6, "embedding_model": "e5"},
    ]


def test_transfers_with_everything_and_nothing(rows: Any) -> None:
    rows.call(version_id="v1")
    rows.call("c2", agent_id=None, status="in-progress")
    rows.add("turns", turn_index=3, agent_metadata_agent_id="a2")
    rows.add(
        "tool_results",
        turn_index=3,
        result_index=0,
        depth=0,
        tool_name="transfer_to_agent",
        type="system",
        result_type="transfer_to_agent_success",
        result_status="success",
        result_from_agent="a1",
        result_to_agent="a3",
        result_condition="asks for the bill",
        result_reason="The caller asked.",
        is_error=False,
    )
    rows.add(
        "tool_results",
        turn_index=3,
        result_index=1,
        depth=1,
        tool_name="transfer_to_number",
        result_type="transfer_to_number_error",
        result_status="error",
        result_transfer_number="+1",
        result_error="no answer",
        raw_error_message="in the tool's words",
    )
    rows.add("tool_results", turn_index=4, result_index=2, depth=0, tool_name="look_up")  # no transfer
    rows.add(  # a test of the agent: nothing is transferred
        "tool_results", turn_index=4, result_index=3, depth=0, tool_name="transfer_to_agent", result_type="testing"
    )
    old = {"type": "system", "tool_name": "transfer_to_agent", "result_value": "Transferred"}
    rows.add("tool_results", conversation_id="c2", turn_index=0, result_index=0, depth=0, **old)
    rows.add("tool_results", turn_index=5, result_index=4, depth=0, type="webhook", tool_name="transfer_to_agent")
    nothing = {
        "workspace": "main",
        "conversation_id": "c2",
        "result_index": 0,
        "start_date": rows.day,
        "agent_id": None,
        "agent_name": None,
        "version_id": None,
        "turn_index": 0,
        "depth": 0,
        "kind": "agent",
        "from_agent_id": None,
        "to_agent_id": None,
        "to_number": None,
        "is_error": False,
        "error": None,
        "condition": None,
        "reason": None,
        "is_finished": False,
        "is_counted": False,
    }
    of_c1 = {"conversation_id": "c1", "agent_id": "a1", "agent_name": None, "version_id": "v1", "turn_index": 3}
    of_c1 |= {"is_finished": True, "is_counted": True}
    assert rows.model("marts.fct_transfers") == [
        nothing
        | of_c1
        | {"from_agent_id": "a1", "to_agent_id": "a3", "condition": "asks for the bill", "reason": "The caller asked."},
        nothing
        | of_c1
        | {"result_index": 1, "depth": 1, "kind": "number", "from_agent_id": "a2", "to_number": "+1"}
        | {"is_error": True, "error": "no answer"},
        nothing,
    ]


def test_transfers_that_did_not_take_place(rows: Any) -> None:
    rows.call()
    outcomes: list[dict[str, object]] = [
        {},
        {"is_error": True, "raw_error_message": "refused"},
        {"is_blocked": True},
        {"tool_has_been_called": False},
        {"result_status": "error"},
        {"result_status": "success", "is_error": False, "is_blocked": False, "tool_has_been_called": True},
        {"result_value": '{"status": "success", "reason": "failed before"}'},
        {"result_value": '{"reason": "The caller asked", "status": "error"}'},
        {"result_value": "Error: no transfer is configured"},
        {"result_value": "Transfer failed"},
        {"result_value": "Transfer failed", "result_type": "transfer_to_number_sip_success"},
    ]
    for index, outcome in enumerate(outcomes):
        defaults = {"turn_index": 0, "result_index": index, "depth": 0, "tool_name": "transfer_to_number"}
        rows.add("tool_results", type="system", **defaults, **outcome)
    actual = rows.model("marts.fct_transfers", "from_agent_id", "is_error", "error")
    assert [tuple(row.values()) for row in actual] == [
        ("a1", False, None),
        ("a1", True, "refused"),
        ("a1", True, None),
        ("a1", True, None),
        ("a1", True, None),
        ("a1", False, None),
        ("a1", False, None),
        ("a1", True, None),
        ("a1", True, None),
        ("a1", True, None),
        ("a1", False, None),
    ]
