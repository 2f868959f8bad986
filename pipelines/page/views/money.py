"""Money: by component, agent and model; the month's forecast; whether the bill adds up; cheaper models."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from pipelines.page import charts
from pipelines.page.chart import Chart
from pipelines.page.text import change, day, dollar_decimals, number, words
from pipelines.page.views.base import View, Visit, days_before, missing_before
from pipelines.page.views.blocks import Facts, Table
from pipelines.page.views.forecast import USD, forecast_charts
from warehouse.serve.pages import money
from warehouse.serve.pages.agents import cell
from warehouse.serve.pages.measures import change as measure_change
from warehouse.serve.pages.measures import measure_rows
from warehouse.serve.pages.selection import NONE
from warehouse.serve.value_format import plural

COMPONENT_NAMES = {
    "call": "Conversation time",
    "llm": "Language model",
    "platform_voice": "Voice",
    "platform_asr": "Speech recognition",
    "platform_text_message": "Text messages",
    "platform_reception": "Reception",
    "platform_silence": "Silence",
    "platform_burst": "Burst surcharge",
    "platform_other": "Other parts of the platform",
    "unexplained": "Unexplained",
}
COLOURS = {
    "call": "token:c1",
    "llm": "token:c2",
    "platform_voice": "token:c3",
    "platform_asr": "token:good",
    "platform_text_message": "token:c5",
    "platform_reception": "token:c6",
    "platform_silence": "token:c7",
    "platform_burst": "token:warn",
    "platform_other": "token:muted",
    "unexplained": "token:c4",
}
"""A component has its colour whatever the filter."""
MAX_PARTS = 6
"""Parts of a stack; the smallest, and components that are new to the API, are one more."""
REST, REST_COLOUR = "All other", "token:c8"


def build(visit: Visit) -> dict[str, Any]:
    """The values of the template."""
    (total,) = measure_rows(visit.reader, has_waits=False)
    charts_ = [_components(visit), *forecast_charts(visit)]
    return {
        "heading": "Money",
        "lede": _lede(total) + _change(visit),
        "n_calls": total["n_calls"],
        "blocks": [
            *charts_,
            _component_totals(visit, total),
            _models(visit),
            _agents(visit),
            _reconciliation(visit),
            _switches(visit),
        ],
        "charts": charts_,
    }


def _lede(total: dict[str, Any]) -> str:
    if total["cost_usd"] is None and total["cost_credits"] is None:
        return "No conversation of this filter has a known cost."
    if total["cost_usd"] is None:
        return (
            f"{number(total['cost_credits'], 'credits')} credits for {plural(total['n_calls'], 'conversation')}. "
            "The price of a credit in this plan is not known: the seed credits_per_usd has no rate for it."
        )
    text = (
        f"{number(total['cost_usd'], USD)} for {plural(total['n_calls'], 'conversation')}: "
        f"{number(total['cost_usd_per_call'], USD)} each"
    )
    text += (
        f", {number(total['cost_usd_per_success'], USD)} per success." if total["n_success"] else ", and no success."
    )
    if total["n_priced"] < total["n_calls"]:
        text += f" The cost of {total['n_calls'] - total['n_priced']:,} is not known and not in it."
    return text


def _change(visit: Visit) -> str:
    """How much more or less that is than in the period before, and whether through more of them or dearer ones."""
    parts = money.cost_change(visit.reader)
    if parts is None:
        return ""
    more = "more" if parts.difference > 0 else "less"
    decimals = dollar_decimals([parts.difference, parts.previous])
    return (
        f" That is {number(abs(parts.difference), USD)} {more} than in {days_before(visit)} "
        f"({number(parts.previous, USD)}): "
        f"{change(parts.by_number, USD, decimals)} through the number of conversations, "
        f"{change(parts.by_price, USD, decimals)} through "
        f"what one costs.{missing_before(visit)}"
    )


def _component_totals(visit: Visit, total: dict[str, Any]) -> Table:
    rows = money.component_totals(visit.reader)
    whole = total["cost_usd"] or 1
    decimals = dollar_decimals(row["cost_usd"] for row in rows)
    return Table(
        name="component_totals",
        title="By component",
        note="their sum is the cost; a component leads to the most expensive conversations",
        rows=[
            {
                "name": COMPONENT_NAMES.get(row["component"], words(row["component"])),
                "cost_usd": row["cost_usd"] or 0,
                "previous_cost_usd": row["previous_cost_usd"] or 0,
                "difference": change((row["cost_usd"] or 0) - (row["previous_cost_usd"] or 0), USD, decimals),
                "share": (row["cost_usd"] or 0) / whole,
                "url": visit.filter.url("/conversations", sort="cost"),
            }
            for row in rows
        ],
        columns={"name": ("component", "text"), "cost_usd": ("cost", USD), "share": ("of all", "share of 1")}
        | (
            {"previous_cost_usd": ("before", USD), "difference": ("change", "difference")}
            if visit.filter.selection.is_compared
            else {}
        ),
        metric="metrics.cost_daily.cost_usd",
        empty="No conversation of this filter has a known cost.",
    )


def amount(value: float | None, previous: float | None, visit: Visit) -> dict[str, Any]:
    """A cell of a cost with its change: a sum is neither better nor worse, as it follows the conversations."""
    is_compared = visit.filter.selection.is_compared
    difference = measure_change(value, previous or 0) if is_compared else None
    return {"value": value, "unit": USD, "change": difference, "is_better": None, "is_notable": False}


def price(row: dict[str, Any], previous: dict[str, Any], column: str) -> dict[str, Any]:
    """A cell of a cost per conversation or success with its change."""
    return {"unit": USD} | cell(column, row, previous, "low")


def _components(visit: Visit) -> Chart:
    rows = [row for row in money.components(visit.reader) if row["cost_usd"] is not None]
    totals: dict[str, float] = defaultdict(float)
    for row in rows:
        totals[row["component"]] += row["cost_usd"]
    largest = sorted(totals.keys() & COLOURS.keys(), key=lambda name: (-abs(totals[name]), name))[:MAX_PARTS]
    sums: dict[tuple[date, str], float] = defaultdict(float)
    for row in rows:
        name = COMPONENT_NAMES[row["component"]] if row["component"] in largest else REST
        sums[row["start_date"], name] += row["cost_usd"]
    names = [*(COMPONENT_NAMES[component] for component in largest), REST]
    colours = (*(COLOURS[component] for component in largest), REST_COLOUR)
    n_parts = len(largest) + (len(totals) > len(largest))
    return Chart(
        name="components",
        title="Cost by component",
        note="US dollars by day",
        spec=charts.stacked_days(USD, tuple(names[:n_parts]), colours[:n_parts]),
        rows=[
            {
                "day": start_date.isoformat(),
                "date": start_date,
                "series": name,
                "value": value,
                "y": names.index(name),
                "tip": f"{day(start_date)}, {name}: {number(value, USD)}",
                "url": visit.filter.day_url("/conversations", start_date, sort="cost"),
            }
            for (start_date, name), value in sorted(
                sums.items(), key=lambda item: (item[0][0], names.index(item[0][1]))
            )
        ],
        period=visit.filter.period,
        columns={"date": ("day", "date"), "series": ("component", "text"), "value": ("cost", USD)},
        metric="metrics.cost_daily.cost_usd",
    )


def _agents(visit: Visit) -> Table:
    rows = measure_rows(visit.reader, "agent_id", has_waits=False)
    before = {row["key_0"]: row for row in measure_rows(visit.reader, "agent_id", is_before=True, has_waits=False)}
    return Table(
        name="agents",
        title="By agent",
        note="cost of all finished conversations",
        rows=[
            row
            | {
                "agent": visit.agent(row["key_0"]),
                "cost": amount(row["cost_usd"], before.get(row["key_0"], {}).get("cost_usd"), visit),
                "each": price(row, before.get(row["key_0"], {}), "cost_usd_per_call"),
                "per_success": price(row, before.get(row["key_0"], {}), "cost_usd_per_success"),
                "url": visit.filter.url("/conversations", agent=row["key_0"] or NONE, sort="cost"),
            }
            for row in sorted(rows, key=lambda row: -(row["cost_usd"] or 0))
        ],
        columns={
            "agent": ("agent", "text"),
            "cost": ("cost", "change"),
            "n_calls": ("conversations", "count"),
            "each": ("each", "change"),
            "per_success": ("per success", "change"),
            "n_success": ("successes", "count"),
        },
        metric="metrics.agent_daily.cost_usd",
        wide=True,
    )


def _models(visit: Visit) -> Table:
    return Table(
        name="models",
        title="By language model",
        note="price of the paid tokens",
        rows=[
            row
            | {
                "model_name": row["model"] or "not given",
                "url": visit.filter.url("/conversations", model=row["model"] or NONE, sort="cost"),
            }
            for row in money.models(visit.reader)
        ],
        columns={
            "model_name": ("model", "text"),
            "llm_cost_usd": ("cost", USD),
            "n_calls": ("conversations", "count"),
            "input_tokens": ("tokens read", "count"),
            "cached_tokens": ("from cache", "count"),
            "output_tokens": ("written", "count"),
        },
        metric="metrics.llm_cost.llm_cost_usd",
        empty="No conversation says which model it used.",
    )


def _reconciliation(visit: Visit) -> Facts:
    row = money.reconciliation(visit.reader)
    credits_text = (
        "all add up"
        if not row["n_cost_differences"]
        else f"{row['n_cost_differences']:,} do not add up, {row['unexplained_credits']:,} credits unexplained"
    )
    llm_text = (
        "all agree"
        if not row["n_llm_differences"]
        else f"{row['n_llm_differences']:,} differ, by {number(row['unexplained_llm_usd'], USD)} together"
    )
    return Facts(
        name="reconciliation",
        title="Does the bill add up?",
        note="over all finished conversations of these days, whatever the agent",
        wide=True,
        rows=[
            ("Cost against its parts", f"{plural(row['n_cost_compared'], 'conversation')} compared: {credits_text}"),
            ("Model price against tokens", f"{row['n_llm_compared']:,} compared: {llm_text}"),
            ("Without parts", f"{plural(row['n_cost_alone'], 'conversation')} with a cost and none of its parts"),
            *map(_bill, money.bills(visit.reader)),
        ],
    )


def _bill(row: dict[str, Any]) -> tuple[str, str]:
    unit = row["bill_unit"]
    billed, cost, rest = (
        "unknown" if row[name] is None else f"{row[name]:,.{0 if unit == 'credits' else 2}f} {unit}"
        for name in ("billed_amount", "conversations_amount", "unexplained_amount")
    )
    text = (
        f"{billed} billed for agents on {plural(row['n_days'], 'day')}, {cost} in conversations, a difference of {rest}"
    )
    if row["n_unexplained_days"]:  # their differences can have different signs, and add up to nothing
        days_text = plural(row["n_unexplained_days"], "day")
        text += f"; on {days_text} the two differ: {'; '.join(row['explanations'])}"
    return "The vendor's bill", text if row["is_complete"] else f"{text}; the newest day was not over yet"


def _switches(visit: Visit) -> Table:
    return Table(
        name="switches",
        title="Cheaper models",
        note="the last 30 days, both models at the vendor's estimates, not at the price paid; no word on quality",
        rows=[
            row | {"agent": visit.agent(row["agent_id"]), "url": visit.filter.url("/agents", agent=row["agent_id"])}
            for row in money.cheaper_models(visit.reader)
        ],
        columns={
            "agent": ("agent", "text"),
            "main_model": ("model now", "text"),
            "model": ("another", "text"),
            "estimated_now_usd": ("estimate now", USD),
            "estimated_usd": ("instead", USD),
            "estimated_saving_usd": ("saving", USD),
        },
        metric="metrics.llm_switch.estimated_saving_usd",
        wide=True,
        empty="No model is cheaper, or no prices were requested: `convohouse prices`.",
    )


VIEW = View("Money", "/money", "blocks.html", build)
