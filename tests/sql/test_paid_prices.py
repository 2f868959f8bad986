"""What ``convohouse prices`` says was paid, worked out by hand, and what ``metrics.llm_switch`` says of the same."""

from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb
import polars as pl

from tests.sql.conftest import LakeRows
from warehouse.serve.paid_prices import read_paid_prices
from warehouse.storage.home import Home


def test_what_is_paid_is_that_of_llm_switch(tmp_path, project):
    """Of conversations that count, of 30 days that are over, whose tokens have a price, and of usage that adds up."""
    rows = LakeRows(Home(tmp_path / "home").open(), project)
    rows.seed("excluded_callers", "user_id,bot,load test")
    newest, first, too_early = date(2026, 11, 21), date(2026, 10, 23), date(2026, 10, 22)
    conversations = {
        "c1": (newest, 60, {"m": 0.25, "n": 0.5}, {}),
        "c2": (first, 120, {"m": 0.75}, {}),
        "c3": (too_early, 60, {"m": 4.0}, {}),
        "c4": (newest, 60, {"m": 8.0}, {"status": "in-progress"}),
        "c5": (newest, 60, {"m": 16.0}, {"user_id": "bot"}),
        "c6": (newest, 600, {}, {}),  # says nothing of its tokens
        "c7": (newest, 0, {"m": 1.0}, {"agent_id": "a2"}),
        "c8": (date(2026, 9, 1), 60, {"m": 2.0}, {"workspace": "other", "agent_id": "a3"}),  # the newest of its own
    }
    for name, (day, secs, prices, row) in conversations.items():
        keys = {"workspace": row.get("workspace", "main"), "conversation_id": name, "start_date": day}
        at = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        rows.call(**keys | {"start_time_at": at, "call_duration_secs": secs, "agent_id": "a1"} | row)
        for model, price_usd in prices.items():
            usage = {"turn_index": -1, "model": model, "token_kind": "input", "tokens": 1, "price_usd": price_usd}
            rows.add("llm_usage", **keys, scope="initiated", **usage)
            rows.add("llm_usage", **keys, scope="irreversible", **usage)
        price = {"agent_id": row.get("agent_id", "a1"), "llm": "m", "asked_at": at, "price_per_minute_usd": 0.1}
        if name in ("c1", "c7", "c8"):
            rows.whole("llm_prices", workspace=keys["workspace"], **price)
    with duckdb.connect(rows.home.warehouse) as connection:
        rows.materialize(connection, "marts.fct_conversations", "marts.fct_llm_usage", "metrics.llm_switch")
        switches = connection.execute(
            "select workspace, agent_id, llm_cost_usd, llm_cost_usd_per_minute from metrics.llm_switch order by all"
        ).fetchall()
    paid = read_paid_prices(rows.home).sort(pl.all())
    assert paid.rows() == [
        ("main", "a1", "m", 1.0, 1.0 / 3),
        ("main", "a1", "n", 0.5, 0.5 / 3),
        ("main", "a2", "m", 1.0, None),
        ("other", "a3", "m", 2.0, 2.0),
    ]
    assert switches == [("main", "a1", 1.5, 0.5), ("main", "a2", 1.0, None), ("other", "a3", 2.0, 2.0)]
