"""Values as text for people, by the unit of their column: 66.7 %, $2.61, 1.24 s, 1,200.

Units are those of ``warehouse.schema.types.unit_of`` and of ``metrics.catalog``. CSV, JSON and Parquet keep raw values.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal

NULL_NUMBER = "\u2013"
"""How a number that is null is shown; any other null is an empty cell."""

SIGNIFICANT_DIGITS = 3
_TIMES = ("timestamp", "date")
_SYMBOLS = {"seconds": " s", "milliseconds": " ms", "minutes": " min"}
_LINE_BREAKS = re.compile(r"[\t-\r\x85\u2028\u2029]+")
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Control characters, which a terminal obeys, those that turn the direction of the text around them, and others that
nobody sees. Joiners (U+200C, U+200D) are not among them: Persian, Hindi and emoji are written with them."""


def format_value(value: object, unit: str | None = None) -> str:
    """A value as one line that shows control characters: the words of a conversation must not control a terminal."""
    match value:
        case None:
            return "" if unit is None or unit.endswith(_TIMES) else NULL_NUMBER
        case bool():
            return "true" if value else "false"
        case Decimal():
            return str(value) if unit is None else format_number(float(value), unit)
        case int() | float():
            return format_number(value, unit)
        case datetime() if unit is not None and unit.endswith(_TIMES):
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case _:
            return escape_invisible(_LINE_BREAKS.sub(" ", str(value)))


def escape_invisible(text: str) -> str:
    """Text that shows control characters and others that are invisible as JSON does, which stays JSON."""
    return INVISIBLE.sub(_escape_as_json, text)


def _escape_as_json(match: re.Match[str]) -> str:
    digits = match[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{digits[start : start + 4]}" for start in range(0, len(digits), 4))


def escape_slack(text: str) -> str:
    """Text in which Slack sees no mention and no link: somebody else's name may be ``<!channel>``."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def format_number(value: float, unit: str | None = None) -> str:
    """A number with its unit."""
    if unit is None:
        return _short(value) if isinstance(value, float) else str(value)
    if unit == "share of 1":
        return f"{value * 100:,.1f} %"
    if unit == "bytes":
        return size(float(value))
    return dollars(value) if unit.startswith("US dollars") else f"{_grouped(value)}{_SYMBOLS.get(unit, '')}"


def dollars(value: float) -> str:
    """US dollars: cents, or three significant digits below one dollar: $2.61, $0.238, $0.00045."""
    amount = abs(value)
    text = f"{amount:,.2f}" if amount >= 1 else _small(amount)
    return f"{'-' if value < 0 else ''}${text}"


def plural(number: int, noun: str) -> str:
    """A number and what is counted, such as ``1,200 conversations``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(n_bytes: float) -> str:
    """Bytes, in powers of 1000."""
    for unit in ("B", "kB", "MB", "GB"):
        decimals = 0 if unit == "B" else 1
        if round(n_bytes, decimals) < 1000:  # noqa: PLR2004 - the step of the units
            return f"{n_bytes:.{decimals}f} {unit}"
        n_bytes /= 1000
    return f"{n_bytes:.1f} TB"


def duration(secs: float) -> str:
    """A length of time: 1.2 s, 59 s, 1 min 20 s, 2 h 1 min."""
    minute, hour, tenths_below = 60, 3600, 10
    if round(secs) < minute:
        return f"{secs:.1f} s" if secs < tenths_below else f"{secs:.0f} s"
    hours, remainder = divmod(round(secs), hour)
    minutes, seconds = divmod(remainder, minute)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"


def clock(secs: float | None) -> str:
    """Minutes and seconds since the start of a conversation; a negative time is its start."""
    if secs is None:
        return ""
    minutes, seconds = divmod(max(int(secs), 0), 60)
    return f"{minutes}:{seconds:02}"


def moment(at: datetime | None) -> str:
    """A time in UTC, to the minute."""
    return f"{at:%Y-%m-%d %H:%M} UTC" if at else "never"


def _grouped(value: float) -> str:
    """Thousands separators; two decimals, or three significant digits where two would show nothing."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if abs(value) >= 0.1 else _signed_small(value)  # noqa: PLR2004 - a tenth


def _signed_small(value: float) -> str:
    return f"{'-' if value < 0 else ''}{_small(abs(value))}"


def _small(amount: float) -> str:
    """A number from 0 to 1 with three significant digits, at least two decimals, and no exponent."""
    digits = f"{amount:.{SIGNIFICANT_DIGITS}g}"
    text = f"{Decimal(digits):f}"
    return f"{text}{'0' * (2 - len(text.partition('.')[2]))}" if "." in text else f"{text}.00"


def _short(value: float) -> str:
    """A number without a unit: four decimals, or four digits where it is small."""
    return f"{value:.4g}" if abs(value) < 1 else f"{value:.4f}".rstrip("0").rstrip(".")
