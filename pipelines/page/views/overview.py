"""The overview: is it going well, what changed, where to look."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from pipelines.page import charts
from pipelines.page.chart import Chart
from pipelines.page.filter import ALL_CONVERSATIONS
from pipelines.page.text import change, day, length, number, words
from pipelines.page.views.base import View, Visit, conversation_url, day_rows, days_before, missing_before
from warehouse.serve.pages.cards import Card
from warehouse.serve.pages.conversations import worst_spoken
from warehouse.serve.pages.measures import FEW
from warehouse.serve.pages.overview import Overview, read_overview, version_starts
from warehouse.serve.pages.selection import NONE
from warehouse.serve.value_format import plural

BAD_RATING = 2
MAX_ITEMS = 6
"""Of what needs attention; the rest is counted."""

CARD_SIZES = {
    "success_rate": "judged",
    "containment_rate": "reached",
    "cost_usd_per_success": "successes",
    "wait_p95_secs": "waits",
    "error_rate": "conversations",
}
"""What the n of a card counts."""

SHORT_NAMES = {"cost_usd_per_success": "Cost per success", "n_calls": "Conversations"}
"""Names in place of the catalogue's where there is little room."""

LINKS: dict[str, dict[str, object]] = {
    "n_calls": {},
    "success_rate": {"verdict": "failure"},
    "containment_rate": {"contained": "no"},
    "cost_usd_per_success": {"sort": "cost"},
    "wait_p95_secs": {"sort": "wait"},
    "error_rate": {"outcome": "error"},
}
"""The conversations behind a measure: parameters of the list, by column."""

MEASURE_LINKS = LINKS | {
    "reach_rate": {"outcome": "not_reached"},
    "success_coverage": {"verdict": "unknown"},
    "contained_no_callback_rate": {"contained": "yes"},
    "resolved_containment_rate": {"contained": "no"},
    "fcr_rate": {"first_contact": "no"},
    "fcr_judged_rate": {"first_contact": "no"},
    "queue_abandonment_rate": {"outcome": "abandoned", "sort": "queue"},
    "asa_secs": {"sort": "queue"},
    "service_level_rate": {"sort": "queue"},
    "rating": {"sort": "rating"},
    "csat_rate": {"sort": "rating"},
    "interruption_rate": {"sort": "interruptions"},
    "cost_usd": {"sort": "cost"},
    "cost_usd_per_minute": {"sort": "cost"},
    "cost_usd_per_resolution": {"sort": "cost"},
    "llm_cost_usd": {"sort": "cost"},
    "wait_p99_secs": {"sort": "wait"},
    "abandonment_rate": {"outcome": "abandoned"},
    "transfer_rate": {"transferred": "yes"},
    "voicemail_rate": {"outcome": "voicemail"},
    "cost_usd_per_call": {"sort": "cost"},
    "wait_p50_secs": {"sort": "wait"},
    "wait_p90_secs": {"sort": "wait"},
    "wait_within_good_rate": {"sort": "wait"},
    "wait_within_fair_rate": {"sort": "wait"},
    "wait_within_poor_rate": {"sort": "wait"},
}

TRENDS = (
    ("success_rate", "n_judged", "share of judged conversations, by day"),
    ("cost_usd_per_success", "n_success", "cost of all conversations ÷ successes, by day"),
    ("wait_p95_secs", "n_waits", "19 of 20 waits were shorter, by day"),
    ("n_calls", "n_calls", "finished conversations, by day"),
    ("error_rate", "n_calls", "failed, ended with an error, or stopped by the platform, by day"),
)


def build(visit: Visit) -> dict[str, Any]:
    """The values of the template."""
    overview = read_overview(visit.reader)
    attention = _attention(visit, overview)
    starts = version_starts(visit.reader)
    return {
        "sentence": sentence(visit, overview) + _newest_version(starts) + _unfinished_day(visit),
        "next_steps": _next_steps(visit, overview, starts),
        "total": _total(overview),
        "cards": overview.cards,
        "card_sizes": CARD_SIZES,
        "coverages": {card.column: text for card in overview.cards if (text := coverage(card))},
        "short_names": SHORT_NAMES,
        "links": {card.column: visit.filter.url("/conversations", **LINKS[card.column]) for card in overview.cards},
        "n_open": overview.n_open,
        "attention": attention[:MAX_ITEMS],
        "more_attention": attention[MAX_ITEMS:],
        "calm": calm(overview),
        "worst": _worst(visit),
        "charts": trends(visit, overview, starts),
    }


def coverage(card: Card) -> str:
    """Of how many conversations a card can say something; a cost only if it is not known of all."""
    share = number(card.coverage, "share of 1")
    if card.coverage is None:
        return ""
    if card.column == "success_rate":
        return f"{share} of all"
    return f"cost of {share} known" if card.coverage < 1 else ""


