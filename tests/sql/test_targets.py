"""``metrics.targets``: weeks of agents against the targets of a seed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.two_weeks import MONDAY, NEXT_MONDAY, TUESDAY, add_two_weeks
from warehouse.models.project import Project

OTHER = TUESDAY.replace(day=23)  # the Monday of its week


def targets(rows: Any, *columns: str) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """Columns by agent, week and metric."""
    keys = ("agent_id", "week_start_date", "metric")
    actual = rows.model("metrics.targets", *keys, *columns)
    return {tuple(row[key] for key in keys): tuple(row[name] for name in columns) for row in actual}


def test_targets(rows: Any) -> None:
    """The success rates of the weeks are 0.5, 1 and none; the 90th percentiles of the wait 2.8, 4 and none."""
    add_two_weeks(rows)
    rows.seed(
        "targets",
        "success_rate,*,2024-01-01,0.6",
        "wait_p90_secs,*,2024-01-01,1",
        "wait_p90_secs,a1,2024-01-01,2.8",
        "wait_p90_secs,a1,2026-11-09,3.5",
        "wait_p90_secs,a1,2026-11-10,99",
        "error_rate,a9,2024-01-01,0.1",
        "error_rate,a1,2026-11-25,0.1",
    )
    names = ("metric_name", "is_over", "value", "target", "difference", "n_observations", "is_met")
    success, wait = "Success rate", "Wait, 90th percentile"
    expected = {
        ("a1", MONDAY, "success_rate"): (success, True, 0.5, 0.6, -0.1, 2, False),
        ("a1", NEXT_MONDAY, "success_rate"): (success, True, 1.0, 0.6, 0.4, 2, True),
        ("a1", OTHER, "success_rate"): (success, False, None, 0.6, None, 0, None),
        ("a2", MONDAY, "success_rate"): (success, True, None, 0.6, None, 0, None),
        ("a1", MONDAY, "wait_p90_secs"): (wait, True, 2.8, 2.8, 0.0, 2, True),
        ("a1", NEXT_MONDAY, "wait_p90_secs"): (wait, True, 4.0, 3.5, 0.5, 1, False),
        ("a1", OTHER, "wait_p90_secs"): (wait, False, None, 99.0, None, 0, None),
        ("a2", MONDAY, "wait_p90_secs"): (wait, True, None, 1.0, None, 0, None),
    }
    actual = targets(rows, *names)
    assert actual.keys() == expected.keys()
    for key, values in expected.items():
        assert actual[key] == pytest.approx(values), key


OBSERVATIONS = {
    "n_calls": {
        *("reach_rate", "success_coverage", "transfer_rate", "voicemail_rate", "error_rate"),
        *("cost_usd", "cost_usd_per_call", "cost_usd_per_minute", "llm_cost_usd"),
    },
    "n_reached": {"containment_rate", "abandonment_rate"},
    "n_followed": {"contained_no_callback_rate"},
    "n_reached_judged": {"resolved_containment_rate"},
    "n_traced": {"fcr_rate"},
    "n_traced_judged": {"fcr_judged_rate"},
    "n_queued": {"queue_abandonment_rate", "asa_secs", "service_level_rate"},
    "n_ratings": {"rating", "csat_rate"},
    "n_agent_turns": {"interruption_rate"},
    "n_waits": {
        *("wait_p50_secs", "wait_p90_secs", "wait_p95_secs", "wait_p99_secs"),
        *("wait_within_good_rate", "wait_within_fair_rate", "wait_within_poor_rate"),
    },
    "n_success": {"cost_usd_per_success"},
    "n_resolved": {"cost_usd_per_resolution"},
}
"""Metrics by the number of observations that they are of; that of ``success_rate`` is a sum of two."""


def test_every_metric_that_may_have_a_target_is_compared(rows: Any, project: Project) -> None:
    add_two_weeks(rows)
    (seed,) = (seed for seed in project.seeds if seed.name == "targets")
    metrics = [str(metric) for metric in seed.header.tests.accepted["metric"]]
    rows.seed("targets", *(f"{metric},*,2024-01-01,0" for metric in metrics))
    rows.build("metrics.agent_scorecard", "metrics.targets")
    scorecard = {
        row["week_start_date"]: row for row in rows.model("metrics.agent_scorecard") if row["agent_id"] == "a1"
    }
    actual = targets(rows, "value", "n_observations")
    columns = {metric: name for name, of_name in OBSERVATIONS.items() for metric in of_name}
    assert {*columns, "success_rate"} == {*metrics}
    for metric in metrics:
        for week, row in scorecard.items():
            n = row[columns[metric]] if metric in columns else row["n_success"] + row["n_failure"]
            assert actual["a1", week, metric] == pytest.approx((row[metric], n)), metric
