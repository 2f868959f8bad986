"""``metrics.tool_errors``: why tools failed, by the type that the API tells."""

from __future__ import annotations

from typing import Any

import pytest


def add_error(rows: Any, index: int, tool: str, error_type: str | None, **row: object) -> None:
    call = {"turn_index": index, "request_id": f"r{index}", "depth": 0, "tool_name": tool} | row
    rows.add("tool_calls", call_index=index, **call)
    rows.add("tool_results", result_index=index, is_error=error_type != "none", error_type=error_type, **call)


def test_tool_errors(rows: Any) -> None:
    rows.call("c1")
    rows.call("c2")
    rows.call("open", status="in-progress")
    rows.call("c3", workspace="second")
    add_error(rows, 0, "search", "timeout")
    add_error(rows, 1, "search", "timeout")
    add_error(rows, 2, "search", None)
    add_error(rows, 3, "search", "none")  # no error
    add_error(rows, 4, "pay", "timeout")
    add_error(rows, 5, "search", "timeout", conversation_id="c2")
    add_error(rows, 6, "search", "timeout", conversation_id="open")
    add_error(rows, 7, "search", "refused", conversation_id="c3", workspace="second")
    names = ("workspace", "tool_name", "error_type", "n_calls", "n_errors", "n_day_errors", "error_type_rate")
    assert rows.model("metrics.tool_errors") == [
        pytest.approx({"start_date": rows.day} | dict(zip(names, values, strict=True)))
        for values in (
            ("main", "pay", "timeout", 1, 1, 1, 1.0),
            ("main", "search", "timeout", 2, 3, 4, 0.75),
            ("main", "search", None, 1, 1, 4, 0.25),
            ("second", "search", "refused", 1, 1, 1, 1.0),
        )
    ]
