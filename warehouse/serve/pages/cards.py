"""The six numbers at the head of the overview, each with its n, its days, the period before, and its target."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from warehouse.serve.pages.measures import (
    FEW,
    SHARES,
    Definition,
    change,
    definitions,
    is_better,
    measure_rows,
    sample_size,
)
from warehouse.serve.pages.selection import Period, Reader, Row

COLUMNS = ("n_calls", "success_rate", "containment_rate", "cost_usd_per_success", "wait_p95_secs", "error_rate")
COVERAGES = {"success_rate": "success_coverage", "cost_usd_per_success": "cost_usd_coverage"}
"""Measures that are not over all conversations, and the share of these for which there is something to measure."""
NOTABLE = 0.1
"""Relative change of an amount from which it is mentioned; shares are compared with what chance gives."""
Z = 1.959963984540054
"""Standard errors that a change of a share has to exceed: 95 of 100 changes by chance are smaller."""


@dataclass(frozen=True, slots=True)
class Card:
    """A measure of the selection: value, n, difference to the period before, and its value on each day.

    ``days`` has every day of the period; a day without a value has None. ``coverage`` is a share of all conversations.
    """

    column: str
    definition: Definition
    value: float | None
    n: int
    previous: float | None
    previous_n: int
    days: tuple[tuple[date, float | None, int], ...]
    coverage: float | None = None
    target: float | None = None

    @property
    def change(self) -> float | None:
        """Value minus the value of the period before."""
        return change(self.value, self.previous)

    @property
    def is_notable(self) -> bool:
        """Whether the change says something: see the function of that name."""
        return is_notable(self.column, self.value, self.n, self.previous, self.previous_n)

    @property
    def is_better(self) -> bool | None:
        """Whether the change is for the better; None if there is none or no direction is good."""
        return is_better(self.change, self.definition.good)

    @property
    def is_uncertain(self) -> bool:
        """Whether it is taken over too few to say much."""
        return self.n < FEW


def cards(reader: Reader, days: Sequence[Row], *, targets: Mapping[str, float]) -> list[Card]:
    """The cards of a selection with its measures by day; ``targets`` by column, in the unit of the measure."""
    (now,) = measure_rows(reader)
    (before,) = measure_rows(reader, is_before=True)
    by_day = {row["key_0"]: row for row in days}
    defined = definitions(reader)
    return [
        replace(
            _card(reader.chosen.period, column, defined[column], now=now, before=before, by_day=by_day),
            target=targets.get(column),
        )
        for column in COLUMNS
    ]


def _card(
    period: Period, column: str, definition: Definition, *, now: Row, before: Row, by_day: dict[date, Row]
) -> Card:
    size = sample_size(column)
    days = (period.first + timedelta(days=number) for number in range(period.n_days))
    # without a conversation before, 0 conversations are not a comparison
    previous = before[column] if before["n_calls"] else None
    return Card(
        column=column,
        definition=definition,
        value=now[column],
        n=now[size],
        previous=previous,
        previous_n=before[size],
        days=tuple(_day(day, column, size, by_day.get(day)) for day in days),
        coverage=now[COVERAGES[column]] if column in COVERAGES else None,
    )


def _day(day: date, column: str, size: str, row: Row | None) -> tuple[date, float | None, int]:
    if row is None:
        return day, 0 if column == "n_calls" else None, 0
    return day, row[column], row[size]


def compared(column: str, value: float | None, n: int, previous: float | None, previous_n: int, *, good: str) -> Row:
    """A measure with its change against the period before, whether that is better, and whether it is notable."""
    difference = change(value, previous)
    return {
        "value": value,
        "change": difference,
        "is_better": is_better(difference, good),
        "is_notable": is_notable(column, value, n, previous, previous_n),
    }


def share_interval(n_successes: int, n: int) -> tuple[float, float] | None:
    """Wilson's 95 % confidence interval of a share, as in ``intermediate.int_agent_measures``; None of nothing."""
    if not n:
        return None
    middle, width = n_successes + Z**2 / 2, n + Z**2
    margin = Z * math.sqrt(n_successes * (n - n_successes) / n + Z**2 / 4)
    return max(0.0, (middle - margin) / width), min(1.0, (middle + margin) / width)


def is_notable(column: str, value: float | None, n: int, previous: float | None, previous_n: int) -> bool:
    """Whether a measure has changed by more than chance (a share: two-proportion z-test) or than ``NOTABLE``."""
    if value is None or previous is None or min(n, previous_n) < FEW:
        return False
    if column in SHARES:
        pooled = (value * n + previous * previous_n) / (n + previous_n)
        error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / previous_n))
        return abs(value - previous) > Z * error
    return previous != 0 and abs(value / previous - 1) >= NOTABLE
