"""Data health: is everything here, what is in quarantine, what is new, what did the last runs do."""

from __future__ import annotations

from typing import Any

from pipelines.page import charts
from pipelines.page.chart import Chart, Columns
from pipelines.page.text import day, words
from pipelines.page.views.base import View, Visit, conversation_url
from pipelines.page.views.blocks import Table
from warehouse.serve.pages import health

CHART_DAYS = 90
STATES = {
    "n_settled": "settled",
    "n_settling": "settling",
    "n_open": "open",
    "n_quarantined": "quarantined",
    "n_missing": "missing",
}

DAY_COUNTS = {
    "n_listed": "listed",
    "n_detailed": "fetched",
    "n_flattened": "flattened",
    "n_in_mart": "in the mart",
    "n_deleted": "deleted at the API",
    "n_quarantined": "quarantined",
    "n_missing": "missing",
}
RUN_COUNTS = {"n_listed": "listed", "n_fetched": "fetched", "n_landed": "landed", "n_gone": "deleted"}


def _workspace(visit: Visit) -> Columns:
    """The column of the workspace, in a table of rows that are of one, if there are several."""
    return {"workspace": ("workspace", "text")} if len(visit.status.workspaces) > 1 else {}


def _counts(headings: dict[str, str]) -> Columns:
    return {column: (heading, "count") for column, heading in headings.items()}


def build(visit: Visit) -> dict[str, Any]:
    """The values of the template."""
    days = health.days(visit.reader)
    chart = _states(days[:CHART_DAYS])
    return {
        "heading": "Data health",
        "lede": "",
        "n_calls": len(days),
        "blocks": [chart, _runs(visit), _days(days), _quarantine(visit), _drift(visit)],
        "charts": [chart],
    }


def _states(days: list[dict[str, Any]]) -> Chart:
    names = tuple(name for column, name in STATES.items() if any(row[column] for row in days))
    return Chart(
        name="states",
        title="Conversations by state",
        note="settled: fetched for the last time; settling: fetched again later, as they can still change",
        spec=charts.stacked_days("count", names),
        rows=[
            {
                "day": row["start_date"].isoformat(),
                "date": row["start_date"],
                "series": name,
                "value": row[column],
                "y": names.index(name),
                "tip": f"{day(row['start_date'])}: {row[column]:,} {name} of {row['n_listed']:,} listed",
                "url": f"/conversations?from={row['start_date']}&to={row['start_date']}",
            }
            for row in days
            for column, name in STATES.items()
            if row[column]
        ],
        columns={},
        metric="metrics.sync_health.n_missing",
    )


def _days(days: list[dict[str, Any]]) -> Table:
    return Table(
        name="days",
        title="From the list to the mart",
        note="conversations by UTC day; what is listed and nowhere else is missing",
        rows=[
            row | {"url": f"/conversations?from={row['start_date']}&to={row['start_date']}"}
            for row in days[:CHART_DAYS]
        ],
        columns={"start_date": ("day", "date")} | _counts(DAY_COUNTS),
        metric="metrics.sync_health.n_missing",
        wide=True,
        empty="Nothing was listed yet.",
    )


def _quarantine(visit: Visit) -> Table:
    return Table(
        name="quarantine",
        title="Quarantine",
        note="documents that could not be read; `convohouse retry` tries them again",
        rows=[row | {"reason": words(row["reason"]), "url": None} for row in health.quarantine(visit.reader)],
        columns={"conversation_id": ("conversation", "text")}
        | _workspace(visit)
        | {"fetched_at": ("fetched", "moment"), "reason": ("reason", "text"), "error": ("error", "prose")},
        empty="The quarantine is empty.",
    )


def _drift(visit: Visit) -> Table:
    return Table(
        name="drift",
        title="New to the schema",
        note="kept in `extra`, and in no column yet",
        rows=[
            row | {"url": conversation_url(visit, row["example_id"]) if row["example_id"] else None}
            for row in health.drift(visit.reader)
        ],
        columns={"path": ("JSON path", "text")}
        | _workspace(visit)
        | {
            "value": ("value", "text"),
            "n_conversations": ("conversations", "count"),
            "first_seen_at": ("first seen", "moment"),
            "last_seen_at": ("last seen", "moment"),
        },
        empty="The schema knows everything that the API sent.",
    )


def _runs(visit: Visit) -> Table:
    return Table(
        name="runs",
        title="Last runs",
        note="",
        rows=[row | {"url": None, "error": row["error"] or ""} for row in health.runs(visit.reader)],
        columns={"started_at": ("started", "moment")}
        | _workspace(visit)
        | {"outcome": ("outcome", "words")}
        | _counts(RUN_COUNTS)
        | {"elapsed_secs": ("took", "duration"), "error": ("problem", "prose")},
        empty="No run has ended yet.",
    )


VIEW = View("Data", "/data", "blocks.html", build, has_filter=False)
