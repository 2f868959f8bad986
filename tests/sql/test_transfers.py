from __future__ import annotations

from typing import Any

METRIC = "metrics.transfers"
COLUMNS = (
    "workspace",
    "start_date",
    "kind",
    "from_agent_id",
    "from_agent_name",
    "to_agent_id",
    "to_agent_name",
    "to_number",
    "n_calls",
    "n_transfers",
    "n_errors",
    "error_rate",
)


def _transfer(rows: Any, call: str, index: int, kind: str, to: str | None, **row: object) -> None:
    where = "result_to_agent" if kind == "agent" else "result_transfer_number"
    defaults = {
        "depth": 0,
        "type": "system",
        "tool_name": f"transfer_to_{kind}",
        "result_type": f"transfer_to_{kind}_success",
        where: to,
    }
    rows.add("tool_results", **({"conversation_id": call, "turn_index": 1, "result_index": index} | defaults | row))


def test_transfers(rows: Any) -> None:
    rows.seed("excluded_callers", "user_id,tester,ourselves")
    rows.call("c1", agent_name="Front")
    rows.call("of_a2", agent_id="a2", agent_name="Back")
    rows.call("elsewhere", workspace="second", agent_name="Others")
    rows.call("c2", is_deleted=True)
    rows.call("open", status="in-progress")
    rows.call("tested", user_id="tester")
    _transfer(rows, "c1", 0, "agent", "a2")
    _transfer(rows, "c1", 1, "agent", "a2", is_error=True)
    _transfer(rows, "c1", 2, "agent", "node_7", depth=1)  # to a node of the workflow
    _transfer(rows, "c1", 3, "agent", "a3", result_from_agent="a2")
    _transfer(rows, "c1", 4, "number", "+100", depth=1)
    _transfer(rows, "c2", 0, "agent", "a2")
    _transfer(rows, "c2", 1, "number", None, is_blocked=True)
    _transfer(rows, "open", 0, "agent", "a2", is_error=True)
    _transfer(rows, "tested", 0, "agent", "a2", is_error=True)
    assert rows.values(METRIC, *COLUMNS) == [
        ("main", rows.day, "agent", "a1", "Front", "a2", "Back", None, 2, 3, 1, 1 / 3),
        ("main", rows.day, "agent", "a2", "Back", "a3", None, None, 1, 1, 0, 0.0),
        ("main", rows.day, "number", "a1", "Front", None, None, "+100", 1, 1, 0, 0.0),
        ("main", rows.day, "number", "a1", "Front", None, None, None, 1, 1, 1, 1.0),
    ]


def test_transfers_of_other_days_and_workspaces_stand_apart(rows: Any) -> None:
    tomorrow = rows.day.replace(day=3)
    rows.call("c1", agent_id=None)
    rows.call("c2", agent_id=None, workspace="second")
    rows.call("c3", agent_id=None, start_date=tomorrow)
    _transfer(rows, "c1", 0, "agent", None)
    _transfer(rows, "c2", 0, "agent", None, workspace="second")
    _transfer(rows, "c3", 0, "agent", None, start_date=tomorrow)
    actual = rows.model(METRIC)
    assert [row.keys() for row in actual] == [dict.fromkeys(COLUMNS).keys()] * 3
    assert [tuple(row.values()) for row in actual] == [
        ("main", rows.day, "agent", None, None, None, None, None, 1, 1, 0, 0.0),
        ("main", tomorrow, "agent", None, None, None, None, None, 1, 1, 0, 0.0),
        ("second", rows.day, "agent", None, None, None, None, None, 1, 1, 0, 0.0),
    ]
