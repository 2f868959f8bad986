"""Metrics as aggregates that a BI tool can evaluate over any rows: a sum, or a sum divided by a sum, never a mean.

A metric of a header names the columns that it is computed from: ``n_success`` ÷ ``n_success + n_failure``. Where the
rows of a model can be added up, so can these. Percentiles cannot be added; they are computed from the entries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from warehouse.contracts.relations import Relation
from warehouse.models.headers import Metric

ADDITIVE = ("metrics.agent_daily", "metrics.channel_mix", "metrics.language_mix")
"""Models whose rows do not overlap and are each of one day, so that their counts and amounts may be added up."""

ENTRIES = "marts.fct_turns"
"""Where the waits are, one by one."""

SUMMABLE_UNITS = ("count", "minutes", "credits", "US dollars")
"""Units of amounts; shares, seconds and points are not added up."""

_COLUMNS = re.compile(r"\w+(?: \+ \w+)*")
"""A numerator or denominator that is made of columns, such as ``n_success + n_failure``."""
_WAIT_PERCENTILE = re.compile(r"wait_p(\d\d)_secs")


@dataclass(frozen=True, slots=True)
class Aggregate:
    """A metric over any rows of the relation ``relation``; ``expression`` takes a function that writes a column."""

    relation: str
    column: str
    metric: Metric
    expression: Callable[[Callable[[str], str]], str]

    def sql(self, prefix: str = "") -> str:
        """The expression in SQL; ``prefix`` is written before each column."""
        return self.expression(lambda column: f"{prefix}{column}")


def aggregates(relations: Iterable[Relation]) -> tuple[Aggregate, ...]:
    """The metrics that can be evaluated over any rows, by relation and in the order of their headers."""
    by_key = {relation.key: relation for relation in relations}
    percentiles = [
        Aggregate(ENTRIES, column, metric, _percentile(int(match[1]) / 100))
        for column, metric in by_key[ADDITIVE[0]].metrics.items()
        if (match := _WAIT_PERCENTILE.fullmatch(column))
    ]
    additive = (aggregate for key in ADDITIVE for aggregate in _aggregates(by_key[key], by_key[ADDITIVE[0]].metrics))
    return (*additive, *percentiles)


def _aggregates(relation: Relation, inherited_metrics: Mapping[str, Metric]) -> Iterable[Aggregate]:
    """The metrics of a relation, and those that it has as a column without naming it a metric."""
    units = {field.name: field.unit for field in relation.fields}
    for column, metric in {**inherited_metrics, **relation.metrics}.items():
        if column not in units:
            continue
        numerator = _columns(re.split("[:,]", metric.numerator)[0], units)
        denominator = _columns(metric.denominator or "", units)
        if metric.denominator is None:
            if units[column] in SUMMABLE_UNITS:
                yield Aggregate(relation.key, column, metric, _sum((column,), units))
        elif numerator and denominator:
            yield Aggregate(relation.key, column, metric, _ratio(_sum(numerator, units), _sum(denominator, units)))
        elif denominator:  # the numerator is not a column: it is the metric times its denominator
            yield Aggregate(relation.key, column, metric, _weighted(column, denominator, units))


def _columns(text: str, units: dict[str, str | None]) -> tuple[str, ...]:
    """The columns that are added in ``text``; empty if it is anything else."""
    names = tuple(text.split(" + ")) if _COLUMNS.fullmatch(text) else ()
    return names if all(name in units for name in names) else ()


Expression = Callable[[Callable[[str], str]], str]


def _sum(columns: tuple[str, ...], units: dict[str, str | None]) -> Expression:
    def expression(column: Callable[[str], str]) -> str:
        return " + ".join(_sum_of(column(name), units[name]) for name in columns)

    return expression


def _sum_of(column: str, unit: str | None) -> str:
    """The sum of a column; of money, exact: as the models add it."""
    if unit == "US dollars":
        return f"cast(sum(cast({column} as decimal(38, 12))) as double)"
    return f"cast(sum({column}) as bigint)" if unit in ("count", "credits") else f"sum({column})"


def _ratio(numerator: Expression, denominator: Expression) -> Expression:
    return lambda column: f"cast({numerator(column)} as double) / nullif({denominator(column)}, 0)"


def _weighted(metric: str, denominator: tuple[str, ...], units: dict[str, str | None]) -> Expression:
    def expression(column: Callable[[str], str]) -> str:
        weight = " + ".join(column(name) for name in denominator)
        total = _sum(denominator, units)(column)
        return f"sum({column(metric)} * ({weight})) / nullif({total}, 0)"

    return expression


def _percentile(share: float) -> Expression:
    return lambda column: (
        f"percentile_cont({share}) within group "
        f"(order by case when {column('is_counted')} then {column('wait_secs')} end)"
    )
