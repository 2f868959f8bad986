"""Outcomes: what became of conversations, criteria with rationales, who comes back, how conversations end."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pipelines.page import charts
from pipelines.page.chart import Chart, in_one_format, largest_labels
from pipelines.page.palette import CATEGORIES
from pipelines.page.text import day, number, words
from pipelines.page.views.base import View, Visit, conversation_url
from pipelines.page.views.blocks import Facts, Quotes, Table
from warehouse.serve.pages import outcomes
from warehouse.serve.pages.conversations import OUTCOMES
from warehouse.serve.pages.measures import measure_rows
from warehouse.serve.pages.selection import NONE
from warehouse.serve.value_format import plural

SHARE = "share of 1"
COLOURS = {"cut_off": "token:ink"} | dict(
    zip((outcome for outcome in OUTCOMES if outcome != "cut_off"), CATEGORIES, strict=True)
)
"""Of each outcome, the same for every filter; there is one more than there are categories."""


def build(visit: Visit) -> dict[str, Any]:
    """The values of the template."""
    (total,) = measure_rows(visit.reader, has_waits=False)
    charts_ = in_one_format(_by_day(visit), _criteria(visit))
    return {
        "heading": "Outcomes",
        "lede": _lede(total),
        "n_calls": total["n_calls"],
        "blocks": [*charts_, _failures(visit), _returns(visit), _terminations(visit)],
        "charts": charts_,
    }


def _lede(total: dict[str, Any]) -> str:
    if not total["n_calls"]:
        return ""
    text = f"{total['n_reached']:,} of {plural(total['n_calls'], 'conversation')} reached somebody"
    if total["n_reached"]:
        text += f", and {number(total['containment_rate'], SHARE)} of these were served to their end without a human"
    if not total["n_judged"]:
        return f"{text}. None of all was judged."
    success = number(total["success_rate"], SHARE)
    verb, noun = ("was", "it") if total["n_judged"] == 1 else ("were", "them")
    return f"{text}. Of all, {total['n_judged']:,} {verb} judged, and {success} of {noun} succeeded."


def _by_day(visit: Visit) -> Chart:
    rows = outcomes.outcomes_by_day(visit.reader)
    names = tuple(name for name in OUTCOMES if any(row["outcome"] == name for row in rows))
    totals: dict[Any, int] = {}
    for row in rows:
        totals[row["start_date"]] = totals.get(row["start_date"], 0) + row["n_calls"]
    return Chart(
        name="outcomes",
        title="Outcomes by day",
        note="finished conversations",
        spec=charts.stacked_days("count", tuple(map(words, names)), tuple(COLOURS[name] for name in names)),
        rows=[
            {
                "day": row["start_date"].isoformat(),
                "date": row["start_date"],
                "series": words(row["outcome"]),
                "value": row["n_calls"],
                "y": names.index(row["outcome"]),
                "tip": f"{day(row['start_date'])}: {row['n_calls']:,} {words(row['outcome'])}, "
                f"{number(row['n_calls'] / totals[row['start_date']], SHARE)} of {totals[row['start_date']]:,}",
                "url": visit.filter.day_url("/conversations", row["start_date"], outcome=row["outcome"]),
            }
            for row in rows
        ],
        period=visit.filter.period,
        columns={"date": ("day", "date"), "series": ("outcome", "text"), "value": ("conversations", "count")},
        metric="metrics.agent_daily.n_calls",
    )


def _criteria(visit: Visit) -> Chart:
    rows = [row for row in outcomes.criteria(visit.reader) if row["success_rate"] is not None]
    names = tuple(dict.fromkeys(words(row["criteria_id"]) for row in sorted(rows, key=lambda row: row["criteria_id"])))
    sizes = Counter[str]()
    for row in rows:
        sizes[visit.agent(row["agent_id"])] += row["n_judged"]
    labels, left_out = largest_labels(sizes)
    return Chart(
        name="criteria",
        title="Your criteria, by agent",
        note=f"share of success among the judged; pale: fewer than 20{left_out}",
        spec=charts.heat_map(names, len(labels), is_labelled=True),
        labels=labels,
        rows=[
            {
                "label": visit.agent(row["agent_id"]),
                "x": words(row["criteria_id"]),
                "value": row["success_rate"],
                "n": row["n_judged"],
                "n_failure": row["n_failure"],
                "text": f"{row['success_rate'] * 100:.0f} %",
                "tip": f"{words(row['criteria_id'])}, {visit.agent(row['agent_id'])}: "
                f"{number(row['success_rate'], SHARE)} of {row['n_judged']:,}, {row['n_failure']:,} failed",
                "url": visit.filter.url(
                    "/conversations",
                    agent=row["agent_id"] or NONE,
                    criterion=row["criteria_id"],
                    result=None if row["n_failure"] else "success",
                ),
            }
            for row in rows
        ],
        columns={
            "label": ("agent", "text"),
            "x": ("criterion", "text"),
            "value": ("success", SHARE),
            "n": ("judged", "count"),
            "n_failure": ("failed", "count"),
        },
        metric="metrics.evaluation_rates.success_rate",
    )


def _failures(visit: Visit) -> Quotes:
    return Quotes(
        name="failures",
        title="Why criteria failed",
        note="the newest, in the judge's words",
        rows=failed_conversations(visit),
    )


def failed_conversations(visit: Visit) -> list[dict[str, Any]]:
    """The newest failed criteria as quotations."""
    return [
        {
            "title": f"{words(row['criteria_id'])}: {row['summary_title'] or 'conversation'}",
            "detail": f"{visit.agent(row['agent_id'])}, {day(row['started_at'].date())}",
            "text": row["rationale"],
            "url": conversation_url(visit, row["conversation_id"]),
        }
        for row in outcomes.failures(visit.reader)
    ]


def _returns(visit: Visit) -> Facts:
    row = outcomes.returns(visit.reader)
    note = "callers with a known number or id, on days long enough ago; a caller on two days counts on both"
    if not visit.filter.selection.is_all_conversations:
        note += "; of all conversations, whatever the channel, language and version"

    def share_of(share: str, n: str, noun: str = "conversation") -> str:
        return f"{number(row[share], SHARE)} of {plural(row[n], noun)}"

    reached = plural(row["n_reached"], "conversation")
    return Facts(
        name="returns",
        title="Who comes back",
        note=note,
        rows=[
            (
                "First-contact resolution: a success, and no other within 7 days",
                share_of("first_contact_resolution_rate", "n_resolvable"),
            ),
            ("Back within a day", share_of("return_1d_rate", "n_callers_1d", "caller")),
            ("Back within 7 days", share_of("return_7d_rate", "n_callers_7d", "caller")),
            ("Caller known", f"{row['n_known_calls']:,} of {reached} that reached somebody"),
        ],
    )


def _terminations(visit: Visit) -> Table:
    return Table(
        name="terminations",
        title="How conversations end",
        note="by the group of their reason",
        rows=[
            row
            | {
                "group": words(row["termination_group"]),
                "bar": float(row["share"]),
                "n": row["n_judged"],
                "url": visit.filter.url("/conversations", termination=row["termination_group"]),
            }
            for row in outcomes.terminations(visit.reader)
        ],
        columns={
            "group": ("ended by", "text"),
            "bar": ("", "bar"),
            "n_calls": ("conversations", "count"),
            "share": ("share", SHARE),
            "success_rate": ("success", SHARE),
            "n_judged": ("judged", "count"),
        },
        metric="metrics.termination_reasons.termination_rate",
    )


VIEW = View("Outcomes", "/outcomes", "blocks.html", build)
