"""Agents: the scorecard, and the versions of each."""

from __future__ import annotations

from typing import Any

from pipelines.page.filter import ALL_CONVERSATIONS
from pipelines.page.text import number
from pipelines.page.views.base import View, Visit
from pipelines.page.views.blocks import Table
from pipelines.page.views.overview import MEASURE_LINKS
from warehouse.serve.pages import agents
from warehouse.serve.pages.measures import SHARES, definitions, sample_size
from warehouse.serve.pages.selection import NONE
from warehouse.serve.pages.status import version_label

SHARE = "share of 1"
MEASURE_NAMES = {
    "success_rate": "success",
    "containment_rate": "containment",
    "cost_usd_per_call": "cost per conversation",
    "wait_mean_secs": "mean wait",
}


SCORECARD_HEADINGS = {
    "n_calls": "conversations",
    "success_rate": "success",
    "containment_rate": "containment",
    "error_rate": "errors",
    "abandonment_rate": "abandoned",
    "transfer_rate": "transferred",
    "wait_p95_secs": "wait p95",
    "cost_usd_per_call": "cost each",
    "cost_usd_per_success": "per success",
    "rating": "rating",
}
"""The headings of ``agents.COLUMNS``, those of the versions below."""


def build(visit: Visit) -> dict[str, Any]:
    """The values of the template."""
    rows = agents.scorecard(visit.reader)
    return {
        "heading": "Agents",
        "lede": "Arrows compare with the period before; a change beyond chance says better or worse, in colour."
        if visit.filter.selection.is_compared
        else "",
        "n_calls": sum(row["n_calls"] for row in rows),
        "blocks": [_scorecard(visit, rows), _versions(visit), _experiments(visit)],
        "charts": [],
    }


def _scorecard(visit: Visit, rows: list[dict[str, Any]]) -> Table:
    defined = definitions(visit.reader)
    return Table(
        name="scorecard",
        title="Scorecard",
        note="grey: over fewer than 20",
        rows=[
            {
                "agent": visit.agent(row["agent_id"]),
                "url": visit.filter.url("/", agent=row["agent_id"] or NONE),
                **{
                    column: cell
                    | {
                        "unit": defined[column].unit,
                        "url": visit.filter.url(
                            "/conversations", agent=row["agent_id"] or NONE, **MEASURE_LINKS.get(column, {})
                        ),
                    }
                    for column, cell in row["cells"].items()
                },
            }
            for row in rows
        ],
        columns={"agent": ("agent", "text")}
        | {column: (heading, "change") for column, heading in SCORECARD_HEADINGS.items()},
        metric="metrics.agent_scorecard.success_rate",
        wide=True,
    )


def _versions(visit: Visit) -> Table:
    rows = agents.versions(visit.reader)
    return Table(
        name="versions",
        title="Versions",
        note="conversations of this filter; the range is the 95 % interval of success",
        rows=[
            row
            | {
                "agent": visit.agent(row["agent_id"]),
                "version": version_label(
                    row["version_id"], row["first_call_at"].date() if row["first_call_at"] else None
                ),
                "range": " to ".join(number(end, SHARE) for end in row["success_interval"] or ()),
                "sizes": {column: row[sample_size(column)] for column in row if column in SHARES},
                "url": visit.filter.url("/", agent=row["agent_id"] or NONE, version=row["version_id"] or NONE),
            }
            for row in rows
        ],
        columns={
            "version": ("version", "text"),
            "agent": ("agent", "text"),
            "n_calls": ("conversations", "count"),
            "success_rate": ("success", SHARE),
            "n_judged": ("judged", "count"),
            "range": ("range", "text"),
            "containment_rate": ("containment", SHARE),
            "error_rate": ("errors", SHARE),
            "wait_p95_secs": ("wait p95", "seconds"),
            "cost_usd_per_call": ("cost each", "US dollars"),
            "cost_usd_per_success": ("per success", "US dollars"),
        },
        metric="metrics.version_comparison.success_rate",
        wide=True,
    )


def _experiments(visit: Visit) -> Table:
    return Table(
        name="experiments",
        title="Versions and branches side by side",
        note="only those that were active at the same time, over all their days; each row is a separate test",
        rows=[
            row
            | {
                "agent": visit.agent(row["agent_id"]),
                "variants": f"{row['variant_kind']} …{row['variant_a'][-4:]} (A), …{row['variant_b'][-4:]} (B)",
                "name": MEASURE_NAMES.get(row["measure"], row["measure"]),
                "url": visit.filter.url("/", agent=row["agent_id"] or NONE, days="all", **ALL_CONVERSATIONS),
            }
            for row in agents.experiments(visit.reader)
        ],
        columns={
            "agent": ("agent", "text"),
            "variants": ("variants", "text"),
            "name": ("measure", "text"),
            "finding": ("finding", "prose"),
            "n_observations_a": ("n of A", "count"),
            "n_observations_b": ("n of B", "count"),
        },
        metric="metrics.experiments.difference",
        wide=True,
        empty="No two versions or branches were active at the same time.",
    )


VIEW = View("Agents", "/agents", "blocks.html", build)
