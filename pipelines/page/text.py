"""Values as words for people: numbers by unit, changes, days, and text that strangers wrote.

A transcript is hostile. Jinja escapes its markup; here its control and direction characters become visible marks, as an
override of direction could make one text read as another.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal

from warehouse.serve.value_format import INVISIBLE, NULL_NUMBER, duration, format_number

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LANGUAGES = {
    "ar": "Arabic",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fi": "Finnish",
    "fr": "French",
    "hi": "Hindi",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "pt-br": "Portuguese (Brazil)",
    "ru": "Russian",
    "sv": "Swedish",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "zh": "Chinese",
}
"""English names of languages, by the code that the API gives; others are shown by their code."""

HUNDREDTH, MINUTE = 0.01, 60
MIN_DECIMALS, MAX_DECIMALS, DOLLARS_WITHOUT_MORE = 2, 4, 10
"""Decimals of a column of dollars: cents if one of them is large."""
NO_BREAK = "\xa0"
MAX_TEXT = 20_000
"""Characters of one message that a page shows at first."""


def visible(text: object) -> str:
    """A text of a conversation, its control and direction characters as U+ numbers; line breaks and tabs stay."""
    plain = str(text).replace("\r\n", "\n")
    return INVISIBLE.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", plain)


def number(value: float | Decimal | None, unit: str | None = None, decimals: int | None = None) -> str:
    """A number with its unit, on one line; a dash if it is unknown. ``decimals`` are those of a column of dollars."""
    return _number(value, unit, decimals).replace(" ", NO_BREAK)


def dollar_decimals(values: Iterable[float | Decimal | None]) -> int:
    """Decimals with which amounts of a column line up: two digits of the smallest, but cents if one is large."""
    amounts = [abs(float(value)) for value in values if value]
    if not amounts or max(amounts) >= DOLLARS_WITHOUT_MORE:
        return MIN_DECIMALS
    least = MIN_DECIMALS if max(amounts) >= 1 else MIN_DECIMALS + 1
    return min(MAX_DECIMALS, max(least, 1 - math.floor(math.log10(min(amounts)))))


def _number(value: float | Decimal | None, unit: str | None, decimals: int | None) -> str:
    if isinstance(value, Decimal):
        value = float(value)
    if value is None:
        return NULL_NUMBER
    if unit == "count":
        return f"{value:,.0f}"
    if unit == "points":
        return f"{value:.2f}"
    if unit and unit.startswith("US dollars"):
        return _dollars(value, decimals)
    if unit == "seconds" and isinstance(value, float) and abs(value) >= HUNDREDTH:
        return f"{value:,.2f} s"
    return format_number(value, unit)


def _dollars(value: float, decimals: int | None) -> str:
    """Cents, or three significant digits below one dollar: $0.250; these too where ``decimals`` would show nothing."""
    amount = abs(value)
    if decimals is None or 0 < amount < 10**-decimals / 2:
        decimals = MIN_DECIMALS if amount >= 1 or not amount else 2 - math.floor(math.log10(amount))
    return f"{'-' if value < 0 else ''}${amount:,.{decimals}f}"


def change(value: float | None, unit: str, decimals: int | None = None) -> str:
    """A difference with its sign; of shares in percentage points. One that is shown as 0 has no direction: ±0.0 pts."""
    if value is None:
        return NULL_NUMBER
    if unit == "share of 1":
        size, noun = abs(value * 100), "pts"
        text = f"{size:.1f}{NO_BREAK}{noun}"
    elif unit == "seconds":
        text = f"{abs(value):,.2f}{NO_BREAK}s"  # as many decimals as the waits that it is between
    elif decimals is not None and unit.startswith("US dollars"):
        text = f"${abs(value):,.{decimals}f}"  # as many decimals as the amounts of its column
    else:
        text = number(abs(value), unit)
    sign = "±" if not re.search("[1-9]", text) else "+" if value > 0 else "\u2212"
    return f"{sign}{text}"


def minute(at: datetime) -> str:
    """A time to the minute, under a heading that says in which time zone."""
    return f"{at:%Y-%m-%d %H:%M}"


def local_time(started_at: datetime, local_start_at: datetime | None) -> str:
    """The time by the clock of the workspace, with its day where that is another one; empty where it is that of UTC."""
    if local_start_at is None or local_start_at == started_at.replace(tzinfo=None):
        return ""
    is_other_day = local_start_at.date() != started_at.date()
    return f"{WEEKDAYS[local_start_at.weekday()]} {local_start_at:%H:%M}" if is_other_day else f"{local_start_at:%H:%M}"


def day(value: date) -> str:
    """Tue 24 Nov 2026."""
    return f"{WEEKDAYS[value.weekday()]} {value.day} {value:%b %Y}"


def days(first: date, last: date) -> str:
    """A period: 12 to 25 Nov 2026."""
    if first == last:
        return day(first)
    if first.year != last.year:
        return f"{first.day} {first:%b %Y} to {last.day} {last:%b %Y}"
    return f"{first.day}{'' if first.month == last.month else f' {first:%b}'} to {last.day} {last:%b %Y}"


def words(name: str | None) -> str:
    """An identifier as words: polite_and_clear is polite and clear."""
    return visible((name or "not given").replace("_", " "))


def language(code: str | None) -> str:
    """The English name of a language."""
    return "not known" if not code else LANGUAGES.get(code.lower(), visible(code))


def length(secs: float) -> str:
    """A length of time; of whole seconds, without tenths."""
    return f"{secs} s" if isinstance(secs, int) and 0 <= secs < MINUTE else duration(secs)
