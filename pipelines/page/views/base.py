"""What a page is: its address, its template, and a function from a visit to the values of the template."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pipelines.page.filter import Filter
from pipelines.page.text import day, number
from warehouse.serve.pages.selection import Reader
from warehouse.serve.pages.status import Choices, DataStatus
from warehouse.storage.home import Home


@dataclass(frozen=True, slots=True)
class Visit:
    """One request for a page: the open warehouse, the filter, what it offers, and the parts of the path."""

    home: Home
    reader: Reader
    filter: Filter
    choices: Choices
    status: DataStatus
    path: dict[str, str]

    def agent(self, agent_id: str | None) -> str:
        """The name of an agent."""
        return self.choices.agents.get(agent_id or "", agent_id or "agent not given")


@dataclass(frozen=True, slots=True)
class View:
    """A page; ``has_filter`` says whether its numbers are of a selection of conversations."""

    name: str
    path: str
    template: str
    build: Callable[[Visit], dict[str, Any]]
    has_filter: bool = True


def conversation_url(visit: Visit, conversation_id: str) -> str:
    """The page of a conversation, which keeps the filter for the pages after it."""
    return visit.filter.url(f"/conversations/{quote(conversation_id, safe='')}")


def days_before(visit: Visit) -> str:
    """The period before, in words."""
    n_days = visit.filter.period.n_days
    return "the day before" if n_days == 1 else f"the {n_days} days before"


def missing_before(visit: Visit) -> str:
    """A sentence that the data do not reach back to all of the period before; empty if they do."""
    previous, first_date = visit.filter.selection.previous, visit.status.first_date
    if not previous or not first_date or not previous.first < first_date <= previous.last:
        return ""
    return f" The data begins on {day(first_date)}, so {days_before(visit)} are incomplete."


def day_rows(
    visit: Visit, rows: list[dict[str, Any]], column: str, size: str, unit: str, **changes: object
) -> list[dict[str, Any]]:
    """Rows of measures by day as those of a chart: each leads to the day's conversations."""
    return [
        {
            "day": row["key_0"].isoformat(),
            "date": row["key_0"],
            "value": row[column],
            "n": row[size],
            "url": visit.filter.day_url("/conversations", row["key_0"], **changes),
            "tip": f"{day(row['key_0'])}: {number(row[column], unit)}, n {row[size]:,}",
        }
        for row in rows
        if row[column] is not None
    ]
