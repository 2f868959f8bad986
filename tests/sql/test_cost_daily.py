"""Cost by component: the parts add up to the whole, in credits and in US dollars."""

from __future__ import annotations

from typing import Any

import pytest


def _component(rows: Any, agent: str, component: str, n_calls: int, **money: float | None) -> dict[str, Any]:
    nothing = {"burst_surcharge_credits": 0.0, "dev_discount_credits": 0.0, "free_minutes": None, "free_llm_usd": None}
    key = {
        "workspace": "main",
        "start_date": rows.day,
        "agent_id": agent,
        "agent_name": None,
        "component": component,
        "n_calls": n_calls,
    }
    return key | nothing | money


def test_cost_daily_adds_up_without_counting_twice(rows: Any) -> None:
    rows.call(  # before 2026: two parts, no dollars; a burst
        "c1",
        cost_credits=600,
        charging_call_charge_credits=540,
        charging_llm_charge_credits=60,
        charging_tier="starter",
        charging_is_burst=True,
        charging_free_minutes_consumed=1.5,
        charging_free_llm_dollars_consumed=0.02,
    )
    rows.call(  # today: the call charge is itemised by category, dollars are reported
        "c2",
        cost_credits=126,
        cost_fiat_usd=0.025,
        charging_call_charge_credits=15,
        charging_llm_charge_credits=111,
        charging_llm_price_usd=0.022,
        charging_platform_charge_credits=15,
        charging_platform_price_usd=0.003,
    )
    rows.add("platform_usage", conversation_id="c2", category="text_message", charge_credits=15.0, price_usd=0.003)
    rows.call("c3", cost_credits=60, charging_tier="starter")  # before July 2025: no parts
    rows.call(  # no rate for the plan; development
        "c4",
        cost_credits=50,
        charging_call_charge_credits=49,
        charging_llm_charge_credits=1,
        charging_tier="free",
        charging_dev_discount=True,
    )
    rows.call("c5", status="in-progress", cost_credits=1000, charging_tier="starter")
    rows.call(  # both
        "c8",
        cost_credits=70,
        charging_call_charge_credits=60,
        charging_llm_charge_credits=10,
        charging_tier="free",
        charging_is_burst=True,
        charging_dev_discount=True,
        charging_free_minutes_consumed=0.5,
        charging_free_llm_dollars_consumed=0.01,
    )
    rows.call("c6")  # nothing known
    rows.call(  # a burst that the API itemises, and categories beyond the call charge
        "c7",
        agent_id="a2",
        cost_credits=48,
        charging_call_charge_credits=48,
        charging_llm_charge_credits=0,
        charging_tier="starter",
        charging_is_burst=True,
    )
    rows.add("platform_usage", conversation_id="c7", category="voice", charge_credits=30.0)
    rows.add("platform_usage", conversation_id="c7", category="burst", charge_credits=30.0)
    actual = rows.model("metrics.cost_daily")
    assert actual == [
        pytest.approx(row)
        for row in (
            _component(
                rows,
                "a1",
                "call",
                5,
                cost_credits=649.0,
                cost_usd=0.09,
                burst_surcharge_credits=300.0,
                dev_discount_credits=109.0,
                free_minutes=2.0,
            ),
            _component(rows, "a1", "llm", 5, cost_credits=182.0, cost_usd=0.032, free_llm_usd=0.03),
            _component(rows, "a1", "platform_text_message", 1, cost_credits=15.0, cost_usd=0.003),
            _component(rows, "a1", "unexplained", 1, cost_credits=60.0, cost_usd=0.01),
            _component(rows, "a2", "call", 1, cost_credits=0.0, cost_usd=0.0),
            _component(rows, "a2", "llm", 1, cost_credits=0.0, cost_usd=0.0),
            _component(
                rows, "a2", "platform_burst", 1, cost_credits=30.0, cost_usd=0.005, burst_surcharge_credits=30.0
            ),
            _component(rows, "a2", "platform_voice", 1, cost_credits=30.0, cost_usd=0.005),
            _component(rows, "a2", "unexplained", 1, cost_credits=-12.0, cost_usd=-0.002),
        )
    ]
    assert sum(row["cost_credits"] for row in actual if row["agent_id"] == "a1") == 600 + 126 + 60 + 50 + 70


def test_cost_components_of_one_call_add_up_to_the_last_digit(rows: Any) -> None:
    rows.call(
        cost_credits=100,
        charging_call_charge_credits=67,
        charging_llm_charge_credits=33,
        charging_tier="creator",
    )
    for category, charge in (("voice", 31.7), ("asr", 30.3)):
        rows.add("platform_usage", category=category, charge_credits=charge)
    actual = rows.model("intermediate.int_cost_components", "component", "cost_credits", "cost_usd")
    assert [row["component"] for row in actual] == ["call", "llm", "platform_asr", "platform_voice"]
    assert sum(row["cost_credits"] for row in actual) == 100
    assert str(sum(row["cost_usd"] for row in actual)) == "0.022002200220"
