"""``marts.fct_tool_calls``: each call of a tool with its result."""

from __future__ import annotations

from typing import Any

CALL = {
    "workspace": "main",
    "conversation_id": "c1",
    "agent_id": "a1",
    "agent_name": None,
    "version_id": "v1",
    "parent_request_id": None,
    "depth": 0,
    "tool_name": "look_up",
    "tool_id": None,
    "tool_type": "webhook",
    "params_as_json": None,
    "mcp_server_name": None,
    "has_call": True,
    "error_type": None,
    "raw_error_message": None,
    "result_value": None,
    "result_type": None,
    "result_status": None,
    "result_reason": None,
    "called_at": None,
    "local_start_hour": 12,
    "local_weekday_name": "Monday",
    "is_finished": True,
    "is_counted": True,
}
UNANSWERED = {
    "result_turn_index": None,
    "is_answered": False,
    "is_error": None,
    "is_blocked": None,
    "latency_secs": None,
}


def test_tool_calls_each_with_its_result(rows: Any) -> None:
    rows.call(version_id="v1")
    calls = [("r1", 1, 0), ("r2", 1, 0), ("r2", 3, 0), (None, 5, 0), ("r3", 5, 1), ("r4", 8, 1), ("r4", 8, 0)]
    for index, (request, turn, depth) in enumerate(calls):
        parent = "r2" if depth else None
        rows.add(
            "tool_calls",
            call_index=index,
            turn_index=turn,
            depth=depth,
            parent_request_id=parent,
            request_id=request,
            tool_name="look_up",
            type="webhook",
        )
    defaults = {"tool_name": "look_up", "type": "webhook", "depth": 0}
    rows.add(
        "tool_results", result_index=0, turn_index=2, request_id="r2", tool_latency_secs=0.5, is_error=False, **defaults
    )
    rows.add(
        "tool_results",
        result_index=1,
        turn_index=4,
        request_id="r2",
        tool_latency_secs=1.5,
        is_error=True,
        is_blocked=True,
        error_type="timeout",
        raw_error_message="too late",
        result_value="{}",
        **defaults,
    )
    rows.add("tool_results", result_index=2, turn_index=4, request_id=None, **defaults)
    rows.add(
        "tool_results", result_index=3, turn_index=6, request_id="r3", **(defaults | {"depth": 1, "is_error": False})
    )
    orphan = defaults | {"is_error": True, "tool_id": "t1"}
    rows.add("tool_results", result_index=4, turn_index=6, request_id="orphan", **orphan)
    rows.add("tool_results", result_index=5, turn_index=7, request_id="r2", **defaults, tool_latency_secs=9.0)
    for index, depth in ((6, 1), (7, 0)):  # those of one depth are of each other, whatever their order
        of_depth = defaults | {"depth": depth, "tool_latency_secs": 3.0 + depth}
        rows.add("tool_results", result_index=index, turn_index=9, request_id="r4", **of_depth)
    actual = rows.model("marts.fct_tool_calls")
    base = CALL | {"start_date": rows.day}
    of_result = base | UNANSWERED | {"has_call": False, "is_answered": True}
    assert actual == [
        # a third result of two calls, a result without its call, one without a request_id
        of_result
        | {"call_index": -6, "turn_index": 7, "result_turn_index": 7, "request_id": "r2", "latency_secs": 9.0},
        of_result
        | {"call_index": -5, "turn_index": 6, "result_turn_index": 6, "request_id": "orphan", "is_error": True}
        | {"tool_id": "t1"},
        of_result | {"call_index": -3, "turn_index": 4, "result_turn_index": 4, "request_id": None},
        base | UNANSWERED | {"call_index": 0, "turn_index": 1, "request_id": "r1"},
        base
        | {"call_index": 1, "turn_index": 1, "request_id": "r2", "result_turn_index": 2}
        | {"is_answered": True, "is_error": False, "is_blocked": None, "latency_secs": 0.5},
        base
        | {"call_index": 2, "turn_index": 3, "request_id": "r2", "result_turn_index": 4}
        | {"is_answered": True, "is_error": True, "is_blocked": True, "latency_secs": 1.5}
        | {"error_type": "timeout", "raw_error_message": "too late", "result_value": "{}"},
        base | UNANSWERED | {"call_index": 3, "turn_index": 5, "request_id": None},
        base
        | {"call_index": 4, "turn_index": 5, "request_id": "r3", "parent_request_id": "r2", "depth": 1}
        | {"result_turn_index": 6, "is_answered": True, "is_error": False, "is_blocked": None, "latency_secs": None},
        base
        | {"call_index": 5, "turn_index": 8, "request_id": "r4", "parent_request_id": "r2", "depth": 1}
        | {"result_turn_index": 9, "is_answered": True, "is_error": None, "is_blocked": None, "latency_secs": 4.0},
        base
        | {"call_index": 6, "turn_index": 8, "request_id": "r4", "result_turn_index": 9}
        | {"is_answered": True, "is_error": None, "is_blocked": None, "latency_secs": 3.0},
    ]
