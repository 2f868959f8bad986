"""The filter of a page is its URL: days, agent, channel, language, version, and whether to compare."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlencode

from pipelines.errors import UsageError
from pipelines.page.text import language, words
from warehouse.serve.pages.selection import NONE, Period, Reader, Selection, default_period
from warehouse.serve.pages.status import Choices

DAYS = 14
"""Days of a page without dates: two whole weeks, so that they compare with two whole weeks."""
QUICK_DAYS = (7, 14, 28, 90)
ALL = "all"
KEYS = ("days", "from", "to", "workspace", "agent", "channel", "language", "version", "compare")
"""Parameters that every page has; a page's own come after these."""
ALL_CONVERSATIONS = dict.fromkeys(("channel", "language", "version"))
"""Changes of an address whose numbers are over all conversations of an agent, whatever else the filter says."""


@dataclass(frozen=True, slots=True)
class Filter:
    """The parameters of a URL that are set, and the selection that they mean."""

    values: dict[str, str]
    selection: Selection

    @property
    def period(self) -> Period:
        """The days."""
        return self.selection.period

    def url(self, path: str, **changes: object) -> str:
        """A page with this filter and some parameters changed; None takes one away.

        Only the shared parameters are carried over. Dates take the place of a number of days, and the other way round.
        """
        values: dict[str, object] = {key: self.values[key] for key in KEYS if key in self.values}
        if "from" in changes or "to" in changes:
            values.pop("days", None)
        if changes.get("days"):
            values.pop("from", None)
            values.pop("to", None)
        values |= {key.rstrip("_"): value for key, value in changes.items()}
        query = urlencode({key: value for key, value in values.items() if value is not None and value != ""})
        return f"{path}?{query}" if query else path

    def day_url(self, path: str, day: date, **changes: object) -> str:
        """A page for one day of the selection."""
        return self.url(path, **{"from": day, "to": day} | changes)


def describe(values: Mapping[str, str], choices: Choices) -> list[str]:
    """What limits the conversations beside their days, in words."""
    texts: dict[str, Callable[[str], str | None]] = {
        "workspace": str,
        "agent": choices.agents.get,
        "channel": lambda value: "channel not known" if value == NONE else words(value),
        "language": lambda value: "language not known" if value == NONE else language(value),
        "version": lambda value: f"version {choices.versions[value]}" if value != NONE else choices.versions[value],
    }
    return [text for name, label in texts.items() if name in values and (text := label(values[name]))]


def parse(query: Mapping[str, str], reader: Reader, choices: Choices, listed_until: datetime | None) -> Filter:
    """The filter of a URL's parameters; empty ones count as missing.

    An agent of another workspace than the chosen one, and a version of another agent, are what was chosen before.

    Raises:
        UsageError: a date is none, or what is chosen is not there.
    """
    values = {key: value.strip() for key, value in query.items() if value.strip()}
    offered: dict[str, Container[str]] = {
        "workspace": choices.workspaces,
        "agent": choices.agents,
        "channel": choices.channels,
        "language": choices.languages,
        "version": choices.versions,
    }
    for name, names in offered.items():
        if name in values and values[name] not in names:
            raise UsageError(f"There is no such {name}.", "Choose one from the list.")
    for name, wider, parts in (("agent", "workspace", choices.agents_of), ("version", "agent", choices.versions_of)):
        if name in values and values[name] not in parts[values.get(wider)]:
            del values[name]
    agent_id = values.get("agent")
    selection = Selection(
        period=_period(values, reader, listed_until),
        is_compared=values.get("compare") != "off",
        workspace=values.get("workspace"),
        agent_id=agent_id,
        channel=values.get("channel"),
        language=values.get("language"),
        version_id=values.get("version"),
    )
    return Filter(values, selection)


def _period(values: Mapping[str, str], reader: Reader, listed_until: datetime | None) -> Period:
    days = values.get("days", "")
    if days and days != ALL and not (re.fullmatch("[0-9]{1,5}", days) and 0 < int(days) <= 10_000):  # noqa: PLR2004 - 27 years
        raise UsageError(f"{days!r} is not a number of days.", "Write a number such as 14, or all.")
    default = default_period(reader, None if days == ALL else int(days or DAYS), listed_until)
    first, last = (_date(values.get(name)) for name in ("from", "to"))
    last = last or max(default.last, first or default.last)
    first = first or (min(default.first, last))
    if first > last:
        raise UsageError("The first day is after the last.", "Exchange the two dates.")
    return Period(first, last)


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text!r} is not a date.", "Write it as 2026-11-21.") from None
    if not date(1990, 1, 1) <= day <= date(2200, 1, 1):
        raise UsageError(f"{text!r} is out of range.", "Write a date such as 2026-11-21.")
    return day
