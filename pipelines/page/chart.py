"""A chart of a page: its specification, its rows, and the table of its numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from typing import Any

from pipelines.page.text import visible
from warehouse.serve.pages.selection import Period

MAX_DAYS = 800
"""Days without a row that a chart leaves room for."""

Spec = dict[str, Any]
"""A Vega-Lite specification; ``pipelines.page.charts`` makes them."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart with its title and its table of numbers.

    ``metric`` is the id of its entry in the catalogue; ``columns`` are those of its table of numbers, column to
    heading; ``units`` format them.
    """

    name: str
    title: str
    note: str
    spec: Spec
    rows: Sequence[dict[str, Any]]
    columns: dict[str, str]
    units: dict[str, str] = field(default_factory=dict)
    metric: str | None = None
    wide: bool = False
    period: Period | None = None

    def filled(self) -> Spec:
        """The specification with the rows, without what only the table shows.

        Days of ``period`` without a row get an empty one, so that the chart leaves room for them.
        """
        rows = [_plain(row) for row in self.rows]
        if self.period is not None and rows:
            days = {row["day"] for row in rows}
            all_days = (self.period.first + timedelta(days=number) for number in range(self.period.n_days))
            rows += [{"day": str(day)} for day in islice(all_days, MAX_DAYS) if str(day) not in days]
        return self.spec | {"datasets": {"rows": rows}}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    names = ("day", "value", "low", "high", "series", "label", "n", "url", "tip", "x", "y", "kind", "text")
    values = {name: row[name] for name in names if row.get(name) is not None}
    return {
        name: visible(value) if isinstance(value, str) and name != "url" else value for name, value in values.items()
    }
