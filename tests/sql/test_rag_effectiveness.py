from __future__ import annotations

from typing import Any

import pytest

METRIC = "metrics.rag_effectiveness"


def _retrieval(
    rows: Any, call: str, turn: int, secs: float | None, distances: tuple[float | None, ...], **row: object
) -> None:
    """An entry with a retrieval, and its chunks at their distances."""
    of_it = {"conversation_id": call, "turn_index": turn} | {key: row[key] for key in row if key == "workspace"}
    defaults = {"rag_retrieval_info_embedding_model": "e5", "rag_retrieval_info_rag_latency_secs": secs}
    rows.add("turns", **(of_it | {"role": "user", "message": "?"} | defaults | row))
    for index, distance in enumerate(distances):
        rows.add("rag_chunks", **of_it, chunk_index=index, vector_distance=distance)


def _used(*chunks: str) -> dict[str, str]:
    return {"rag_retrieval_info_used_chunk_ids": str(list(chunks)).replace("'", '"')}


def test_rag_effectiveness(rows: Any) -> None:
    rows.seed("excluded_callers", "user_id,tester,ourselves")
    rows.call("c1")
    rows.call("c2", status="failed", is_deleted=True)
    rows.call("c3")  # without a retrieval
    rows.call("open", status="in-progress")
    rows.call("tested", user_id="tester")
    _retrieval(rows, "c1", 1, 0.1, (0.2, 0.4), **_used("x"))
    _retrieval(rows, "c1", 3, 0.2, (0.3,), **_used("y"))
    _retrieval(rows, "c1", 5, None, (None, 0.7, 0.9, 0.8))  # an older one, which tells no use
    _retrieval(rows, "c2", 1, 0.3, (), **_used())  # found nothing
    for call in ("open", "tested"):
        _retrieval(rows, call, 1, 9.0, (9.0,), **_used("x"))
    assert rows.model(METRIC) == [
        pytest.approx(
            {
                "workspace": "main",
                "start_date": rows.day,
                "agent_id": "a1",
                "agent_name": None,
                "n_calls": 3,
                "n_retrieving_calls": 2,
                "retrieval_rate": 2 / 3,
                "n_retrievals": 4,
                "retrievals_per_call": 4 / 3,
                "n_empty": 1,
                "empty_rate": 0.25,
                "n_latencies": 3,
                "latency_p50_secs": 0.2,
                "latency_p95_secs": 0.29,
                "n_distances": 3,
                "mean_best_distance": 0.4,  # of 0.2, 0.3 and 0.7
                "n_chunks": 3,  # 2, 1 and 0: not the 4 of the one that tells no use
                "n_chunks_used": 2,
                "chunk_use_share": 2 / 3,
            }
        )
    ]


def test_a_day_without_a_retrieval_and_one_that_tells_nothing(rows: Any) -> None:
    tomorrow = rows.day.replace(day=3)
    rows.call("c1", agent_id=None)
    rows.call("c2", agent_id=None, start_date=tomorrow)
    _retrieval(rows, "c2", 0, None, (), start_date=tomorrow)
    nothing = {
        "workspace": "main",
        "agent_id": None,
        "agent_name": None,
        "n_calls": 1,
        "n_latencies": 0,
        "latency_p50_secs": None,
        "latency_p95_secs": None,
        "n_distances": 0,
        "mean_best_distance": None,
        "n_chunks": 0,
        "n_chunks_used": None,
        "chunk_use_share": None,
    }
    none = {"n_retrieving_calls": 0, "retrieval_rate": 0.0, "n_retrievals": 0, "retrievals_per_call": 0.0}
    one_retrieval = {"n_retrieving_calls": 1, "retrieval_rate": 1.0, "n_retrievals": 1, "retrievals_per_call": 1.0}
    assert rows.model(METRIC) == [
        nothing | none | {"start_date": rows.day, "n_empty": 0, "empty_rate": None},
        nothing | one_retrieval | {"start_date": tomorrow, "n_empty": 1, "empty_rate": 1.0},
    ]


def test_chunks_used_of_none_found_are_no_rate(rows: Any) -> None:
    rows.call()
    _retrieval(rows, "c1", 0, 0.1, (), **_used())
    columns = ("n_chunks", "n_chunks_used", "chunk_use_share")
    assert rows.values(METRIC, *columns) == [(0, 0, None)]


def test_retrievals_of_other_agents_and_workspaces_stand_apart(rows: Any) -> None:
    rows.call("c1", agent_id=None)
    rows.call("c2", agent_id=None, workspace="second")
    rows.call("c3", agent_id="a2")
    for call, workspace in (("c1", "main"), ("c2", "second"), ("c3", "main")):
        _retrieval(rows, call, 0, float(call[1]), (), workspace=workspace)
    assert rows.values(METRIC, "workspace", "agent_id", "n_calls", "n_retrievals", "latency_p50_secs") == [
        ("main", "a2", 1, 1, 3.0),
        ("main", None, 1, 1, 1.0),
        ("second", None, 1, 1, 2.0),
    ]
