"""Tools: which fail, how, when, and since which change."""

from __future__ import annotations

import json
from typing import Any

from pipelines.page import charts
from pipelines.page.chart import Chart
from pipelines.page.text import number, words
from pipelines.page.views.base import View, Visit
from pipelines.page.views.blocks import Table
from warehouse.serve.pages import tools
from warehouse.serve.pages.cards import compared
from warehouse.serve.pages.selection import NONE
from warehouse.serve.value_format import plural

SHARE, SECONDS = "share of 1", "seconds"
MAX_TOOLS = 10
"""Rows of the heat map: the tools with most errors."""


def build(visit: Visit) -> dict[str, Any]:
    """The values of the template."""
    rows = tools.tools(visit.reader)
    n_errors, n_answered = (sum(row[name] for row in rows) for name in ("n_errors", "n_answered"))
    chart = _hours(visit, [row["tool_name"] for row in rows if row["n_errors"]][:MAX_TOOLS])
    (n_calls,) = visit.reader.row("select count(*) as n from conversations").values()
    return {
        "heading": "Tools",
        "lede": f"{n_errors:,} of {plural(n_answered, 'answered tool call')} failed "
        f"({number(n_errors / n_answered, SHARE)})."
        if n_answered
        else "No tool was called.",
        "n_calls": n_calls,
        "blocks": [_tools(visit, rows), chart, _errors(visit), *_unused(visit)],
        "charts": [chart],
    }


def _tools(visit: Visit, rows: list[dict[str, Any]]) -> Table:
    return Table(
        name="tools",
        title="Tools",
        note="errors among answered calls, with the change against the period before; most errors first",
        rows=[
            row
            | {
                "tool_name": row["tool_name"] or "not given",
                "errors": _rate(row),
                "n": row["n_answered"],
                "url": visit.filter.url("/conversations", **_calls(row)),
            }
            for row in rows
        ],
        columns={
            "tool_name": ("tool", "text"),
            "tool_type": ("type", "words"),
            "n_tool_calls": ("calls", "count"),
            "n_calls": ("conversations", "count"),
            "n_errors": ("errors", "count"),
            "errors": ("error rate", "change"),
            "n_timeouts": ("timeouts", "count"),
            "n_unanswered": ("no result", "count"),
            "latency_p50_secs": ("median", SECONDS),
            "latency_p95_secs": ("p95", SECONDS),
            "response_timeout_secs": ("limit", SECONDS),
            "changed_at": ("definition changed", "moment"),
        },
        metric="metrics.tool_reliability.error_rate",
        wide=True,
        empty="No tool was called in these conversations.",
    )


def _calls(row: dict[str, Any]) -> dict[str, object]:
    """The conversations of a row: those in which the tool failed, or if it never did, in which it was called."""
    return {"tool_error" if row["n_errors"] else "tool": row["tool_name"] or NONE}


def _rate(row: dict[str, Any]) -> dict[str, Any]:
    n, before, previous_n = row["n_answered"], row["previous_error_rate"], row["previous_n_answered"] or 0
    return {"unit": SHARE} | compared("error_rate", row["error_rate"], n, before, previous_n, good="low")


def _hours(visit: Visit, names: list[str]) -> Chart:
    rows = [row for row in tools.by_hour(visit.reader) if row["tool_name"] in names]
    return Chart(
        name="tool_hours",
        title="Errors by hour",
        note="share of answered calls that failed, by local hour of the conversation; pale: fewer than 20 calls",
        spec=charts.heat_map(tuple(f"{hour}" for hour in range(24)), len(names), good="low"),
        rows=[
            {
                "label": row["tool_name"] or "not given",
                "x": f"{row['hour']}",
                "value": row["error_rate"],
                "n": row["n_answered"],
                "tip": f"{row['tool_name'] or 'not given'}, {row['hour']}:00: {number(row['error_rate'], SHARE)} "
                f"of {row['n_answered']:,}",
                "url": visit.filter.url("/conversations", **_calls(row), hour=row["hour"]),
            }
            for row in sorted(rows, key=lambda row: (names.index(row["tool_name"]), row["hour"]))
        ],
        columns={"label": ("tool", "text"), "x": ("hour", "text"), "value": ("errors", SHARE), "n": ("calls", "count")},
        metric="metrics.tool_reliability.error_rate",
    )


def _errors(visit: Visit) -> Table:
    return Table(
        name="errors",
        title="Errors by type",
        note="with the most frequent message",
        rows=[
            row
            | {
                "tool_name": row["tool_name"] or "not given",
                "type": words(row["error_type"]),
                "message": message(row["message"]),
                "url": visit.filter.url(
                    "/conversations", tool_error=row["tool_name"] or NONE, error_type=row["error_type"]
                ),
            }
            for row in tools.errors(visit.reader)
        ],
        columns={
            "tool_name": ("tool", "text"),
            "type": ("type", "text"),
            "n_errors": ("errors", "count"),
            "message": ("message", "prose"),
        },
        empty="No tool failed.",
    )


def message(text: str | None) -> str:
    """What an error says: of a result that is a JSON object, its error and the details of it."""
    try:
        result = json.loads(text or "")
    except ValueError:
        return text or ""
    parts = [result.get(name) for name in ("error", "message", "details")] if isinstance(result, dict) else []
    return ": ".join(part for part in parts if isinstance(part, str) and part) or text or ""


def _unused(visit: Visit) -> list[Table]:
    rows = [row | {"url": None} for row in tools.unused(visit.reader)]
    if not rows:
        return []
    table = Table(
        name="unused",
        title="Never called",
        note="tools that the account has and no conversation ever called",
        rows=rows,
        columns={
            "tool_name": ("tool", "text"),
            "tool_type": ("type", "words"),
            "first_seen_at": ("first seen", "moment"),
        },
    )
    return [table]


VIEW = View("Tools", "/tools", "blocks.html", build)