def sentence(visit: Visit, overview: Overview) -> str:
    """What changed against the period before, and whether the data reach back to all of it."""
    return _comparison(visit, overview) + missing_before(visit)


def _comparison(visit: Visit, overview: Overview) -> str:
    selection, before = visit.filter.selection, days_before(visit)
    n_calls = overview.cards[0]
    if not n_calls.value:
        return _nothing(visit)
    finished = plural(int(n_calls.value), "finished conversation")
    if not selection.is_compared:
        return f"{finished}; nothing is compared."
    if n_calls.previous is None:
        return f"{finished}; there are none in {before} to compare with."
    card, mover = overview.headline, overview.mover
    if card is None:
        return _without_headline(visit, overview, finished, before)
    name, unit = card.definition.name, card.definition.unit
    text = f"{name} {_moved(card.previous, card.value, unit)} compared with {before}"
    if mover:
        text += f", most at {visit.agent(mover.agent_id)} ({change(mover.change, unit)})"
    return f"{text}."


def _newest_version(starts: list[dict[str, Any]]) -> str:
    """The newest version of the agent that is selected."""
    if not starts:
        return ""
    return f" Its newest version, …{starts[-1]['version_id'][-4:]}, began on {day(starts[-1]['first_date'])}."


def _next_steps(visit: Visit, overview: Overview, starts: list[dict[str, Any]]) -> dict[str, str]:
    """Links that follow from the sentence, by their text."""
    steps = {}
    if overview.headline and overview.headline.column.startswith("cost"):
        steps["See the parts of the cost"] = visit.filter.url("/money")
    elif overview.headline:
        steps["See the conversations"] = visit.filter.url("/conversations", **LINKS[overview.headline.column])
    if overview.mover:
        agent_id = overview.mover.agent_id
        steps[f"See {visit.agent(agent_id)}"] = visit.filter.url("/", agent=agent_id or NONE)
    if starts:
        steps["Compare its versions"] = visit.filter.url("/agents")
    return steps


def _total(overview: Overview) -> str:
    """What all conversations of the days cost."""
    cost = [row["cost_usd"] for row in overview.days if row["cost_usd"] is not None]
    return number(math.fsum(cost), "US dollars") if cost else ""


def _worst(visit: Visit) -> list[dict[str, Any]]:
    """Conversations to listen to first, each with what went wrong in it."""
    return [
        {
            "title": row["summary_title"] or "without a title",
            "detail": f"{visit.agent(row['agent_id'])}, {day(row['started_at'].date())}"
            + (f", {length(row['call_duration_secs'])}" if row["call_duration_secs"] is not None else ""),
            "text": _problems(row),
            "url": conversation_url(visit, row["conversation_id"]),
        }
        for row in worst_spoken(visit.reader)
    ]


def _problems(row: dict[str, Any]) -> str:
    texts = {
        words(row["outcome"]): row["outcome"] in ("error", "blocked", "abandoned", "cut_off"),
        "judged a failure": row["call_successful"] == "failure",
        f"{plural(row['n_tool_errors'] or 0, 'tool error')}": (row["n_tool_errors"] or 0) > 0,
        f"waits up to {number(row['p95_wait_secs'], 'seconds')}": row["is_slow"],
        "a bad rating": (row["rating"] is not None and row["rating"] <= BAD_RATING) or (row["dislikes"] or 0) > 0,
    }
    return ", ".join(text for text, holds in texts.items() if holds)


def _nothing(visit: Visit) -> str:
    """What is said of a period without a finished conversation: if it is after all of them, when they ended."""
    newest, first = visit.status.last_date, visit.filter.period.first
    if newest is not None and newest < first:
        return f"No conversation started in these days; the newest one is of {day(newest)}."
    return "There is no finished conversation for this filter."


def _unfinished_day(visit: Visit) -> str:
    """What to know of a period that ends with a day that is not over, which only a user can choose."""
    last, listed_until = visit.filter.period.last, visit.status.newest_listing_at
    if listed_until is None or last < listed_until.date():
        return ""
    return f" {day(listed_until.date())} is not over: its numbers are not those of a whole day."


def _attention(visit: Visit, overview: Overview) -> list[dict[str, Any]]:
    items = []
    for tool in overview.failing_tools:
        now, before = (number(tool[name], "share of 1") for name in ("error_rate", "previous_error_rate"))
        rates = f"{now} of its answered calls, {before} before"
        items.append(
            {
                "mark": "bad",
                "subject": tool["tool_name"] or "A tool without a name",
                "text": " fails more",
                "detail": rates,
                "url": visit.filter.url("/conversations", tool_error=tool["tool_name"] or NONE),
                "n": tool["n_answered"],
                "n_text": f"n {plural(tool['n_answered'], 'call')}",
            }
        )
    items += [_missed_target(visit, row) for row in overview.missed_targets]
    for row in overview.anomalies:
        is_worse = row["good"] != "neither" and (row["deviation"] > 0) == (row["good"] == "low")
        items.append(
            {
                "mark": "bad" if is_worse else "",
                "subject": visit.agent(row["agent_id"]),
                "text": f": {str(SHORT_NAMES.get(row['measure'], row['name'])).lower()} "
                f"{number(row['value'], row['unit'])}",
                "detail": f"{day(row['start_date'])}; {number(row['expected'], row['unit'])} was expected",
                "url": visit.filter.day_url(
                    "/conversations",
                    row["start_date"],
                    agent=row["agent_id"] or NONE,
                    **ALL_CONVERSATIONS | MEASURE_LINKS.get(row["measure"], {}),
                ),
                "n": row["n_observations"],
                "n_text": f"n {row['n_observations']:,}",
                "is_worse": is_worse,
            }
        )
    return sorted(items, key=lambda item: (not item["mark"], item["n"] < FEW))


