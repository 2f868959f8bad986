from __future__ import annotations

from typing import Any

import pytest

METRIC = "metrics.evaluation_rates"


def test_evaluation_rates(rows: Any) -> None:
    rows.seed("excluded_callers", "user_id,tester,ourselves")
    for name in ("c1", "c2", "c3", "c4"):
        rows.call(name)
    rows.call("c5", status="failed", is_deleted=True)
    rows.call("open", status="in-progress")
    rows.call("tested", user_id="tester")
    verdicts = [
        ("c1", "polite", "success", 8.0, 10.0),
        ("c2", "polite", "failure", 1.0, 2.0),
        ("c3", "polite", "unknown", None, 10.0),  # not scored: points without a score, a score without points
        ("c4", "polite", None, 5.0, None),
        ("c5", "polite", "success", None, None),
        ("c1", "short", "unknown", None, None),
        ("c2", "short", "maybe", None, 0.0),
        ("open", "polite", "failure", 0.0, 10.0),
        ("tested", "polite", "failure", 0.0, 10.0),
    ]
    for call, criteria, result, score, max_score in verdicts:
        row = {"conversation_id": call, "criteria_id": criteria}
        rows.add("evaluation_results", **row, result=result, score=score, max_score=max_score)
    key = {"workspace": "main", "start_date": rows.day, "agent_id": "a1", "agent_name": None}
    assert rows.model(METRIC) == [
        pytest.approx(key | row)
        for row in (
            {
                "criteria_id": "polite",
                "n_calls": 5,
                "n_success": 2,
                "n_failure": 1,
                "n_unknown": 2,
                "success_rate": 2 / 3,
                "success_coverage": 0.6,
                "n_scored": 2,
                "score_share": 9 / 12,  # and not (8/10 + 1/2) / 2
            },
            {
                "criteria_id": "short",
                "n_calls": 2,
                "n_success": 0,
                "n_failure": 0,
                "n_unknown": 2,
                "success_rate": None,
                "success_coverage": 0.0,
                "n_scored": 0,
                "score_share": None,
            },
        )
    ]


def test_a_best_possible_score_of_0_gives_no_rate(rows: Any) -> None:
    rows.call()
    rows.add("evaluation_results", criteria_id="short", result="success", score=0.0, max_score=0.0)
    assert rows.values(METRIC, "n_scored", "score_share") == [(1, None)]


def test_verdicts_of_other_days_agents_and_workspaces_stand_apart(rows: Any) -> None:
    rows.call("c1", agent_id=None)
    rows.call("c2", agent_id=None, workspace="second")
    rows.call("c3", agent_id="a2")
    for call, workspace in (("c1", "main"), ("c2", "second"), ("c3", "main")):
        of_it = {"conversation_id": call, "workspace": workspace}
        rows.add("evaluation_results", **of_it, criteria_id="polite", result="success")
    assert rows.values(METRIC, "workspace", "agent_id", "n_calls") == [
        ("main", "a2", 1),
        ("main", None, 1),
        ("second", None, 1),
    ]
