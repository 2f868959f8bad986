"""``metrics.experiments``: two variants of an agent in their common time, against scipy, statsmodels and by hand."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import Any

import numpy as np
import pytest

from tests.helpers.lazy_import import lazy_import

stats = lazy_import("scipy.stats")
linear_model = lazy_import("statsmodels.regression.linear_model")
proportion = lazy_import("statsmodels.stats.proportion")
weightstats = lazy_import("statsmodels.stats.weightstats")

NUMBERS = ("value_a", "value_b", "difference", "difference_low", "difference_high", "p_value")
THRESHOLDS = ("service_level_secs,20", "wait_good_secs,1", "wait_fair_secs,1.5", "wait_poor_secs,3")
WAIT = "convai_ttf_audio_since_silence"


def add_call(rows: Any, branch: str, *, minute: int = 0, **row: object) -> str:
    """A conversation of a branch, all at noon if no minute is said; its id."""
    name = f"c{len(rows.rows['conversations']):04d}"
    rows.call(name, branch_id=branch, start_time_at=rows.noon + timedelta(minutes=minute), **row)
    return name


def add_waits(rows: Any, conversation_id: str, *waits: float) -> None:
    rows.add("turns", conversation_id=conversation_id, turn_index=0, role="user", message="Hello?")
    for index, secs in enumerate(waits, 1):
        entry = {"conversation_id": conversation_id, "turn_index": index}
        rows.add("turns", **entry, role="agent", message="Hi")
        rows.add("turn_metrics", **entry, metric=WAIT, elapsed_secs=secs, is_repeat=False)


def experiments(rows: Any, *columns: str) -> dict[str, dict[str, Any]]:
    """The rows by measure."""
    return {row.pop("measure"): row for row in rows.model("metrics.experiments", "measure", *columns)}


def newcombe(successes: tuple[float, float], n: tuple[float, float]) -> tuple[float, float]:
    """The interval of the difference of two shares, of a and of b."""
    low, high = proportion().confint_proportions_2indep(
        successes[1], n[1], successes[0], n[0], method="newcomb", compare="diff"
    )
    return low, high


def numbers(*values: float) -> Any:
    return pytest.approx(dict(zip(NUMBERS, values, strict=True)), abs=1e-9)


SHARES = [
    (36, 60, 32, 45),
    (180, 200, 25, 50),
    (0, 31, 3, 30),
    (40, 40, 28, 35),
    (15, 30, 15, 30),
    (500, 600, 400, 600),
    (500, 600, 100, 600),  # so far apart that the last digits of p are those of a tail
]


@pytest.mark.parametrize(("success_a", "n_a", "success_b", "n_b"), SHARES)
def test_shares_are_newcombes_and_the_pooled_z_tests(
    rows: Any, success_a: int, n_a: int, success_b: int, n_b: int
) -> None:
    for branch, n_success, n in (("a", success_a, n_a), ("b", success_b, n_b)):
        rows.verdicts(n_success, n - n_success, 2, branch_id=branch)
    low, high = newcombe((success_a, success_b), (n_a, n_b))
    _, p_value = proportion().proportions_ztest([success_b, success_a], [n_b, n_a])
    share_a, share_b = success_a / n_a, success_b / n_b
    actual = experiments(rows, *NUMBERS)["success_rate"]
    assert actual == numbers(share_a, share_b, share_b - share_a, low, high, p_value)
    assert actual["p_value"] == pytest.approx(p_value, rel=1e-6)


def test_shares_in_newcombes_paper(rows: Any) -> None:
    """Newcombe, Interval estimation for the difference between independent proportions (1998), table II, (a)."""
    rows.verdicts(48, 32, branch_id="a")
    rows.verdicts(56, 14, branch_id="b")
    actual = experiments(rows, "difference_low", "difference_high")["success_rate"]
    assert actual == pytest.approx({"difference_low": 0.0524, "difference_high": 0.3339}, abs=0.00005)


def drawn_costs(seed: int, n_a: int, n_b: int, spread_b: float) -> dict[str, list[float]]:
    drawn = Random(seed)
    return {
        "a": [round(drawn.lognormvariate(-2, 0.5), 6) for _ in range(n_a)],
        "b": [round(drawn.lognormvariate(-1.9, 0.5 * spread_b), 6) for _ in range(n_b)],
    }


MEANS = [(1, 30, 30, 1.0), (2, 30, 300, 4.0), (3, 90, 31, 0.2), (4, 12, 10, 1.0)]


@pytest.mark.parametrize(("seed", "n_a", "n_b", "spread_b"), MEANS)
def test_means_are_welchs(rows: Any, seed: int, n_a: int, n_b: int, spread_b: float) -> None:
    costs = drawn_costs(seed, n_a, n_b, spread_b)
    rows.seed("thresholds", *THRESHOLDS, "experiment_min_callers,10")
    for branch, values in costs.items():
        for value in values:
            add_call(rows, branch, cost_fiat_usd=value)
    expected = stats().ttest_ind(costs["b"], costs["a"], equal_var=False)
    low, high = (
        weightstats()
        .CompareMeans(weightstats().DescrStatsW(costs["b"]), weightstats().DescrStatsW(costs["a"]))
        .tconfint_diff(usevar="unequal")
    )
    value_a, value_b = np.mean(costs["a"]), np.mean(costs["b"])
    actual = experiments(rows, *NUMBERS)["cost_usd_per_call"]
    assert actual["p_value"] == pytest.approx(expected.pvalue, rel=1e-5, abs=1e-7)
    assert actual["difference_low"] == pytest.approx(low, abs=1e-6)
    assert actual["difference_high"] == pytest.approx(high, abs=1e-6)
    assert (actual["value_a"], actual["value_b"]) == pytest.approx((value_a, value_b))


def test_the_spread_of_a_mean_is_that_of_callers(rows: Any) -> None:
    """Against the cluster-robust covariance of a regression on a constant; conversations have one to four waits."""
    drawn = Random(5)
    waits: dict[str, list[tuple[float, str]]] = {"a": [], "b": []}
    for branch, observations in waits.items():
        for number in range(60):
            caller = f"{branch}{drawn.randrange(25)}"
            secs = [round(drawn.expovariate(1) + int(caller[1:]) / 10, 3) for _ in range(drawn.randint(1, 4))]
            # a caller who is not known is a caller of his own
            conversation = add_call(rows, branch, user_id=None if number % 10 == 0 else caller)
            add_waits(rows, conversation, *secs)
            observations += [(value, conversation if number % 10 == 0 else caller) for value in secs]
    rows.build("intermediate.int_experiment_arms", "metrics.experiments")
    actual = {
        row["side"]: row for row in rows.model("intermediate.int_experiment_arms") if row["measure"] == "wait_mean_secs"
    }
    variances = {}
    for branch, observations in waits.items():
        values, callers = zip(*observations, strict=True)
        numbers_of_callers = {caller: number for number, caller in enumerate(sorted(set(callers)))}
        groups = np.array([numbers_of_callers[caller] for caller in callers])
        model = linear_model().OLS(np.array(values), np.ones(len(values)))
        fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups})
        variances[branch] = fit.bse[0] ** 2, len(numbers_of_callers)
        side = actual[branch]
        assert side["variance_of_mean"] == pytest.approx(fit.bse[0] ** 2, rel=1e-9)
        assert (side["n_calls"], side["n_observations"], side["n_callers"]) == (
            60,
            len(values),
            len(numbers_of_callers),
        )
    (variance_a, n_a), (variance_b, n_b) = variances["a"], variances["b"]
    freedom = (variance_a + variance_b) ** 2 / (variance_a**2 / (n_a - 1) + variance_b**2 / (n_b - 1))
    error = np.sqrt(variance_a + variance_b)
    row = experiments(rows, *NUMBERS, "has_enough_data")["wait_mean_secs"]
    assert row.pop("has_enough_data") is (min(n_a, n_b) >= 30)
    rows.seed("thresholds", *THRESHOLDS, "experiment_min_callers,20")
    rows.build("metrics.experiments")
    row = experiments(rows, *NUMBERS)["wait_mean_secs"]
    assert row["difference_high"] - row["difference"] == pytest.approx(stats().t.ppf(0.975, freedom) * error, abs=1e-6)
    assert row["p_value"] == pytest.approx(2 * stats().t.sf(abs(row["difference"]) / error, freedom), abs=1e-6)


def test_conversations_of_one_caller_count_for_less_in_a_share(rows: Any) -> None:
    """Thirty callers with two conversations each that are always alike are thirty observations, and not sixty."""
    rows.seed("thresholds", *THRESHOLDS, "experiment_min_callers,30")
    for branch, n_success in (("a", 15), ("b", 24)):
        for caller in range(30):
            is_success = caller < n_success
            rows.verdicts(2 * is_success, 2 * (not is_success), branch_id=branch, user_id=f"{branch}{caller}")
    # variance of a share of 60 in pairs: 30 / 29 of 30 squares of 2 times 0.5, over 60²; to that of 60 single ones
    weight_a = 60 / (30 / 29 * 30 / 3600 / (0.25 / 59))
    weight_b = 60 / (30 / 29 * (24 * 0.4**2 + 6 * 1.6**2) / 3600 / (0.16 / 59))
    assert (weight_a, weight_b) == pytest.approx((29.4915, 29.4915), abs=0.0001)
    successes, weights = (0.5 * weight_a, 0.8 * weight_b), (weight_a, weight_b)
    low, high = newcombe(successes, weights)
    _, p_value = proportion().proportions_ztest(np.array(successes[::-1]), np.array(weights[::-1]))
    actual = experiments(rows, *NUMBERS, "n_observations_a", "n_callers_a")["success_rate"]
    assert (actual.pop("n_observations_a"), actual.pop("n_callers_a")) == (60, 30)
    assert actual == numbers(0.5, 0.8, 0.3, low, high, p_value)


def test_the_row_of_a_pair(rows: Any) -> None:
    """Forty conversations a side, worked out with the tools of the tests above."""
    rows.seed("traffic_shares", "a1,a,3", "a1,b,1")
    for branch, n_success in (("a", 20), ("b", 36)):
        rows.verdicts(n_success, 40 - n_success, branch_id=branch, cost_fiat_usd=0.25)
    rows.call("named", agent_name="Billing", start_time_at=rows.noon - timedelta(days=1))
    key = {"workspace": "main", "agent_id": "a1", "agent_name": "Billing", "variant_kind": "branch"}
    sizes = {f"n_{name}_{side}": 40 for name in ("calls", "observations", "callers") for side in "ab"}
    whole = key | {"variant_a": "a", "variant_b": "b"} | sizes
    # planned 60 to 20: chi-square (40 - 20)² / 20 + (60 - 40)² / 60 = 26.67
    split = {"planned_share_b": 0.25, "actual_share_b": 0.5, "sample_ratio_p": stats().chi2.sf(80 / 3, 1)}
    warning = ". The split is not the planned one: find out why first."
    low, high = newcombe((20, 36), (40, 40))
    expected = {
        "success_rate": {
            "value_a": 0.5,
            "value_b": 0.9,
            "difference": 0.4,
            "difference_low": low,
            "difference_high": high,
            "p_value": proportion().proportions_ztest([36, 20], [40, 40])[1],
            "finding": "B succeeds 20.3 to 56.0 points more often than A; enough data",
        },
        # without a spread, nothing but the difference can be said
        "cost_usd_per_call": {
            "value_a": 0.25,
            "value_b": 0.25,
            "difference": 0.0,
            "difference_low": 0.0,
            "difference_high": 0.0,
            "p_value": 1.0,
            "finding": "No difference is shown: B is between 0.0000 US dollars below and 0.0000 US dollars above A",
        },
    }
    actual = {row["measure"]: row for row in rows.model("metrics.experiments")}
    assert (round(low, 3), round(high, 3)) == (0.203, 0.56)
    for measure, values in expected.items():
        text = {"finding": values["finding"] + warning, "measure": measure, "has_enough_data": True}
        row = actual[measure]
        assert (row.pop("common_from_at"), row.pop("common_until_at")) == (rows.noon, rows.noon)
        assert row == pytest.approx(whole | values | split | text, abs=1e-9)


FINDINGS = {
    (36, 20, 40): "B succeeds 20.3 to 56.0 points less often than A; enough data.",
    (20, 22, 40): "No difference is shown: B is between 16.2 points below and 25.6 points above A.",
    (0, 29, 29): "Not enough data: 29 callers of A, 29 of B; each needs 30.",
}


@pytest.mark.parametrize(("success_a", "success_b", "n"), FINDINGS)
def test_findings(rows: Any, success_a: int, success_b: int, n: int) -> None:
    for branch, n_success in (("a", success_a), ("b", success_b)):
        rows.verdicts(n_success, n - n_success, branch_id=branch)
    assert experiments(rows, "finding")["success_rate"] == {"finding": FINDINGS[success_a, success_b, n]}


def test_the_finding_of_each_measure(rows: Any) -> None:
    """Thirty conversations a side, whose values stand half each at the two sides of their mean."""
    seconds, dollars = {"a": (1.0, 1.2), "b": (2.0, 2.2)}, {"a": (0.2, 0.24), "b": (0.1, 0.14)}
    for branch, n_contained in (("a", 6), ("b", 24)):
        for number in range(30):
            error = None if number < n_contained else 1011
            row = {"error_code": error, "cost_fiat_usd": dollars[branch][number % 2], "call_duration_secs": 60}
            add_waits(rows, add_call(rows, branch, **row), seconds[branch][number % 2])
    actual = {measure: row["finding"] for measure, row in experiments(rows, "finding").items()}
    # a mean's variance is that of its 30 values, 0.1² or 0.02² by 30 / 29, by 30; t of 58 degrees is 2.0017
    low, high = newcombe((6, 24), (30, 30))
    assert (round(low, 3), round(high, 3)) == (0.355, 0.748)
    assert (0.1 * np.sqrt(2 / 29) * stats().t.ppf(0.975, 58)).round(4) == 0.0526
    assert actual == {
        "containment_rate": "B contains 35.5 to 74.8 points more often than A; enough data.",
        "cost_usd_per_call": "B costs 0.0895 to 0.1105 US dollars less per conversation than A; enough data.",
        "wait_mean_secs": "B lets callers wait 0.95 to 1.05 s more than A; enough data.",
    }


def test_without_enough_callers_nothing_is_concluded(rows: Any) -> None:
    """Sixty conversations of nine callers a side are nine callers, and fewer than ten never do."""
    rows.seed("thresholds", *THRESHOLDS, "experiment_min_callers,1")
    for branch in "ab":
        for number in range(60):
            add_call(rows, branch, analysis_call_successful="success", user_id=f"{branch}{number % 9}")
    names = ("difference", "difference_low", "difference_high", "p_value", "has_enough_data", "finding")
    assert experiments(rows, *names)["success_rate"] == {
        "difference": 0.0,
        "difference_low": None,
        "difference_high": None,
        "p_value": None,
        "has_enough_data": False,
        "finding": "Not enough data: 9 callers of A, 9 of B; each needs 10.",
    }


def test_only_the_common_time_counts(rows: Any) -> None:
    """a answers from minute 0 to 50, b from 10 to 90; a conversation at an end of the common time is in it."""
    days = (("a", 0, "failure"), ("a", 10, "success"), ("a", 50, "failure"), ("a", 20, "unknown"))
    days += (("b", 10, "success"), ("b", 50, "failure"), ("b", 51, "success"), ("b", 90, "success"))
    for branch, minute, verdict in days:
        add_call(rows, branch, minute=minute, analysis_call_successful=verdict)
    add_call(rows, "a", minute=200, status="in-progress")
    add_call(rows, "a", minute=200, user_id="tester")
    rows.seed("excluded_callers", "user_id,tester,ourselves")
    names = ("common_from_at", "common_until_at", "n_calls_a", "n_calls_b", "n_observations_a", "value_a", "value_b")
    assert experiments(rows, *names)["success_rate"] == {
        "common_from_at": rows.noon + timedelta(minutes=10),
        "common_until_at": rows.noon + timedelta(minutes=50),
        "n_calls_a": 3,
        "n_calls_b": 2,
        "n_observations_a": 2,
        "value_a": 0.5,
        "value_b": 0.5,
    }


def test_what_is_a_pair(rows: Any) -> None:
    """Versions that followed each other are none, nor is one that was put back; nor two agents or two workspaces."""
    for name, minutes, row in (
        ("v1", (0, 10), {}),
        ("v2", (11, 20), {}),
        ("v1", (30, 40), {}),
        ("v3", (35, 50), {}),
        ("v4", (0, 50), {"agent_id": "a2"}),
        ("v5", (0, 50), {"workspace": "second"}),
        (None, (0, 50), {}),
    ):
        for minute in minutes:
            conversation = f"c{len(rows.rows['conversations'])}"
            at = rows.noon + timedelta(minutes=minute)
            rows.call(conversation, version_id=name, start_time_at=at, analysis_call_successful="success", **row)
    pairs = rows.values("metrics.experiments", "variant_kind", "variant_a", "variant_b")
    assert pairs == [("version", "v1", "v3")] * 2


def test_the_split_that_the_api_lists_is_the_plan_unless_it_changed_or_another_is_written_down(rows: Any) -> None:
    def list_branch(branch: str, *shares: float) -> None:
        for day, share in enumerate(shares):
            at = rows.noon + timedelta(days=day)
            key = {"agent_id": "a1", "branch_id": branch, "valid_from_at": at, "last_seen_at": at}
            rows.whole("agent_branches", **key, current_live_percentage=share)

    for branch, n in (("a", 60), ("b", 20)):
        rows.verdicts(n, 0, branch_id=branch)
    list_branch("a", 75.0, 75.0)
    list_branch("b", 25.0)
    list_branch("c", 0.0)
    names = ("planned_share_b", "actual_share_b", "sample_ratio_p")
    as_planned = {"planned_share_b": 0.25, "actual_share_b": 0.25, "sample_ratio_p": pytest.approx(1)}
    assert experiments(rows, *names)["success_rate"] == as_planned
    rows.seed("traffic_shares", "a1,a,0.5", "a1,b,0.5")
    # 80 halved: chi-square (60 - 40)² / 40 + (20 - 40)² / 40 = 20
    written = {"planned_share_b": 0.5, "actual_share_b": 0.25, "sample_ratio_p": pytest.approx(stats().chi2.sf(20, 1))}
    assert experiments(rows, *names)["success_rate"] == written
    rows.seed("traffic_shares", "a1,a,0.5", "a2,b,0.5")
    assert experiments(rows, *names)["success_rate"] == as_planned
    list_branch("b", 25.0, 25.0, 40.0)
    unknown = {"planned_share_b": None, "actual_share_b": 0.25, "sample_ratio_p": None}
    assert experiments(rows, *names)["success_rate"] == unknown
