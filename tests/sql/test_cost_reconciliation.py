"""The bill held against its parts, by day: what is compared, what differs, and what cannot be compared."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

NEXT_DAY = date(2026, 11, 3)


def charged(rows: Any, call: str, cost: int | None, parts: tuple[int | None, int | None], **row: object) -> None:
    charges = {"charging_call_charge_credits": parts[0], "charging_llm_charge_credits": parts[1]}
    rows.call(call, cost_credits=cost, **charges, **row)


def priced(rows: Any, call: str, scope: str, kind: str, usd: float) -> None:
    key = {"scope": scope, "turn_index": -1, "model": "m", "token_kind": kind}
    rows.add("llm_usage", conversation_id=call, tokens=1, price_usd=usd, **key)


def test_cost_reconciliation(rows: Any) -> None:
    rows.seed("excluded_callers", "conversation_id,c3,a test call")
    charged(rows, "c1", 100, (60, 40), charging_llm_price_usd=0.02)
    priced(rows, "c1", "initiated", "input", 0.015)
    priced(rows, "c1", "initiated", "output_total", 0.005)
    priced(rows, "c1", "irreversible", "output_total", 0.005)
    charged(rows, "c2", 50, (30, None), charging_llm_price_usd=0.03)  # 20 credits and 0.02 USD too much
    priced(rows, "c2", "initiated", "input", 0.01)
    charged(rows, "c3", 30, (40, 0), status="failed")  # 10 credits too few; excluded and yet on the bill
    priced(rows, "c3", "initiated", "input", 0.5)
    charged(rows, "c4", 25, (None, None))  # before July 2025
    rows.call("c5")
    charged(rows, "c6", 999, (1, 1), status="in-progress")
    charged(rows, "c7", None, (5, 0), charging_llm_price_usd=0.3)  # less than a billionth apart
    priced(rows, "c7", "initiated", "input", 0.1)
    priced(rows, "c7", "initiated", "output_total", 0.2000000004)
    rows.call("c8", start_date=NEXT_DAY)
    charged(rows, "c9", 10, (None, 10), workspace="other")

    first_day, next_day, other = rows.model("metrics.cost_reconciliation")

    assert first_day == pytest.approx(
        {
            "workspace": "main",
            "start_date": rows.day,
            "n_calls": 6,  # c1 to c5 and c7
            "cost_credits": 210,
            "n_cost_alone": 1,
            "n_cost_compared": 4,  # c1, c2, c3, and c7, whose cost is the sum of its charges
            "compared_cost_credits": 185,
            "call_cost_credits": 135,
            "llm_cost_credits": 40,
            "unexplained_credits": 10,  # 20 - 10
            "n_cost_differences": 2,
            "n_llm_compared": 3,  # c1, c2, c7
            "llm_price_usd": 0.35,
            "usage_usd": 0.3300000004,
            "unexplained_llm_usd": 0.0199999996,
            "n_llm_differences": 1,
        },
        abs=1e-12,
    )
    assert {name: value for name, value in next_day.items() if value is not None} == {
        "workspace": "main",
        "start_date": NEXT_DAY,
        "n_calls": 1,
        "n_cost_alone": 0,
        "n_cost_compared": 0,
        "n_cost_differences": 0,
        "n_llm_compared": 0,
        "n_llm_differences": 0,
    }
    assert (other["workspace"], other["cost_credits"], other["unexplained_credits"]) == ("other", 10, 0)
