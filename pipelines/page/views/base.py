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
