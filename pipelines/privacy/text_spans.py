"""Replacing parts of a text, found in a folded copy of it, so that look-alike characters hide nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache

Span = tuple[int, int]
SpanOf = Callable[[re.Match[str]], Span | None]

_SPACES = dict.fromkeys((*map(ord, "\u00a0\u00ad\u1680\u202f\u205f\u2060\u3000\ufeff"), *range(0x2000, 0x200E)), " ")
"""Spaces of any width, also of none."""
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"), "-")
_FOLDED_ALREADY = _SPACES | _DASHES


def fold(text: str) -> str:
    """A text of the same length with plain digits, letters, spaces and dashes for those that only look different.

    Full-width and other forms of a character become the character, digits of any script become 0 to 9, spaces of any
    width (none, too) become a space.
    """
    return text if text.isascii() else "".join(map(_fold_character, text))


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character.isascii():
        return character
    if folded := _FOLDED_ALREADY.get(ord(character)):
        return folded
    digit = unicodedata.digit(character, None)
    if digit is not None and unicodedata.category(character) == "Nd":
        return str(digit)
    plain = unicodedata.normalize("NFKC", character)
    return plain if len(plain) == 1 else character


def replace(text: str, pattern: re.Pattern[str], replacement: str, span_of: SpanOf) -> str:
    """The text with the span of each match replaced; ``span_of`` gives None for a match that stays."""
    parts: list[str] = []
    start = 0
    for match in pattern.finditer(fold(text)):
        span = span_of(match)
        if span is not None and span[0] >= start:
            parts += (text[start : span[0]], replacement)
            start = span[1]
    return "".join((*parts, text[start:])) if parts else text
