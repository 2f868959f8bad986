from __future__ import annotations

from typing import Any

import pytest

METRIC = "metrics.termination_reasons"


def test_termination_reasons(rows: Any) -> None:
    rows.seed("excluded_callers", "user_id,tester,ourselves")
    calls: list[tuple[str, str | None, dict[str, Any]]] = [
        ("c1", "Client disconnected: 1005", {"call_duration_secs": 30}),
        ("c2", "Client disconnected: 1005", {"call_duration_secs": 60, "error_code": 1002, "is_deleted": True}),
        ("c3", "Call ended by remote party", {"call_duration_secs": 90}),
        ("c4", "beyond the rules", {}),
        ("c5", None, {"status": "failed", "call_duration_secs": 30}),
        ("c6", " ", {"status": "failed"}),
        ("open", "Client disconnected: 1005", {"status": "processing"}),
        ("tested", "Client disconnected: 1005", {"user_id": "tester"}),
    ]
    for call, reason, row in calls:
        rows.call(call, termination_reason=reason, **row)
    key = {"workspace": "main", "start_date": rows.day, "agent_id": "a1", "agent_name": None, "n_day_calls": 6}
    names = ("termination_group", "termination_reason", "n_calls", "termination_rate", "n_errors", "call_minutes")
    assert rows.model(METRIC) == [
        pytest.approx(key | dict(zip(names, values, strict=True)))
        for values in (
            ("client_left", "Call ended by remote party", 1, 1 / 6, 0, 1.5),
            ("client_left", "Client disconnected: 1005", 2, 2 / 6, 1, 1.5),
            ("error", None, 2, 2 / 6, 2, 0.5),  # no reason and a blank one
            ("other", "beyond the rules", 1, 1 / 6, 0, 0.0),
        )
    ]


def test_reasons_of_other_days_agents_and_workspaces_stand_apart(rows: Any) -> None:
    rows.call("c1", agent_id=None)
    rows.call("c2", agent_id=None, workspace="second")
    rows.call("c3", agent_id="a2")
    rows.call("c4", agent_id="a2", start_date=rows.day.replace(day=3))
    assert rows.values(METRIC, "workspace", "start_date", "agent_id", "n_calls", "n_day_calls", "termination_rate") == [
        ("main", rows.day, "a2", 1, 1, 1.0),
        ("main", rows.day, None, 1, 1, 1.0),
        ("main", rows.day.replace(day=3), "a2", 1, 1, 1.0),
        ("second", rows.day, None, 1, 1, 1.0),
    ]
