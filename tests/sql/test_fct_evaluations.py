"""``marts.fct_evaluations``: verdicts of criteria."""

from __future__ import annotations

from typing import Any


def test_evaluations(rows: Any) -> None:
    rows.call(version_id="v1")
    rows.call("c2", status="processing")
    rows.add("evaluation_results", criteria_id="polite", result="success", rationale="Yes", score=4.0, max_score=5.0)
    rows.add("evaluation_results", conversation_id="c2", criteria_id="polite", scoring_mode="binary")
    assert rows.model("marts.fct_evaluations") == [
        {
            "workspace": "main",
            "conversation_id": "c1",
            "scope_index": -1,
            "criteria_id": "polite",
            "start_date": rows.day,
            "scope": None,
            "source_agent_id": None,
            "source_branch_id": None,
            "agent_id": "a1",
            "agent_name": None,
            "version_id": "v1",
            "is_main": True,
            "result": "success",
            "rationale": "Yes",
            "scoring_mode": None,
            "score": 4.0,
            "max_score": 5.0,
            "is_finished": True,
            "is_counted": True,
        },
        {
            "workspace": "main",
            "conversation_id": "c2",
            "scope_index": -1,
            "criteria_id": "polite",
            "start_date": rows.day,
            "scope": None,
            "source_agent_id": None,
            "source_branch_id": None,
            "agent_id": "a1",
            "agent_name": None,
            "version_id": None,
            "is_main": True,
            "result": None,
            "rationale": None,
            "scoring_mode": "binary",
            "score": None,
            "max_score": None,
            "is_finished": False,
            "is_counted": False,
        },
    ]
