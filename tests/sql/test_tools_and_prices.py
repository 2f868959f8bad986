"""Tools beside what the listings say of them, and what another model would have cost, worked out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

OLD_DAY = date(2026, 10, 3)  # the 31st day back from 2 November
EDGE_DAY = date(2026, 10, 4)  # the 30th


def listed(rows: Any, tool_id: str, name: str, **row: object) -> None:
    later = rows.noon + timedelta(days=2)
    defaults = {"type": "webhook", "name": name, "is_gone": False, "content_sha256": "00"}
    times = {"first_seen_at": rows.noon, "changed_at": rows.noon, "last_seen_at": later}
    rows.whole("tools", **({"tool_id": tool_id} | defaults | times | row))
    rows.whole("tool_versions", tool_id=tool_id, valid_from_at=rows.noon, content_sha256="00")


def used(rows: Any, call_index: int, name: str, *, tool_id: str | None = None, is_error: bool | None = None) -> None:
    shared = {"turn_index": 0, "depth": 0, "request_id": f"r{call_index}", "tool_name": name, "tool_id": tool_id}
    rows.add("tool_calls", call_index=call_index, type="webhook", **shared)
    if is_error is not None:
        rows.add("tool_results", result_index=call_index, is_error=is_error, **shared)


def test_dim_tools(rows: Any) -> None:
    rows.call()
    listed(
        rows,
        "tool_a",
        "book",
        changed_at=rows.noon + timedelta(days=1),
        response_timeout_secs=30,
        api_schema_url="https://example.com/book",
        api_schema_method="POST",
        execution_mode="async",
        description="Books",
        usage_stats_n_calls=12,
        usage_stats_avg_latency_secs=0.5,
    )
    rows.whole("tool_versions", tool_id="tool_a", valid_from_at=rows.noon + timedelta(days=1), content_sha256="01")
    for location, name in (("body", "$"), ("body", "day"), ("body", "day.hour"), ("header", "X"), ("path", "id")):
        rows.whole("tool_parameters", tool_id="tool_a", location=location, name=name)
    for location in ("parameters", "query", "base_path", "base_query", "base_body"):
        rows.whole("tool_parameters", tool_id="tool_a", location=location, name="more")
    base = {"base_api_schema_url": "https://example.com/base", "base_api_schema_method": "GET"}
    listed(rows, "tool_b", "unused", is_gone=True, **base)
    used(rows, 0, "book", is_error=True)
    used(rows, 1, "renamed", tool_id="tool_a", is_error=False)
    used(rows, 2, "book")
    used(rows, 3, "from_mcp", is_error=False)
    tomorrow = rows.day + timedelta(days=1)
    rows.call("c2", start_date=tomorrow)
    rows.call("open", status="in-progress")
    for conversation_id, day in (("c2", tomorrow), ("open", rows.day)):
        key = {"conversation_id": conversation_id, "start_date": day, "turn_index": 0, "depth": 0, "request_id": "r"}
        rows.add("tool_calls", **key, call_index=0, tool_name="book", type="webhook")

    by_key = {row["tool_key"]: row for row in rows.model("marts.dim_tools")}

    assert by_key["tool_a"] == {
        "workspace": "main",
        "tool_key": "tool_a",
        "tool_id": "tool_a",
        "tool_name": "book",
        "tool_type": "webhook",
        "system_tool_type": None,
        "description": "Books",
        "url": "https://example.com/book",
        "method": "POST",
        "response_timeout_secs": 30,
        "execution_mode": "async",
        "n_parameters": 8,
        "first_seen_at": rows.noon,
        "changed_at": rows.noon + timedelta(days=1),
        "last_seen_at": rows.noon + timedelta(days=2),
        "n_versions": 2,
        "is_listed": True,
        "is_gone": False,
        "vendor_n_calls": 12,
        "vendor_latency_mean_secs": 0.5,
        "n_calls": 2,
        "n_tool_calls": 4,
        "n_answered": 2,
        "n_errors": 1,
        "error_rate": 0.5,
        "first_used_date": rows.day,
        "last_used_date": tomorrow,
        "is_never_used": False,
    }
    columns = ("tool_name", "is_listed", "is_gone", "n_versions", "n_tool_calls", "error_rate", "is_never_used")
    assert (by_key["tool_b"]["url"], by_key["tool_b"]["method"]) == ("https://example.com/base", "GET")
    assert [by_key["tool_b"][name] for name in columns] == ["unused", True, True, 1, 0, None, True]
    assert [by_key["main/from_mcp"][name] for name in columns] == ["from_mcp", False, None, 0, 1, 0.0, False]
    assert by_key.keys() == {"tool_a", "tool_b", "main/from_mcp"}


def test_calls_without_an_id_belong_to_the_tool_of_their_name_that_was_listed_last(rows: Any) -> None:
    rows.call()
    listed(rows, "z_new", "book")
    listed(rows, "tool_old", "book", last_seen_at=rows.noon, is_gone=True)
    listed(rows, "tool_other", "cancel")
    used(rows, 0, "book")
    used(rows, 1, "cancel")
    assert rows.values("marts.dim_tools", "tool_key", "n_tool_calls") == [
        ("tool_old", 0),
        ("tool_other", 1),
        ("z_new", 1),
    ]


def priced(rows: Any, llm: str, price: float | None, *, agent_id: str = "a1", days: int = 0, **row: object) -> None:
    rows.whole(
        "llm_prices",
        agent_id=agent_id,
        llm=llm,
        asked_at=rows.noon + timedelta(days=days),
        price_per_minute_usd=price,
        prompt_length=900,
        prompt_basis="measured",
        **row,
    )


def spent(rows: Any, conversation_id: str, model: str, usd: float, day: date) -> None:
    key = {"scope": "initiated", "turn_index": -1, "model": model, "token_kind": "input"}
    rows.add("llm_usage", conversation_id=conversation_id, start_date=day, tokens=1, price_usd=usd, **key)


def test_llm_switch(rows: Any) -> None:
    for conversation_id, day, secs in (("c1", rows.day, 120), ("c2", EDGE_DAY, 60), ("c3", OLD_DAY, 6000)):
        rows.call(conversation_id, start_date=day, call_duration_secs=secs)
        spent(rows, conversation_id, "big", 0.25, day)
    spent(rows, "c1", "aside", 0.3, rows.day)  # more than either of the others, and less than both
    delivered = {"scope": "irreversible", "turn_index": -1, "model": "aside", "token_kind": "input"}
    rows.add("llm_usage", conversation_id="c1", **delivered, tokens=1, price_usd=9.0)
    rows.call("c6", agent_id="a2")
    spent(rows, "c6", "small", 9.0, rows.day)
    rows.call("c4", call_duration_secs=600)  # tells no price, so its minutes are not compared
    rows.call("c5", status="in-progress", call_duration_secs=600)
    next_day = rows.day + timedelta(days=1)  # is not over
    rows.call("c6", start_date=next_day, call_duration_secs=6000)
    spent(rows, "c6", "small", 9.0, next_day)
    listed_at = rows.noon + timedelta(days=1)
    rows.whole("sync_runs", run_id="day", outcome="complete", elapsed_secs=1.0, last_full_listing_at=listed_at)
    priced(rows, "big", 0.9, days=-7)
    priced(rows, "big", 0.2)
    priced(rows, "small", 0.05)
    priced(rows, "aside", None)
    priced(rows, "big", 0.3, agent_id="idle")
    priced(rows, "big", 0.7, days=7, workspace="second")  # without a conversation

    side, big, small, idle, second = rows.model("metrics.llm_switch")

    assert small == {
        "workspace": "main",
        "agent_id": "a1",
        "agent_name": None,
        "model": "small",
        "asked_at": rows.noon,
        "prompt_length": 900,
        "prompt_basis": "measured",
        "price_per_minute_usd": 0.05,
        "first_start_date": EDGE_DAY,
        "last_start_date": rows.day,
        "n_calls": 3,
        "n_priced_calls": 2,
        "call_minutes": 3.0,
        "llm_cost_usd": pytest.approx(0.8),
        "llm_cost_usd_per_minute": pytest.approx(0.8 / 3),
        "main_model": "big",
        "is_main_model": False,
        "is_used": False,
        "estimated_usd": pytest.approx(0.15),
        "saving_usd": pytest.approx(0.65),
        "estimated_saving_usd": pytest.approx(0.45),
    }
    columns = ("model", "price_per_minute_usd", "is_main_model", "is_used", "saving_usd", "estimated_saving_usd")
    assert [big[name] for name in columns] == ["big", 0.2, True, True, pytest.approx(0.2), pytest.approx(0)]
    assert [second[name] for name in ("workspace", *columns)] == ["second", "big", 0.7, False, False, None, None]
    assert [side[name] for name in columns] == ["aside", None, False, True, None, None]
    assert [idle[name] for name in ("agent_id", "n_calls", "call_minutes", *columns[1:])] == [
        *("idle", 0, 0.0, 0.3, False, False, None, None)
    ]


def test_nothing_of_nothing(rows: Any) -> None:
    rows.build("marts.dim_tools", "metrics.llm_switch")
    assert rows.model("marts.dim_tools") == []
    assert rows.model("metrics.llm_switch") == []
