"""What the models cost by day and agent: scope initiated is what is paid, irreversible is shown beside it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

NO_TOKENS = {
    "input_tokens": 0,
    "input_cache_read_tokens": 0,
    "input_cache_write_tokens": 0,
    "output_tokens": 0,
    "other_tokens": 0,
    "delivered_tokens": 0,
}
NO_MONEY = dict.fromkeys(
    (
        "cache_hit_rate",
        "input_usd",
        "input_cache_read_usd",
        "input_cache_write_usd",
        "output_usd",
        "other_usd",
        "llm_cost_usd",
        "llm_cost_usd_coverage",
        "llm_cost_usd_per_call",
        "llm_cost_usd_per_minute",
        "delivered_usd",
        "undelivered_usd",
    )
)


def used(rows: Any, call: str, kind: str, tokens: int, usd: float | None, **key: object) -> None:
    defaults = {"conversation_id": call, "scope": "initiated", "turn_index": -1, "model": "m"}
    rows.add("llm_usage", **(defaults | {"token_kind": kind, "tokens": tokens, "price_usd": usd} | key))


def test_llm_cost(rows: Any) -> None:
    rows.seed("excluded_callers", "user_id,bot%,load test")
    rows.call("c1", call_duration_secs=60, agent_name="Front")
    used(rows, "c1", "input", 100, 0.10)
    used(rows, "c1", "input_cache_read", 300, 0.03)
    used(rows, "c1", "input_cache_write", 50, 0.02)
    used(rows, "c1", "output_total", 40, 0.40)
    used(rows, "c1", "reasoning", 5, 0.05)
    used(rows, "c1", "input", 100, 0.10, scope="irreversible")
    used(rows, "c1", "output_total", 20, 0.20, scope="irreversible")
    used(rows, "c1", "output_total", 40, 0.40, scope="turn", turn_index=3)
    used(rows, "c1", "output_total", 10, None, model="n")
    used(rows, "c1", "output_total", 3, 0.03, scope="irreversible", model="x")
    rows.call("c2", call_duration_secs=180, is_deleted=True)
    used(rows, "c2", "input", 100, None)
    rows.call("c3", status="in-progress", call_duration_secs=60)
    used(rows, "c3", "input", 1000, 9.0)
    used(rows, "c3", "input", 1000, 9.0, scope="irreversible")
    rows.call("c4", user_id="bot-1", call_duration_secs=60)
    used(rows, "c4", "input", 1000, 9.0)
    rows.call("c5", agent_id=None)
    used(rows, "c5", "input", 0, 0.50)
    used(rows, "c5", "input", 0, 0.20, scope="irreversible")
    rows.call("c6", workspace="other", call_duration_secs=60)
    used(rows, "c6", "output_total", 7, 0.07, scope="irreversible", workspace="other")
    rows.call("c7")
    for kind, tokens, usd in (
        ("input", 100, 0.05),
        ("input_cache_read", 100, 0.01),
        ("input_cache_write", 10, 0.01),
        ("output_total", 10, 0.10),
        ("reasoning", 1, 0.01),
    ):
        used(rows, "c7", kind, tokens, usd)
    for kind, tokens, usd in (("input_cache_read", 1, 0.01), ("input_cache_write", 2, 0.02), ("reasoning", 3, 0.03)):
        used(rows, "c7", kind, tokens, usd, scope="irreversible")
    tomorrow = rows.day + timedelta(days=1)
    rows.call("c8", start_date=tomorrow)
    used(rows, "c8", "input", 1, 0.01, model="x", start_date=tomorrow)

    key = {"workspace": "main", "start_date": rows.day, "agent_id": "a1", "agent_name": "Front", "model": "m"}
    assert rows.model("metrics.llm_cost") == [
        pytest.approx(row)
        for row in (
            # c1, c2 and c7: 1 + 3 minutes; 0.10 + 0.03 + 0.02 + 0.40 + 0.05 = 0.60, of which 0.30 was delivered, and
            # 0.05 + 0.01 + 0.01 + 0.10 + 0.01 = 0.18, of which 0.06 was
            {
                **key,
                "n_calls": 3,
                "call_minutes": 4.0,
                "input_tokens": 300,
                "input_cache_read_tokens": 400,
                "input_cache_write_tokens": 60,
                "output_tokens": 50,
                "other_tokens": 6,
                "cache_hit_rate": 4 / 7,
                "input_usd": 0.15,
                "input_cache_read_usd": 0.04,
                "input_cache_write_usd": 0.03,
                "output_usd": 0.50,
                "other_usd": 0.06,
                "llm_cost_usd": 0.78,
                "llm_cost_usd_coverage": 2 / 3,
                "llm_cost_usd_per_call": 0.26,
                "llm_cost_usd_per_minute": 0.195,
                "delivered_tokens": 126,
                "delivered_usd": 0.36,
                "undelivered_usd": 0.42,
            },
            {
                **key,
                "model": "n",
                "n_calls": 1,
                "call_minutes": 1.0,
                **NO_TOKENS,
                "output_tokens": 10,
                **NO_MONEY,
                "llm_cost_usd_coverage": 0.0,
            },
            # c1: delivered, and not said to be paid for
            {
                **key,
                "model": "x",
                "n_calls": 0,
                "call_minutes": 0.0,
                **NO_TOKENS,
                **NO_MONEY,
                "delivered_tokens": 3,
                "delivered_usd": 0.03,
            },
            # c5: of unknown length, nothing read
            {
                **key,
                "agent_id": None,
                "agent_name": None,
                "n_calls": 1,
                "call_minutes": 0.0,
                **NO_TOKENS,
                **NO_MONEY,
                "input_usd": 0.50,
                "llm_cost_usd": 0.50,
                "llm_cost_usd_coverage": 1.0,
                "llm_cost_usd_per_call": 0.50,
                "delivered_usd": 0.20,
                "undelivered_usd": 0.30,
            },
            # c8
            {
                **key,
                "start_date": tomorrow,
                "model": "x",
                "n_calls": 1,
                "call_minutes": 0.0,
                **NO_TOKENS,
                **NO_MONEY,
                "input_tokens": 1,
                "cache_hit_rate": 0.0,
                "input_usd": 0.01,
                "llm_cost_usd": 0.01,
                "llm_cost_usd_coverage": 1.0,
                "llm_cost_usd_per_call": 0.01,
            },
            # c6: only what was delivered is reported, so that counts
            {
                **key,
                "workspace": "other",
                "agent_name": None,
                "n_calls": 1,
                "call_minutes": 1.0,
                **NO_TOKENS,
                **NO_MONEY,
                "output_tokens": 7,
                "output_usd": 0.07,
                "llm_cost_usd": 0.07,
                "llm_cost_usd_coverage": 1.0,
                "llm_cost_usd_per_call": 0.07,
                "llm_cost_usd_per_minute": 0.07,
                "delivered_tokens": 7,
                "delivered_usd": 0.07,
                "undelivered_usd": 0.0,
            },
        )
    ]
