"""Speed: waits, the stages that take the time, the hours, and where callers leave."""

from __future__ import annotations

from typing import Any

from pipelines.page import charts
from pipelines.page.chart import Chart, in_one_format, largest_labels
from pipelines.page.palette import CATEGORIES
from pipelines.page.text import WEEKDAYS, day, number
from pipelines.page.views.base import View, Visit, conversation_url
from pipelines.page.views.blocks import Quotes
from warehouse.serve.pages import speed
from warehouse.serve.pages.measures import measure_rows
from warehouse.serve.pages.selection import NONE

SECONDS = "seconds"
PERCENTILES = {"wait_p50_secs": "median", "wait_p90_secs": "90th percentile", "wait_p95_secs": "95th percentile"}
STAGES = {
    "recognition": "speech recognition",
    "retrieval": "retrieval",
    "model": "model, to its first sentence",
    "voice": "voice",
}
STAGE_COLOURS = dict(zip(STAGES, CATEGORIES, strict=False))


def build(visit: Visit) -> dict[str, Any]:
    """The values of the template."""
    (total,) = measure_rows(visit.reader)
    charts_ = [*in_one_format(_waits(visit), _stages(visit)), _hours(visit), _drop_off(visit)]
    lede = (
        f"Half of {total['n_waits']:,} waits were over after {number(total['wait_p50_secs'], SECONDS)}, "
        f"19 of 20 after {number(total['wait_p95_secs'], SECONDS)}."
        if total["n_waits"]
        else "No wait was measured: text chats have none."
    )
    shares = [
        f"{number(row['within_rate'], 'share of 1')} within {number(row['value'], SECONDS)}"
        for row in speed.within(visit.reader)
    ]
    if shares:
        lede += f" {', '.join(shares)}."
    return {
        "heading": "Speed",
        "lede": lede,
        "n_calls": total["n_calls"],
        "blocks": [*charts_, _slowest(visit)],
        "charts": charts_,
    }


def _waits(visit: Visit) -> Chart:
    rows = [row for row in measure_rows(visit.reader, "start_date") if row["n_waits"]]
    return Chart(
        name="waits",
        title="Waits by day",
        note="seconds from the end of the caller's words until the agent speaks",
        spec=charts.lines(SECONDS, tuple(PERCENTILES.values())),
        rows=[
            {
                "day": row["key_0"].isoformat(),
                "date": row["key_0"],
                "series": name,
                "value": row[column],
                "n": row["n_waits"],
                "tip": f"{day(row['key_0'])}, {name}: {number(row[column], SECONDS)}, n {row['n_waits']:,}",
                "url": visit.filter.day_url("/conversations", row["key_0"], sort="wait"),
            }
            for row in rows
            for column, name in PERCENTILES.items()
        ],
        period=visit.filter.period,
        columns={
            "date": ("day", "date"),
            "series": ("percentile", "text"),
            "value": ("wait", SECONDS),
            "n": ("waits", "count"),
        },
        metric="metrics.agent_daily.wait_p95_secs",
    )


def _stages(visit: Visit) -> Chart:
    rows = [row for row in speed.stages(visit.reader) if row["mean_secs"] is not None]
    stages = [stage for stage in STAGES if any(row["stage"] == stage for row in rows)]
    names, colours = tuple(map(STAGES.__getitem__, stages)), tuple(map(STAGE_COLOURS.__getitem__, stages))
    sizes = {visit.agent(row["agent_id"]): row["n"] for row in sorted(rows, key=lambda row: row["n"])}
    labels, left_out = largest_labels(sizes)
    return Chart(
        name="stages",
        title="Where the time goes",
        note=f"mean seconds of each stage, over the answers that have it{left_out}",
        spec=charts.bars(SECONDS, len(labels), names, colours),
        labels=labels,
        rows=[
            {
                "label": visit.agent(row["agent_id"]),
                "series": STAGES[row["stage"]],
                "value": row["mean_secs"],
                "y": names.index(STAGES[row["stage"]]),
                "n": row["n"],
                "tip": f"{visit.agent(row['agent_id'])}, {STAGES[row['stage']]}: {number(row['mean_secs'], SECONDS)}, "
                f"n {row['n']:,}",
                "url": visit.filter.url("/conversations", agent=row["agent_id"] or NONE, sort="wait"),
            }
            for row in sorted(rows, key=lambda row: (visit.agent(row["agent_id"]), names.index(STAGES[row["stage"]])))
        ],
        columns={
            "label": ("agent", "text"),
            "series": ("stage", "text"),
            "value": ("mean", SECONDS),
            "n": ("answers", "count"),
        },
        metric="metrics.latency_stages.latency_p50_secs",
    )


