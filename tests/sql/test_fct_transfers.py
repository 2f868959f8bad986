"""``marts.fct_transfers``: transfers to agents, nodes and numbers."""

from __future__ import annotations

from typing import Any


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
    assert rows.values("marts.fct_transfers", "from_agent_id", "is_error", "error") == [
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
