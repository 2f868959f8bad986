"""The chart of the month: what it has cost so far, what it is expected to cost, and its budget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from pipelines.page import charts
from pipelines.page.chart import Chart
from pipelines.page.text import day, number
from pipelines.page.views.base import Visit
from warehouse.serve.pages import money

USD = "US dollars"
Row = dict[str, Any]


def forecast_charts(visit: Visit) -> list[Chart]:
    """The chart of the newest month; none if nothing of its cost is known."""
    month, days = money.forecast(visit.reader)
    if month is None or month["cost_usd"] is None:
        return []
    spent = list(_spent(days))
    total = spent[-1]["value"] if spent else 0.0
    expected = [] if _is_over(month) else list(_expected(month, total))
    rows = [*spent, *expected, *_budget(month)]
    note = _note(month, total)
    if not visit.filter.selection.is_all_conversations:
        note += "; of all conversations, whatever the channel, language and version"
    return [
        Chart(
            name="forecast",
            title="What the month cost" if _is_over(month) else "What the month will cost",
            note=note,
            spec=charts.forecast(
                interval=any(row["low"] is not None for row in rows), budget=month["budget_usd"] is not None
            ),
            rows=rows,
            columns={
                "date": ("day", "date"),
                "kind": ("amount", "text"),
                "value": ("added up", USD),
                "low": ("at least", USD),
                "high": ("at most", USD),
            },
            metric="metrics.spend_forecast.expected_usd",
        )
    ]


def _is_over(month: Row) -> bool:
    return bool(month["last_date"] <= month["as_of_date"])


def _spent(days: Iterable[Row]) -> Iterator[Row]:
    """The cost of the month, added up by day."""
    total = 0.0
    for row in days:
        total += row["cost_usd"] or 0
        yield _point("spent", row["start_date"], total, f"{day(row['start_date'])}: {number(total, USD)} so far")


def _expected(month: Row, total: float) -> Iterator[Row]:
    """A straight line from the total so far to what is expected at the end of the month, with its interval."""
    if month["expected_usd"] is None:
        return
    n_days = (month["last_date"] - month["as_of_date"]).days
    for days_ahead in range(n_days + 1):
        at = month["as_of_date"] + timedelta(days=days_ahead)
        value, low, high = (
            None if month[name] is None else total + (month[name] - total) * days_ahead / n_days
            for name in ("expected_usd", "expected_low_usd", "expected_high_usd")
        )
        text = f"{day(at)}: {number(value, USD)} expected"
        if days_ahead and high is not None:
            text += f", {number(low, USD)} to {number(high, USD)}"
        yield _point("expected", at, value, text) | {"low": low, "high": high}


def _budget(month: Row) -> list[Row]:
    budget = month["budget_usd"]
    if budget is None:
        return []
    ends = (month["month_start_date"], month["last_date"])
    return [_point("budget", at, budget, f"budget {number(budget, USD)}") for at in ends]


def _note(month: Row, total: float) -> str:
    note = f"US dollars of {month['month_start_date']:%B %Y}, added up"
    if _is_over(month):
        note += f": {number(total, USD)}"
    else:
        note += f"; expected {number(month['expected_usd'], USD)} at its end"
        if month["expected_high_usd"] is not None:
            low, high = (number(month[name], USD) for name in ("expected_low_usd", "expected_high_usd"))
            note += f" ({low} to {high} in 95 of 100 months)"
    return note if month["budget_usd"] is None else f"{note}; budget {number(month['budget_usd'], USD)}"


def _point(kind: str, at: date, value: float | None, tip: str) -> Row:
    return {"kind": kind, "day": at.isoformat(), "date": at, "value": value, "low": None, "high": None, "tip": tip}