def _hours(visit: Visit) -> Chart:
    hours = tuple(f"{hour}" for hour in range(24))
    rows = speed.by_hour(visit.reader)
    return Chart(
        name="hours",
        title="Waits by weekday and hour",
        note="95th percentile, in the workspace's time zone; pale: fewer than 20 waits",
        spec=charts.heat_map(hours, len({row["weekday"] for row in rows}), share=False, good="low"),
        rows=[
            {
                "label": _weekday(row),
                "x": f"{row['hour']}",
                "value": row["wait_p95_secs"],
                "n": row["n_waits"],
                "tip": f"{_weekday(row)} {row['hour']}:00: {number(row['wait_p95_secs'], SECONDS)}, "
                f"n {row['n_waits']:,}",
                "url": visit.filter.url("/conversations", weekday=row["weekday"], hour=row["hour"], sort="wait"),
            }
            for row in rows
        ],
        columns={
            "label": ("weekday", "text"),
            "x": ("hour", "text"),
            "value": ("95th percentile", SECONDS),
            "n": ("waits", "count"),
        },
        metric="metrics.agent_daily.wait_p95_secs",
    )


def _weekday(row: dict[str, Any]) -> str:
    return "all days" if row["weekday"] is None else WEEKDAYS[row["weekday"] - 1]


def _drop_off(visit: Visit) -> Chart:
    rows = speed.drop_off(visit.reader)
    sizes = {row["agent_id"]: row["n_started"] for row in rows}
    largest = sorted(sizes, key=lambda agent_id: (-sizes[agent_id], agent_id or ""))[: len(CATEGORIES)]
    left_out = f"; the {len(largest)} largest of {len(sizes)} agents" if len(largest) < len(sizes) else ""
    return Chart(
        name="drop_off",
        title="How far conversations get",
        note=f"share of conversations that reach a spoken turn, of those in which somebody spoke{left_out}",
        spec=charts.positions("share of 1", "spoken turn"),
        rows=[
            {
                "series": visit.agent(row["agent_id"]),
                "x": row["position"],
                "value": row["survival_rate"],
                "n": row["n_started"],
                "tip": f"{visit.agent(row['agent_id'])}: {row['n_calls']:,} of {row['n_started']:,} reach "
                f"turn {row['position']}",
            }
            for row in rows
            if row["agent_id"] in largest
        ],
        columns={
            "series": ("agent", "text"),
            "x": ("turn", "count"),
            "value": ("share", "share of 1"),
            "n": ("conversations", "count"),
        },
        metric="metrics.conversation_flow.survival_rate",
    )


def _slowest(visit: Visit) -> Quotes:
    return Quotes(
        name="slowest",
        title="The longest waits",
        note="one line per conversation",
        rows=[
            {
                "title": f"{number(row['longest_wait_secs'], SECONDS)}: {row['summary_title'] or 'without a title'}",
                "detail": f"{visit.agent(row['agent_id'])}, {day(row['started_at'].date())}; "
                f"{row['n_slow_waits']:,} over {row['slow_wait_secs']:g} s",
                "text": "",
                "url": conversation_url(visit, row["conversation_id"]),
            }
            for row in speed.slowest(visit.reader)
        ],
    )


VIEW = View("Speed", "/speed", "blocks.html", build)
