from __future__ import annotations

from typing import Any

import pytest

METRIC = "metrics.latency_stages"
TTFB, WAIT = "convai_llm_service_ttfb", "convai_ttf_audio_since_silence"


def _timing(rows: Any, call: str, turn: int, metric: str, secs: float | None, **row: object) -> None:
    of_it = {"conversation_id": call, "turn_index": turn, "metric": metric, "elapsed_secs": secs, "is_repeat": False}
    rows.add("turn_metrics", **(of_it | row))


def test_latency_stages(rows: Any) -> None:
    rows.seed("excluded_callers", "user_id,tester,ourselves")
    rows.call("c1")
    rows.call("c2", status="failed", is_deleted=True)
    rows.call("open", status="in-progress")
    rows.call("tested", user_id="tester")
    for turn, secs in enumerate((1.0, 2.0, 3.0, 4.0)):
        _timing(rows, "c1", turn, TTFB, secs)
    _timing(rows, "c2", 0, TTFB, 9.0)
    _timing(rows, "c1", 4, TTFB, 50.0, is_repeat=True)
    _timing(rows, "c1", 5, TTFB, None)
    _timing(rows, "open", 0, TTFB, 60.0)
    _timing(rows, "tested", 0, TTFB, 70.0)
    _timing(rows, "c1", 0, WAIT, 9.0)  # of the greeting
    rows.add("turns", conversation_id="c1", turn_index=1, role="user")
    _timing(rows, "c1", 2, WAIT, 0.5)
    _timing(rows, "c1", 0, "convai_never_timed", None)
    key = {"workspace": "main", "start_date": rows.day, "agent_id": "a1", "agent_name": None}
    assert rows.model(METRIC) == [
        pytest.approx(key | row)
        for row in (
            {
                "metric": TTFB,
                "n_calls": 2,
                "n_latencies": 5,
                # of 1, 2, 3, 4, 9: at place 2, 3.6, 3.8 and 3.96, counted from 0
                "latency_p50_secs": 3.0,
                "latency_p90_secs": 7.0,
                "latency_p95_secs": 8.0,
                "latency_p99_secs": 8.8,
            },
            {"metric": WAIT, "n_calls": 1, "n_latencies": 1}
            | dict.fromkeys((f"latency_p{percent}_secs" for percent in (50, 90, 95, 99)), 0.5),
        )
    ]


def test_timings_of_other_agents_and_workspaces_stand_apart(rows: Any) -> None:
    rows.call("c1", agent_id=None)
    rows.call("c2", agent_id=None, workspace="second")
    rows.call("c3", agent_id="a2")
    for call, workspace in (("c1", "main"), ("c2", "second"), ("c3", "main")):
        _timing(rows, call, 0, TTFB, float(call[1]), workspace=workspace)
    assert rows.values(METRIC, "workspace", "agent_id", "n_latencies", "latency_p50_secs") == [
        ("main", "a2", 1, 3.0),
        ("main", None, 1, 1.0),
        ("second", None, 1, 2.0),
    ]
