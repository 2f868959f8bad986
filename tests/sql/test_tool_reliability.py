"""Tools compared with what the listing says of them: never used, failing, slower than their own timeout."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

NEXT_DAY = date(2026, 11, 3)

NOT_LISTED = {
    "tool_id": None,
    "response_timeout_secs": None,
    "n_timed": 0,
    "n_slow": 0,
    "slow_rate": None,
    "is_failing": False,
    "is_never_used": False,
    "ever_n_tool_calls": None,
    "vendor_n_calls": None,
    "ever_latency_mean_secs": None,
    "vendor_latency_mean_secs": None,
}


def listed(rows: Any, tool_id: str, name: str, *, days: int = 0, **row: object) -> None:
    defaults = {"type": "webhook", "name": name, "is_gone": False, "content_sha256": "00"}
    times = {"first_seen_at": rows.noon, "changed_at": rows.noon, "last_seen_at": rows.noon + timedelta(days=days)}
    rows.whole("tools", **({"tool_id": tool_id} | defaults | times | row))


def used(rows: Any, call: str, name: str | None, secs: float | None = None, **row: Any) -> None:
    """A call of a tool; answered where it took some time."""
    index = len(rows.rows["tool_calls"])
    is_error, day = row.pop("is_error", False), row.pop("start_date", rows.day)
    shared = {"conversation_id": call, "start_date": day, "turn_index": 0, "depth": 0, "request_id": f"r{index}"}
    shared |= {"tool_name": name} | row
    rows.add("tool_calls", call_index=index, **shared)
    if secs is not None:
        rows.add("tool_results", result_index=index, is_error=is_error, tool_latency_secs=secs, **shared)


def test_tools_without_a_listing(rows: Any) -> None:
    rows.call("c1")
    rows.call("c2", status="failed")
    rows.call("c3", status="in-progress")
    calls: list[tuple[str, str, int, dict[str, Any] | None]] = [
        ("c1", "look_up", 0, {"is_error": False, "tool_latency_secs": 1.0}),
        ("c1", "look_up", 1, {"is_error": True, "tool_latency_secs": 3.0}),
        ("c2", "look_up", 0, {"is_error": True, "is_blocked": True}),
        ("c2", "look_up", 1, None),
        ("c2", "book", 2, None),
        ("c3", "look_up", 0, {"is_error": True}),
    ]
    for call, tool, index, result in calls:
        defaults = {"conversation_id": call, "turn_index": index, "depth": 0, "request_id": f"r{index}"}
        rows.add("tool_calls", call_index=index, tool_name=tool, **defaults)
        if result is not None:
            rows.add("tool_results", result_index=index, tool_name=tool, **defaults, **result)
    assert rows.model("metrics.tool_reliability") == [
        {
            "workspace": "main",
            "start_date": rows.day,
            "tool_name": "book",
            "n_calls": 1,
            "n_tool_calls": 1,
            "n_answered": 0,
            "n_errors": 0,
            "error_rate": None,
            "n_blocked": 0,
            "n_unanswered": 1,
            "n_latencies": 0,
            "latency_p50_secs": None,
            "latency_p95_secs": None,
            **NOT_LISTED,
        },
        {
            "workspace": "main",
            "start_date": rows.day,
            "tool_name": "look_up",
            "n_calls": 2,
            "n_tool_calls": 4,
            "n_answered": 3,
            "n_errors": 2,
            "error_rate": pytest.approx(2 / 3),
            "n_blocked": 1,
            "n_unanswered": 1,
            "n_latencies": 2,
            "latency_p50_secs": 2.0,
            "latency_p95_secs": pytest.approx(2.9),
            **NOT_LISTED,
        },
    ]


def test_a_tool_beside_its_listing(rows: Any) -> None:
    rows.seed("excluded_callers", "conversation_id,c3,a test call")
    listed(rows, "t1", "book", response_timeout_secs=5, usage_stats_n_calls=40, usage_stats_avg_latency_secs=2.5)
    listed(rows, "t0", "book", days=-1, response_timeout_secs=1)  # the same name, listed before
    listed(rows, "t2", "idle", response_timeout_secs=20, usage_stats_n_calls=0)
    listed(rows, "t3", "gone", is_gone=True)
    listed(rows, "t4", "tested")
    for call in ("c1", "c2", "c3"):
        rows.call(call, status="in-progress" if call == "c2" else "done")
    used(rows, "c1", "book", 4.0)
    used(rows, "c1", "book", 5.0)  # its timeout, and no longer
    used(rows, "c1", "book", 6.0, is_error=True)
    used(rows, "c1", "book", 2.0, tool_id="t0")  # by its id another tool: longer than the 1 s of that one
    used(rows, "c1", "book", 1.0, tool_id="t1")
    used(rows, "c1", "book")
    used(rows, "c1", "from_mcp", 9.0)
    used(rows, "c2", "book", 20.0)
    used(rows, "c3", "book", 12.0)
    used(rows, "c3", "tested", 1.0)

    book, from_mcp, idle = rows.model("metrics.tool_reliability")

    assert book == pytest.approx(
        {
            "workspace": "main",
            "start_date": rows.day,
            "tool_name": "book",
            "n_calls": 1,
            "n_tool_calls": 6,
            "n_answered": 5,
            "n_errors": 1,
            "error_rate": 0.2,
            "n_blocked": 0,
            "n_unanswered": 1,
            "n_latencies": 5,
            "latency_p50_secs": 4.0,
            "latency_p95_secs": 5.8,
            "tool_id": "t1",
            "response_timeout_secs": 5,
            "n_timed": 5,
            "n_slow": 2,  # 6 s of 5, 2 s of 1
            "slow_rate": 0.4,
            "is_failing": True,  # one of five
            "is_never_used": False,
            "ever_n_tool_calls": 7,  # of t1: five of c1, and those of the open and the excluded call
            "vendor_n_calls": 40,
            "ever_latency_mean_secs": 8.0,  # (4 + 5 + 6 + 1 + 20 + 12) ÷ 6
            "vendor_latency_mean_secs": 2.5,
        }
    )
    unknown = ("tool_id", "response_timeout_secs", "slow_rate", "ever_n_tool_calls", "vendor_n_calls")
    assert [from_mcp[name] for name in ("tool_name", "n_timed", "n_slow", *unknown)] == ["from_mcp", 0, 0, *[None] * 5]
    assert {name: value for name, value in idle.items() if value not in (0, None)} == {
        "workspace": "main",
        "tool_name": "idle",
        "tool_id": "t2",
        "response_timeout_secs": 20,
        "is_never_used": True,
    }
    assert (idle["start_date"], idle["n_tool_calls"], idle["vendor_n_calls"]) == (None, 0, 0)


FAILING = {(5, 1): True, (6, 1): False, (4, 4): False, (10, 2): True}


@pytest.mark.parametrize(("n_answers", "n_errors"), FAILING)
def test_a_fifth_of_five_answers_or_more_is_failing(rows: Any, n_answers: int, n_errors: int) -> None:
    rows.call()
    for number in range(n_answers):
        used(rows, "c1", "book", 1.0, is_error=number < n_errors)
    (row,) = rows.model("metrics.tool_reliability", "n_errors", "is_failing")
    assert row == {"n_errors": n_errors, "is_failing": FAILING[n_answers, n_errors]}


def test_a_tool_of_a_name_in_two_workspaces_and_two_days(rows: Any) -> None:
    listed(rows, "t1", "book", response_timeout_secs=1)
    listed(rows, "t2", "book", workspace="other", response_timeout_secs=10)
    rows.call("c1")
    rows.call("c2", start_date=NEXT_DAY)
    rows.call("c3", workspace="other")
    used(rows, "c1", "book", 5.0)
    used(rows, "c2", "book", 0.5, start_date=NEXT_DAY)
    used(rows, "c3", "book", 5.0, workspace="other")
    columns = ("workspace", "start_date", "tool_id", "n_slow", "ever_n_tool_calls")
    assert rows.values("metrics.tool_reliability", *columns) == [
        ("main", rows.day, "t1", 1, 2),
        ("main", NEXT_DAY, "t1", 0, 2),
        ("other", rows.day, "t2", 0, 1),
    ]
