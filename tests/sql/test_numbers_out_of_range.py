"""A number that no conversation can have costs none of the others: the models are built, and shares stay shares."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.helpers.sample_documents import detail

ARMS = "intermediate.int_experiment_arms"


def test_no_count_is_below_0(rows: Any) -> None:
    kinds = {"input": -100, "input_cache_read": 60, "output_total": -7}
    usage = {kind: {"tokens": tokens, "price": 0.25} for kind, tokens in kinds.items()}
    document = detail()
    document["metadata"]["feedback"] = {"likes": -1, "dislikes": 3}
    document["metadata"]["charging"] = {"llm_usage": {"initiated_generation": {"model_usage": {"m": usage}}}}
    rows.document(document)
    rows.build("metrics.feedback", "metrics.llm_cost")
    assert rows.values("metrics.feedback", "likes", "dislikes", "like_rate") == [(0, 3, 0.0)]
    columns = ("input_tokens", "input_cache_read_tokens", "output_tokens", "cache_hit_rate", "llm_cost_usd")
    assert rows.values("metrics.llm_cost", *columns) == [(0, 60, 0, 1.0, 0.75)]


@pytest.mark.parametrize("cost", [1e12, -1e12])
def test_one_absurd_cost_leaves_the_experiments(rows: Any, cost: float) -> None:
    """Four costs of a branch, of which one is the largest that a column accepts; the variance is that of the mean."""
    for branch, costs in {"a": [0.25, 0.25, 0.25, cost], "b": [0.5, 0.5, 1.5, 1.5]}.items():
        for minute, cost_usd in enumerate(costs):
            start = rows.noon + timedelta(minutes=minute)
            rows.call(f"{branch}{minute}", branch_id=branch, start_time_at=start, cost_fiat_usd=cost_usd)
    rows.build(ARMS, "metrics.experiments", "metrics.spend_forecast", "metrics.anomalies")
    actual = {row["side"]: row for row in rows.model(ARMS) if row["measure"] == "cost_usd_per_call"}
    mean = (0.75 + cost) / 4
    squares = 3 * (0.25 - mean) ** 2 + (cost - mean) ** 2
    assert actual["a"]["variance_of_mean"] == pytest.approx(squares / 3 / 4, rel=1e-12)
    assert actual["b"]["variance_of_mean"] == pytest.approx(1 / 3 / 4, rel=1e-12)


def test_a_day_of_nothing_but_absurd_costs_leaves_the_forecast(rows: Any) -> None:
    """As where a vendor reports all costs in another unit; the square of a day's sum is beyond every decimal."""
    for number in range(12):
        rows.call(f"c{number:02}", cost_fiat_usd=1e12)
    rows.build("metrics.spend_forecast", "metrics.anomalies")
    assert rows.values("metrics.spend_forecast", "agent_id", "cost_usd") == [("*", 1.2e13), ("a1", 1.2e13)]


def test_costs_that_are_all_alike_have_no_variance(rows: Any) -> None:
    for branch in ("a", "b"):
        for minute in range(3):
            start = rows.noon + timedelta(minutes=minute)
            rows.call(f"{branch}{minute}", branch_id=branch, start_time_at=start, cost_fiat_usd=0.25)
    rows.build(ARMS)
    assert {row["variance_of_mean"] for row in rows.model(ARMS) if row["measure"] == "cost_usd_per_call"} == {0.0}
