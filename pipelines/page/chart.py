"""A chart of a page: its specification, its rows, and the table of its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import islice
from typing import Any

from pipelines.page.text import visible
from warehouse.serve.pages.selection import Period

DENSE_DAYS = 12
"""Days from which the label of the last is wider than its part of the axis on a small screen."""
MANY = 12
"""Rows of a chart from which it takes the whole width, as it is much higher than others."""
MAX_LABELS = 20
"""Agents of a chart with a row for each; the table of its numbers has all."""
DAY, DAY_AND_YEAR = (f"utcFormat(toDate(datum.value), '{form}')" for form in ("%-d %b", "%-d %b %Y"))
"""Labels of days, within a year and of several."""
MAX_DAYS = 800
"""Days without a row that a chart leaves room for."""

Spec = dict[str, Any]
"""A Vega-Lite specification; ``pipelines.page.charts`` makes them."""

Columns = dict[str, tuple[str, str]]
"""Heading and unit of the columns of a table (``pipelines.page.views.blocks``)."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its title and its table of numbers.

    ``metric`` is the id of its entry in the catalogue; ``columns`` are those of its table of numbers. With ``labels``,
    only rows of these are drawn. ``marks`` are drawn as well, and are no numbers: days on which a version began.
    """

    name: str
    title: str
    note: str
    spec: Spec
    rows: Sequence[dict[str, Any]]
    columns: Columns
    metric: str | None = None
    wide: bool = False
    period: Period | None = None
    labels: frozenset[str] | None = None
    marks: Sequence[dict[str, Any]] = ()

    @property
    def drawn_rows(self) -> list[dict[str, Any]]:
        """The rows that the chart shows."""
        return [row for row in self.rows if self.labels is None or row["label"] in self.labels]

    def filled(self) -> Spec:
        """The specification with the rows, without what only the table shows.

        Days of ``period`` without a row get an empty one, so that the chart leaves room for them.
        """
        rows = [_plain(row) for row in self.drawn_rows]
        spec = dict(self.spec)
        if self.period is not None and rows:
            days = {row["day"] for row in rows}
            all_days = (self.period.first + timedelta(days=number) for number in range(self.period.n_days))
            # a bar without a value would be left out, and its day with it
            rest = {"value": 0} if "mark" in spec and spec["mark"]["type"] == "bar" else {}
            rows += [{"day": str(day)} | rest for day in islice(all_days, MAX_DAYS) if str(day) not in days]
        shown_days = {row["day"] for row in rows if "day" in row}
        has_years = len({day[:4] for day in shown_days}) > 1
        if len(shown_days) > DENSE_DAYS:  # for half of the last label
            spec["padding"] = spec["config"]["padding"] | {"right": 36 if has_years else 20}
        if has_years:
            spec = _with_years(spec)
        if not any(row.get("value") for row in rows):
            spec = _from_zero(spec)
        return spec | {"datasets": {"rows": rows + [_plain(mark) for mark in self.marks if rows]}}


def _with_years(spec: Spec) -> Spec:
    """With the year in the labels of days."""
    copy = deepcopy(spec)
    for layer in (copy, *copy.get("layer", ())):
        axis = layer.get("encoding", {}).get("x", {}).get("axis", {})
        if axis.get("labelExpr") == DAY:
            axis["labelExpr"] = DAY_AND_YEAR
    return copy


def largest_labels(sizes: Mapping[str, int]) -> tuple[frozenset[str], str]:
    """The agents to draw of a chart with a row for each, and what its note says of the others."""
    labels = sorted(sizes, key=lambda label: (-sizes[label], label))[:MAX_LABELS]
    left_out = f"; drawn: the {MAX_LABELS} largest of {len(sizes):,} agents" if len(labels) < len(sizes) else ""
    return frozenset(labels), left_out


def _from_zero(spec: Spec) -> Spec:
    """With an axis from 0 to 1, as one from 0 to 0 would have its only value in the middle."""
    copy = deepcopy(spec)
    for layer in (copy, *copy.get("layer", ())):
        value = layer.get("encoding", {}).get("y", {})
        if value.get("type") == "quantitative":
            value["scale"] = value.get("scale", {}) | {"domainMax": 1}
    return copy


def in_one_format(*charts: Chart) -> list[Chart]:
    """Charts that stand beside each other, or all over the whole width if one of them is very high."""
    heights = [len({row.get("label") for row in chart.drawn_rows}) for chart in charts]
    return [replace(chart, wide=max(heights) > MANY) for chart in charts]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    names = ("day", "value", "low", "high", "series", "label", "n", "url", "tip", "x", "y", "kind", "text")
    values = {name: row[name] for name in names if row.get(name) is not None}
    return {
        name: visible(value) if isinstance(value, str) and name != "url" else value for name, value in values.items()
    }
