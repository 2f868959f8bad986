"""``marts.fct_turn_latency``: the timings of an entry."""

from __future__ import annotations

from typing import Any

WAIT = "convai_ttf_audio_since_silence"


def test_turn_latency_keeps_repeats_apart(rows: Any) -> None:
    rows.call(version_id="v1")
    rows.call("c2", agent_id=None, status=None)
    rows.add("turn_metrics", turn_index=0, metric="convai_llm_service_ttfb", elapsed_secs=0.5, is_repeat=False)
    rows.add("turn_metrics", turn_index=1, metric="convai_llm_service_ttfb", elapsed_secs=0.5, is_repeat=True)
    rows.add("turn_metrics", conversation_id="c2", turn_index=0, metric="new", elapsed_secs=None, is_repeat=False)
    of_c1 = {
        "workspace": "main",
        "conversation_id": "c1",
        "turn_index": 0,
        "metric": "convai_llm_service_ttfb",
        "start_date": rows.day,
        "agent_id": "a1",
        "agent_name": None,
        "version_id": "v1",
        "elapsed_secs": 0.5,
        "is_repeat": False,
        "is_measured": True,
        "is_finished": True,
        "is_counted": True,
    }
    assert rows.model("marts.fct_turn_latency") == [
        of_c1,
        of_c1 | {"turn_index": 1, "is_repeat": True, "is_measured": False},
        of_c1
        | {
            "conversation_id": "c2",
            "metric": "new",
            "agent_id": None,
            "agent_name": None,
            "version_id": None,
            "elapsed_secs": None,
        }
        | {"is_measured": False, "is_finished": False, "is_counted": False},
    ]


def test_a_wait_follows_an_entry_of_the_user(rows: Any) -> None:
    rows.call()
    rows.call("c2")
    wait, ttfb = WAIT, "convai_llm_service_ttfb"
    for turn, role in enumerate(("agent", "agent", "user", "agent", "user", "agent")):
        rows.add("turns", turn_index=turn, role=role)
        rows.add("turn_metrics", turn_index=turn, metric=wait, elapsed_secs=1.0 + turn, is_repeat=False)
        rows.add("turn_metrics", turn_index=turn, metric=ttfb, elapsed_secs=0.5 + turn, is_repeat=False)
    rows.add("turns", conversation_id="c2", turn_index=0, role="agent")
    rows.add("turn_metrics", conversation_id="c2", turn_index=0, metric=wait, elapsed_secs=1.0, is_repeat=False)
    actual = rows.model("marts.fct_turn_latency", "conversation_id", "turn_index", "metric", "is_measured")
    assert [tuple(row.values())[:3] for row in actual if not row["is_measured"]] == [
        ("c1", 0, wait),
        ("c1", 1, wait),
        ("c1", 2, wait),
        ("c2", 0, wait),
    ]


def test_a_timing_below_0_is_no_measurement(rows: Any) -> None:
    rows.call()
    rows.add("turns", turn_index=0, role="user")
    for turn, secs in ((1, -0.5), (2, 0.0)):
        rows.add("turn_metrics", turn_index=turn, metric=WAIT, elapsed_secs=secs, is_repeat=False)
    assert rows.values("marts.fct_turn_latency", "elapsed_secs", "is_measured") == [(-0.5, False), (0.0, True)]
