"""``marts.fct_llm_usage``: tokens and prices by scope."""

from __future__ import annotations

from typing import Any


def test_llm_usage_keeps_scopes_apart(rows: Any) -> None:
    rows.call(version_id="v1")
    rows.call("c2", version_id="v1")
    usage = [
        ("initiated", -1, "input", 100, 0.5),
        ("initiated", -1, "input_cache_read", 40, 0.03125),
        ("initiated", -1, "input_cache_write", 20, 0.25),
        ("initiated", -1, "output_total", 10, 0.125),
        ("initiated", -1, "reasoning", 5, 0.0625),
        ("initiated", -1, "audio", 7, 0.5),
        ("irreversible", -1, "input", 60, 0.25),
        ("turn", 3, "output_total", 10, None),
    ]
    for scope, turn, kind, tokens, price in usage:
        rows.tokens(scope, turn, kind, price, tokens=tokens)
    delivered = {"scope": "irreversible", "turn_index": -1, "model": "m", "token_kind": "input"}
    rows.add("llm_usage", conversation_id="c2", **delivered, tokens=60, price_usd=0.25)  # nothing else is told
    base = {
        "workspace": "main",
        "conversation_id": "c1",
        "model": "m",
        "start_date": rows.day,
        "agent_id": "a1",
        "agent_name": None,
        "version_id": "v1",
        "input_tokens": 0,
        "input_cache_read_tokens": 0,
        "input_cache_write_tokens": 0,
        "output_tokens": 0,
        "other_tokens": 0,
        "input_usd": None,
        "input_cache_read_usd": None,
        "input_cache_write_usd": None,
        "output_usd": None,
        "other_usd": None,
        "is_total": False,
        "is_finished": True,
        "is_counted": True,
    }
    irreversible = {"scope": "irreversible", "turn_index": -1, "input_tokens": 60}
    irreversible |= {"input_usd": 0.25, "llm_cost_usd": 0.25}
    assert rows.model("marts.fct_llm_usage") == [
        base
        | {"scope": "initiated", "is_total": True, "turn_index": -1, "llm_cost_usd": 1.46875}
        | {"input_tokens": 100, "input_cache_read_tokens": 40, "input_cache_write_tokens": 20}
        | {"output_tokens": 10, "other_tokens": 12, "input_usd": 0.5, "input_cache_read_usd": 0.03125}
        | {"input_cache_write_usd": 0.25, "output_usd": 0.125, "other_usd": 0.5625},
        base | irreversible,
        base | {"scope": "turn", "turn_index": 3, "output_tokens": 10, "llm_cost_usd": None},
        base | irreversible | {"conversation_id": "c2", "is_total": True},
    ]
