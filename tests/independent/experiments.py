"""``metrics.experiments`` once more: pairs of versions and branches from the documents, with scipy and statsmodels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from math import sqrt
from typing import Any

from tests.helpers.lazy_import import lazy_import
from tests.independent.daily_metrics import WAIT, Document, Row, caller, cost_usd, is_finished, timings
from tests.independent.outcomes import outcome

stats, proportion = lazy_import("scipy.stats"), lazy_import("statsmodels.stats.proportion")

LEAST_CALLERS = 30
Observations = dict[str, list[float]]
"""Values by caller."""


def _start(document: Document) -> int:
    secs: int = document["metadata"]["start_time_unix_secs"]
    return secs


def experiments(documents: list[Document]) -> list[Row]:
    """Rows of ``metrics.experiments``, without names, times and sentences."""
    rows = []
    for kind in ("version", "branch"):
        variants: defaultdict[tuple[str, str], list[Document]] = defaultdict(list)
        for document in filter(is_finished, documents):
            agent, variant = document.get("agent_id"), document.get(f"{kind}_id")
            if agent is not None and variant is not None:
                variants[agent, variant].append(document)
        for pair in combinations(variants, 2):
            if pair[0][0] == pair[1][0]:
                rows += _pair(kind, {variant: variants[agent, variant] for agent, variant in pair})
    return rows


def _pair(kind: str, pair: dict[str, list[Document]]) -> Iterator[Row]:
    first, second = sorted(pair, key=lambda variant: (min(map(_start, pair[variant])), variant))
    since = min(map(_start, pair[second]))
    until = min(max(map(_start, documents)) for documents in pair.values())
    sides = [
        [document for document in pair[variant] if since <= _start(document) <= until] for variant in (first, second)
    ]
    for measure in MEASURES:
        a, b = (_observations(measure, side) for side in sides)
        if a and b:
            key = {"workspace": "main", "agent_id": sides[0][0]["agent_id"], "variant_kind": kind}
            key |= {"variant_a": first, "variant_b": second, "measure": measure}
            sizes = {"n_calls_a": len(sides[0]), "n_calls_b": len(sides[1])}
            yield key | sizes | _compared(measure, a, b)


def _success(document: Document) -> list[float]:
    verdict = (document.get("analysis") or {}).get("call_successful")
    return [float(verdict == "success")] if verdict in ("success", "failure") else []


def _containment(document: Document) -> list[float]:
    word = outcome(document)
    return [] if word in ("not_reached", "voicemail") else [float(word == "contained")]


def _cost(document: Document) -> list[float]:
    cost = cost_usd(document)
    return [] if cost is None else [float(cost)]


def _waits(document: Document) -> list[float]:
    return [secs for name, secs in timings(document) if name == WAIT]


MEASURES = {
    "success_rate": _success,
    "containment_rate": _containment,
    "cost_usd_per_call": _cost,
    "wait_mean_secs": _waits,
}


def _observations(measure: str, documents: list[Document]) -> Observations:
    by_caller: defaultdict[str, list[float]] = defaultdict(list)
    for document in documents:
        if values := MEASURES[measure](document):
            by_caller[caller(document) or document["conversation_id"]] += values
    return by_caller


def _moments(observations: Observations) -> tuple[float, float, int, int]:
    """Mean, variance of the mean, observations and callers."""
    values = [value for theirs in observations.values() for value in theirs]
    n, callers = len(values), len(observations)
    mean = sum(values) / n
    squares = sum(sum(value - mean for value in theirs) ** 2 for theirs in observations.values())
    return mean, squares * callers / (callers - 1) / n**2 if callers > 1 else 0.0, n, callers


def _compared(measure: str, a: Observations, b: Observations) -> Row:
    (mean_a, variance_a, n_a, callers_a), (mean_b, variance_b, n_b, callers_b) = _moments(a), _moments(b)
    row = {
        "n_observations_a": n_a,
        "n_observations_b": n_b,
        "n_callers_a": callers_a,
        "n_callers_b": callers_b,
        "value_a": mean_a,
        "value_b": mean_b,
        "difference": mean_b - mean_a,
        "has_enough_data": min(callers_a, callers_b) >= LEAST_CALLERS,
    }
    if not row["has_enough_data"]:
        return row | dict.fromkeys(("difference_low", "difference_high", "p_value"))
    if measure.endswith("_rate"):
        low, high, p_value = _shares(_weight(*_moments(a)), mean_a, _weight(*_moments(b)), mean_b)
    else:
        error = sqrt(variance_a + variance_b)
        freedom = error**4 / (variance_a**2 / (callers_a - 1) + variance_b**2 / (callers_b - 1))
        margin = float(stats().t.ppf(0.975, freedom)) * error
        low, high = mean_b - mean_a - margin, mean_b - mean_a + margin
        p_value = float(2 * stats().t.sf(abs(mean_b - mean_a) / error, freedom))
    return row | {"difference_low": low, "difference_high": high, "p_value": p_value}


def _weight(mean: float, variance: float, n: int, callers: int) -> float:
    """Observations ÷ the design effect of callers."""
    if mean in (0, 1):
        return callers
    return n / max(1.0, variance / (mean * (1 - mean) / (n - 1)))


def _shares(weight_a: float, mean_a: float, weight_b: float, mean_b: float) -> tuple[float, float, float]:
    of_b: Any = (mean_b * weight_b, weight_b)
    of_a: Any = (mean_a * weight_a, weight_a)
    low, high = proportion().confint_proportions_2indep(*of_b, *of_a, method="newcomb", compare="diff")
    _, p_value = proportion().proportions_ztest([of_b[0], of_a[0]], [of_b[1], of_a[1]])
    return float(low), float(high), float(p_value)
