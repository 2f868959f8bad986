"""The list of conversations; each chart's marks lead here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelines.errors import UsageError
from pipelines.page.text import WEEKDAYS, dollar_decimals, local_time, number, words
from pipelines.page.views.base import View, Visit, conversation_url
from warehouse.serve.pages.conversations import (
    OPEN,
    OUTCOMES,
    SORTS,
    VERDICTS,
    Conditions,
    read_conversations,
    read_measures,
)
from warehouse.serve.pages.selection import NONE
from warehouse.serve.value_format import plural

SORT_NAMES = {
    "hurt": "what hurts",
    "newest": "newest",
    "wait": "longest wait",
    "cost": "most expensive",
    "length": "longest",
    "tool_errors": "most tool errors",
    "queue": "longest in the queue",
    "interruptions": "most interruptions",
    "rating": "lowest rating",
}
OWN_KEYS = (
    "outcome",
    "verdict",
    "contained",
    "transferred",
    "min_wait",
    "criterion",
    "result",
    "tool",
    "tool_error",
    "error_type",
    "termination",
    "model",
    "weekday",
    "hour",
    "repeat",
    "first_contact",
    "words",
    "sort",
)
"""Parameters of this page beside the shared ones."""

MAX_WORDS_LENGTH = 300


def build(visit: Visit) -> dict[str, Any]:
    """The values of the template."""
    values = visit.filter.values
    conditions = parse(values)
    page = read_conversations(visit.reader, conditions)
    own_values = {key: values[key] for key in OWN_KEYS if key in values}
    return {
        "list": page,
        "summary": _summary(visit, conditions) if own_values.keys() - {"sort"} and page.rows else "",
        "rows": [
            row
            | {
                "agent": visit.agent(row["agent_id"]),
                "url": conversation_url(visit, row["conversation_id"]),
                "local_time": local_time(row["started_at"], row["local_start_at"]),
            }
            for row in page.rows
        ],
        "cost_decimals": dollar_decimals(row["cost_usd"] for row in page.rows),
        "conditions": describe(values),
        "without": {key: visit.filter.url("/conversations", **(own_values | {key: None})) for key in own_values},
        "pages": {
            number: visit.filter.url("/conversations", **own_values, page=number)
            for number in (page.page - 1, page.page + 1)
        },
        "outcomes": [(outcome, words(outcome)) for outcome in (*OUTCOMES, OPEN)],
        "verdicts": VERDICTS,
        "sorts": [(name, text) for name, text in SORT_NAMES.items() if name != "hurt"],
        "hidden": {
            key: value
            for key, value in own_values.items()
            if key not in ("outcome", "verdict", "min_wait", "words", "sort")
        },
    }


def _summary(visit: Visit, conditions: Conditions) -> str:
    """What the conversations of a list have in common, if it has conditions: without any, the overview says it."""
    row = read_measures(visit.reader, conditions)
    if not row["n_calls"]:
        return ""
    share, dollars = "share of 1", "US dollars"
    parts = [
        f"{number(row['success_rate'], share)} of {row['n_judged']:,} judged succeeded" if row["n_judged"] else "",
        f"{number(row['containment_rate'], share)} of {row['n_reached']:,} reached were contained"
        if row["n_reached"]
        else "",
        f"{number(row['error_rate'], share)} failed with an error",
        f"95 of 100 waits were within {number(row['wait_p95_secs'], 'seconds')}" if row["n_waits"] else "",
        f"{number(row['cost_usd_per_call'], dollars)} each" if row["n_priced"] else "",
    ]
    return f"Of {plural(row['n_calls'], 'finished conversation')}: {'; '.join(filter(None, parts))}."


def parse(values: dict[str, str]) -> Conditions:
    """The conditions of a URL's parameters.

    Raises:
        UsageError: one is none that the page knows.
    """
    return Conditions(
        outcome=_choice(values, "outcome", (*OUTCOMES, OPEN)),
        verdict=_choice(values, "verdict", VERDICTS),
        is_contained=_yes_or_no(values, "contained"),
        is_transferred=_yes_or_no(values, "transferred"),
        min_wait_secs=_number(values, "min_wait", 0, 3600),
        criterion=values.get("criterion"),
        criterion_result=_choice(values, "result", VERDICTS) or "failure",
        tool=values.get("tool"),
        tool_error=values.get("tool_error"),
        error_type=values.get("error_type"),
        termination=values.get("termination"),
        model=values.get("model"),
        weekday=_whole(values, "weekday", 1, 7),
        hour=_whole(values, "hour", 0, 23),
        is_repeat_caller=_yes_or_no(values, "repeat"),
        is_resolved_at_once=_yes_or_no(values, "first_contact"),
        words=values.get("words", "")[:MAX_WORDS_LENGTH] or None,
        sort=_choice(values, "sort", tuple(SORTS)) or "hurt",
        page=_whole(values, "page", 1, 1_000_000) or 1,
    )


def describe(values: dict[str, str]) -> dict[str, str]:
    """The page's own conditions in words, by parameter."""
    texts: dict[str, Callable[[str], str]] = {
        "outcome": lambda value: f"outcome {words(value)}",
        "verdict": lambda value: f"judged {value}",
        "contained": lambda value: "contained" if value == "yes" else "reached, and not contained",
        "transferred": lambda value: "transferred" if value == "yes" else "not transferred",
        "min_wait": lambda value: f"a wait over {value} s",
        "criterion": lambda value: f"{words(value)}: {values.get('result', 'failure')}",
        "tool": lambda value: f"{_name('tool', value)} called",
        "tool_error": lambda value: f"{_name('tool', value)} failed",
        "error_type": lambda value: f"error type {words(value)}",
        "termination": lambda value: f"ended by {words(value)}",
        "model": lambda value: _name("model", value),
        "weekday": lambda value: f"on {WEEKDAYS[int(value) - 1]}",
        "hour": lambda value: f"from {int(value)}:00 to {int(value)}:59",
        "repeat": lambda value: "the caller called before within 7 days" if value == "yes" else "first call in 7 days",
        "first_contact": lambda value: f"{'' if value == 'yes' else 'not '}resolved at the first contact",
        "words": lambda value: f"with the words {value}",
    }
    return {key: text(values[key]) for key, text in texts.items() if key in values}


def _name(kind: str, value: str) -> str:
    return f"{kind} not given" if value == NONE else f"{kind} {value}"


def _choice(values: dict[str, str], name: str, choices: tuple[str, ...]) -> str | None:
    value = values.get(name)
    if value is not None and value not in choices:
        raise UsageError(f"{name} cannot be {value!r}.", f"It is one of {', '.join(choices)}.")
    return value


def _yes_or_no(values: dict[str, str], name: str) -> bool | None:
    value = _choice(values, name, ("yes", "no"))
    return None if value is None else value == "yes"


def _number(values: dict[str, str], name: str, low: float, high: float) -> float | None:
    if name not in values:
        return None
    try:
        number = float(values[name])
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise UsageError(f"{name} cannot be {values[name]!r}.", f"It is a number from {low:,} to {high:,}.")
    return number


def _whole(values: dict[str, str], name: str, low: int, high: int) -> int | None:
    number = _number(values, name, low, high)
    return None if number is None else int(number)


VIEW = View("Conversations", "/conversations", "conversations.html", build)
