"""JSON that stands in a text: tools send and answer JSON as text, at times in several layers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

_BEGINNINGS = ("{", "[", '"')


def change_embedded_json(text: str, change: Callable[[Any], Any]) -> str | None:
    """The text with its JSON changed, as it was where nothing changes, or None where it holds no JSON.

    Args:
        text: Any text; a number or a word of JSON alone is taken for none.
        change: Gives the new value for the parsed one, which it leaves as it is.
    """
    if not text.lstrip().startswith(_BEGINNINGS):
        return None
    try:
        value = json.loads(text, parse_float=_number, parse_constant=_refuse)
        changed = change(value)
    except (ValueError, RecursionError):
        return None
    return text if changed == value else json.dumps(changed, ensure_ascii=text.isascii())


def _number(literal: str) -> float | str:
    """A number beyond all floats stays the text that it is, since JSON has no word for infinity."""
    number = float(literal)
    return number if math.isfinite(number) else literal


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