def _missed_target(visit: Visit, row: dict[str, Any]) -> dict[str, Any]:
    week, unit, n = row["week_start_date"], row["unit"], row["n_observations"] or 0
    return {
        "mark": "bad",
        "subject": visit.agent(row["agent_id"]),
        "text": f": {row['metric_name'].lower()} {number(row['value'], unit)}",
        "detail": f"week of {day(week)}; the target is {number(row['target'], unit)}",
        "url": visit.filter.url(
            "/conversations",
            **{"from": week, "to": week + timedelta(days=6)},
            agent=row["agent_id"] or NONE,
            **ALL_CONVERSATIONS | MEASURE_LINKS.get(row["metric"], {}),
        ),
        "n": n,
        "n_text": f"n {n:,}",
    }


def trends(visit: Visit, overview: Overview, starts: list[dict[str, Any]]) -> list[Chart]:
    """The measures by day, with the days on which a version began."""
    period = visit.filter.period
    marks = [
        {
            "day": row["first_date"].isoformat(),
            "kind": "version",
            "tip": f"{day(row['first_date'])}: version …{row['version_id'][-4:]} begins",
            "url": visit.filter.url("/", version=row["version_id"]),
        }
        for row in starts
        if period.first <= row["first_date"] <= period.last
    ]
    dashed = "; dashed: a version begins" if marks else ""
    definitions = {card.column: card.definition for card in overview.cards}
    return [
        Chart(
            name=column,
            title=SHORT_NAMES.get(column, definitions[column].name),
            note=f"{note}; hollow: fewer than 20{dashed}" if column != "n_calls" else note,
            marks=marks if column != "n_calls" else (),
            spec=charts.columns("count")
            if column == "n_calls"
            else charts.trend(definitions[column].unit, has_versions=bool(marks)),
            rows=day_rows(visit, overview.days, column, size, definitions[column].unit, **LINKS[column]),
            period=visit.filter.period,
            columns={"date": ("day", "date"), "value": (definitions[column].name, definitions[column].unit)}
            | ({} if column == "n_calls" else {"n": ("n", "count")}),
            metric=definitions[column].id,
        )
        for column, size, note in TRENDS
    ]


def _without_headline(visit: Visit, overview: Overview, finished: str, before: str) -> str:
    """What there is to say if no measure of all conversations moved by more than chance."""
    cards, mover = overview.cards[1:], overview.mover
    if all(min(card.n, card.previous_n) < FEW for card in cards):
        return f"{finished}; here or in {before} there are too few to say what changed."
    text = f"Compared with {before}, no rate, wait or cost per success moved by more than chance"
    if mover is None:
        return f"{text}."
    (definition,) = (card.definition for card in cards if card.column == mover.column)
    moved = _moved(mover.previous, mover.value, definition.unit)
    # the largest of many changes of agents may be chance, so nothing more is said of it
    agent = visit.agent(mover.agent_id)
    return f"{text} over all agents. The largest change at one agent: {agent}, {_within(definition.name)} {moved}."


def _moved(previous: float | None, value: float | None, unit: str) -> str:
    verb = "rose" if (value or 0) > (previous or 0) else "fell"
    return f"{verb} from {number(previous, unit)} to {number(value, unit)}"


def _within(name: str) -> str:
    """The name of a measure within a sentence."""
    return name[0].lower() + name[1:]


def calm(overview: Overview) -> str:
    """What was looked at if nothing needs attention: what was not is not said to be fine."""
    has_days, has_targets = overview.n_compared_days > 0, overview.n_targets > 0
    kinds = ["no unusual day"] * has_days
    kinds += ["no tool that fails more than before"] * (overview.cards[0].previous is not None)
    kinds += ["no missed target"] * has_targets
    sentences = [f"{' and '.join(filter(None, (', '.join(kinds[:-1]), kinds[-1])))}.".capitalize()] if kinds else []
    sentences += [] if has_days else ["There are too few earlier days to recognize an unusual one."]
    sentences += [] if has_targets else ["No week with a target ended in these days."]
    return " ".join(sentences)


VIEW = View("Overview", "/", "overview.html", build)
