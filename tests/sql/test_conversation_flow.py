from __future__ import annotations

from typing import Any

import pytest

METRIC = "metrics.conversation_flow"


def _says(rows: Any, call: str, *entries: str | None, **row: object) -> None:
    """Entries of a call: ``a`` the agent's, ``A`` one that is cut, ``u`` the user's, ``-`` silence, None a tool's."""
    for index, entry in enumerate(entries):
        defaults = {
            "role": "user" if entry in ("u", "-") else "agent",
            "message": None if entry is None else "..." if entry == "-" else "Hi",
            "interrupted": entry in ("A", None),
        }
        rows.add("turns", **({"conversation_id": call, "turn_index": index} | defaults | row))


def test_conversation_flow(rows: Any) -> None:
    rows.seed("excluded_callers", "user_id,tester,ourselves")
    for call in ("c1", "c2"):
        rows.call(call)
    rows.call("c3", status="failed", is_deleted=True, start_date=rows.day.replace(day=3))
    rows.call("c4")  # nobody spoke in it
    rows.call("open", status="in-progress")
    rows.call("tested", user_id="tester")
    _says(rows, "c1", "a", "u", None, "-", "A", "u")  # 1 agent, 2 user, 3 agent (cut), 4 user
    _says(rows, "c2", "A", "-")  # 1 agent (cut)
    _says(rows, "c3", "u", "a", "A", start_date=rows.day.replace(day=3))  # 1 user, 2 agent, 3 agent (cut)
    _says(rows, "c4", None, "-")
    for call in ("open", "tested"):
        _says(rows, call, "A", "A")
    key = {"workspace": "main", "agent_id": "a1", "agent_name": None}
    names = ("turn_position", "n_calls", "survival_rate", "n_ended", "drop_off_rate")
    cuts = ("n_agent_turns", "n_interruptions", "interruption_rate")
    assert rows.model(METRIC) == [
        pytest.approx(key | dict(zip(names + cuts, values, strict=True)))
        for values in (
            (1, 3, 1.0, 1, 1 / 3, 2, 1, 0.5),
            (2, 2, 2 / 3, 0, 0.0, 1, 0, 0.0),
            (3, 2, 2 / 3, 1, 0.5, 2, 2, 1.0),
            (4, 1, 1 / 3, 1, 1.0, 0, 0, None),
        )
    ]


def test_turns_of_other_agents_and_workspaces_stand_apart(rows: Any) -> None:
    calls = [
        ("c1", "main", None),
        ("c2", "main", "a2"),
        ("c3", "main", "a2"),
        *((f"s{n}", "second", None) for n in "123"),
    ]
    for call, workspace, agent in calls:
        rows.call(call, workspace=workspace, agent_id=agent)
        _says(rows, call, *("a" if workspace == "second" else "au"), workspace=workspace)
    assert rows.values(METRIC, "workspace", "agent_id", "turn_position", "n_calls", "survival_rate", "n_ended") == [
        ("main", "a2", 1, 2, 1.0, 0),
        ("main", "a2", 2, 2, 1.0, 2),
        ("main", None, 1, 1, 1.0, 0),
        ("main", None, 2, 1, 1.0, 1),
        ("second", None, 1, 3, 1.0, 3),
    ]
