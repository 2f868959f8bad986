"""JSON inside a text: arguments and results of tools are JSON texts, sometimes within one another or within a log."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

_JSON_PREFIXES = ("{", "[", '"')
_PART = re.compile(r'\{\s*"|\[\s*[\[{"]')
_MAX_FAILURES = 32
"""Places of a text that may look like JSON and are none; the rest is then plain text, so that no text takes long."""


def _number(literal: str) -> float | str:
    """The number, or its text if it is too large for a float: it would become infinity, which JSON cannot express."""
    number = float(literal)
    return number if math.isfinite(number) else literal


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")  # Python's parser accepts NaN and Infinity


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_refuse)


def change_text(text: str, change: Callable[[Any], Any], change_plain: Callable[[str], str]) -> str:
    """The text with a change made to the JSON in it and another to all else; the same text if nothing changes.

    Args:
        text: JSON, lines of JSON, a text with JSON in it, or any other; a mere number is not taken for JSON.
        change: Returns the new value for the parsed one, which it must not modify.
        change_plain: Returns the new text for a part that is not JSON.
    """
    if text.lstrip().startswith(_JSON_PREFIXES):
        try:
            value = _DECODER.decode(text)
            changed = change(value)
        except (ValueError, RecursionError):
            pass
        else:
            return text if changed == value else _dump(changed, text)
    return _change_parts(text, change, change_plain)


def _change_parts(text: str, change: Callable[[Any], Any], change_plain: Callable[[str], str]) -> str:
    parts: list[str] = []
    start = position = failures = 0
    while failures < _MAX_FAILURES and (match := _PART.search(text, position)):
        try:
            value, end = _DECODER.raw_decode(text, match.start())
            changed = change(value)
        except (ValueError, RecursionError):
            failures += 1
            position = match.start() + 1
            continue
        json_text = text[match.start() : end]
        parts.append(change_plain(text[start : match.start()]))
        parts.append(json_text if changed == value else _dump(changed, json_text))
        start = position = end
    return "".join((*parts, change_plain(text[start:])))


def _dump(value: Any, text: str) -> str:
    return json.dumps(value, ensure_ascii=text.isascii())
