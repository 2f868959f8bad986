"""JSON inside a text: arguments and results of tools are JSON texts, sometimes within one another."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

_JSON_PREFIXES = ("{", "[", '"')


def change_embedded_json(text: str, change: Callable[[Any], Any]) -> str | None:
    """The text with a change made to the JSON in it; the same text if nothing changes; None if it is not JSON.

    Args:
        text: Any text; a mere number, ``true``, ``false`` or ``null`` is not taken for JSON.
        change: Returns the new value for the parsed one, which it must not modify.
    """
    if not text.lstrip().startswith(_JSON_PREFIXES):
        return None
    try:
        value = json.loads(text, parse_float=_number, parse_constant=_refuse)
        changed = change(value)
    except (ValueError, RecursionError):
        return None
    return text if changed == value else json.dumps(changed, ensure_ascii=text.isascii())


def _number(literal: str) -> float | str:
    """The number, or its text if it is too large for a float: it would become infinity, which JSON cannot express."""
    number = float(literal)
    return number if math.isfinite(number) else literal


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")  # Python's parser accepts NaN and Infinity
