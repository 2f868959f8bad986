"""The versions of an agent: the measures of ``agent_daily`` by version, and the interval of the success rate."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.helpers.two_weeks import (
    BARE,
    FIRST,
    MONDAY,
    NEXT_MONDAY,
    ONLY_OPEN,
    SECOND,
    SUNDAY,
    TUESDAY,
    add_turns,
    add_two_weeks,
    noon,
)


def test_versions_side_by_side(rows: Any) -> None:
    add_two_weeks(rows)
    key = {"workspace": "main", "agent_id": "a1", "agent_name": None}
    # Wilson, z² = 3.841459. One of two: (1 + 1.920729 ± 1.959964 √(1·1/2 + 0.960365)) ÷ 5.841459.
    first = {"version_id": "v1", "n_judged": 2, "success_rate_low": 0.0945312, "success_rate_high": 0.9054688}
    # Two of two: (2 + 1.920729 ± 1.920729) ÷ 5.841459.
    second = {"version_id": "v2", "n_judged": 2, "success_rate_low": 0.3423802, "success_rate_high": 1.0}
    unjudged = {"n_judged": 0, "success_rate_low": None, "success_rate_high": None}
    actual = rows.model("metrics.version_comparison")
    times = [(row.pop("first_call_at"), row.pop("last_call_at")) for row in actual]
    assert times == [
        (noon(since), noon(until))
        for since, until in ((MONDAY, SUNDAY), (NEXT_MONDAY, NEXT_MONDAY), (TUESDAY, TUESDAY), (MONDAY, MONDAY))
    ]
    unknown = dict.fromkeys(("version_description", "version_committed_at", "changes"))
    assert actual == [
        pytest.approx(key | row | unknown)
        for row in (
            FIRST | first,
            SECOND | second,
            BARE | unjudged | {"version_id": None},
            ONLY_OPEN | unjudged | {"agent_id": "a2", "agent_name": None, "version_id": "v7"},
        )
    ]


# Newcombe, Two-sided confidence intervals for the single proportion (1998), table I, method 3; mirrored
INTERVALS = [
    (81, 182, 0.2553, 0.3662),
    (15, 133, 0.0624, 0.1605),
    (1, 28, 0.0061, 0.1718),
    (0, 20, 0, 0.1611),
    (20, 0, 0.8389, 1),
]


@pytest.mark.parametrize(("n_success", "n_failure", "low", "high"), INTERVALS)
def test_interval_of_the_success_rate(rows: Any, n_success: int, n_failure: int, low: float, high: float) -> None:
    rows.verdicts(n_success, n_failure, 1, version_id="v1")
    names = ("success_rate_low", "success_rate_high", "n_judged", "n_calls")
    (actual,) = rows.model("metrics.version_comparison", *names)
    counts = (n_success + n_failure, n_success + n_failure + 1)
    assert tuple(actual.values()) == pytest.approx((low, high, *counts), abs=0.00005)
    assert actual["success_rate_low"] >= 0
    assert actual["success_rate_high"] <= 1


def test_versions_of_two_workspaces_and_of_no_agent(rows: Any) -> None:
    later = rows.noon + timedelta(hours=1)
    rows.call("c1", agent_id=None, version_id="v1")
    rows.call("c2", agent_id=None, version_id="v1", status="in-progress", start_time_at=later)
    rows.call("c3", agent_id=None, version_id="v1", workspace="second")
    rows.call("c4", agent_id="a1", version_id="v1", status="in-progress")
    rows.call("c5", agent_id=None)
    add_turns(rows, "c1", rows.day, (False, 1.0))
    add_turns(rows, "c5", rows.day, (False, 1.0), (False, 2.0))
    names = ("n_calls", "n_open", "n_judged", "n_waits", "first_call_at", "last_call_at")
    assert rows.values("metrics.version_comparison", "workspace", "agent_id", "version_id", *names) == [
        ("main", "a1", "v1", 0, 1, 0, 0, rows.noon, rows.noon),
        ("main", None, "v1", 1, 1, 0, 1, rows.noon, later),
        ("main", None, None, 1, 0, 0, 2, rows.noon, rows.noon),
        ("second", None, "v1", 1, 0, 0, 0, rows.noon, rows.noon),
    ]


def test_a_version_says_what_was_changed(rows: Any) -> None:
    rows.call("c1", version_id="v1")
    rows.call("c2", version_id="v1", workspace="second")
    rows.call("c3")
    version = {"version_id": "v1", "agent_id": "a1", "content_sha256": "00", "committed_at": rows.noon}
    rows.whole("agent_versions", **version, description="Shorter", changes='["name"]')
    names = ("version_description", "version_committed_at", "changes")
    assert rows.values("metrics.version_comparison", "workspace", "version_id", *names) == [
        ("main", "v1", "Shorter", rows.noon, '["name"]'),
        ("main", None, None, None, None),
        ("second", "v1", None, None, None),
    ]
