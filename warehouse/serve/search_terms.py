"""The words of a search: they match without case and accents, at the beginning of a word.

A word becomes one regular expression over the original text, with a class of the accented forms of each letter. In
DuckDB that is six times as fast as removing the accents from every text first. Marks that are not accents are part of
the word, such as the vowels of Hindi and Thai, or what makes か a が. In scripts without upper case (Chinese, Arabic,
Thai, …), some of which have no spaces between words, a word matches anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

_LETTER_RANGES = ((0xC0, 0x250), (0x370, 0x530), (0x620, 0x64B), (0x1E00, 0x2000))
"""Ranges of Unicode with the accented letters of Latin, Greek, Cyrillic and Arabic."""
_ACCENTS = "\u0300-\u036f\u05b0-\u05bd\u05bf\u05c1\u05c2\u064b-\u0655\u0670"
"""Accents that are characters of their own, and the vowels of Hebrew and Arabic, which are mostly left out."""
_WORD_START = r"(?:^|[^\p{L}\p{N}])"
_WORD_START_PYTHON = r"(?<![^\W_])"
_CONTEXT = 60
"""Characters of a snippet on each side of the first match."""


def search_terms(text: str) -> tuple[str, ...]:
    """The words of a text in lower case and without accents, without repeats."""
    plain = re.sub(f"[{_ACCENTS}]", "", text.lower())
    letters = "".join(_plain_letters().get(letter, letter) if _is_in_word(letter) else " " for letter in plain)
    return tuple(dict.fromkeys(word for word in letters.split() if any(map(str.isalnum, word))))


def pattern(word: str) -> str:
    """The word as a regular expression for DuckDB (RE2)."""
    return f"(?i){_WORD_START if _has_case(word) else ''}{_letters_pattern(word)}"


def snippet(message: str, words: Sequence[str]) -> str:
    """The part of a message around the first match, on one line, with all matches between asterisks."""
    parts = (f"{_WORD_START_PYTHON if _has_case(word) else ''}{_letters_pattern(word)}" for word in words)
    any_word = re.compile("|".join(parts), re.IGNORECASE)
    first = any_word.search(message)
    begin = max(first.start() - _CONTEXT, 0) if first else 0
    end = (first.end() if first else 0) + _CONTEXT
    marked = any_word.sub(lambda hit: f"*{hit[0]}*", message[begin:end])
    return f"{'…' if begin else ''}{' '.join(marked.split())}{'…' if end < len(message) else ''}"


def _is_in_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character) in {"Mn", "Mc"}


def _has_case(word: str) -> bool:
    """Whether the word's script has upper and lower case, and so spaces between words."""
    return not any(unicodedata.category(letter) == "Lo" for letter in word)


def _letters_pattern(word: str) -> str:
    forms = _accented_forms()
    return "".join(f"[{letter}{forms.get(letter, '')}][{_ACCENTS}]*" for letter in word)


@cache
def _plain_letters() -> dict[str, str]:
    """The letter without an accent, by each accented form."""
    return {letter: base for base, letters in _accented_forms().items() for letter in letters}


@cache
def _accented_forms() -> dict[str, str]:
    """The accented forms of each letter, in lower case; İ has none of one character."""
    forms: dict[str, set[str]] = {}
    for first, last in _LETTER_RANGES:
        for letter in map(chr, range(first, last)):
            form = letter.lower() if len(letter.lower()) == 1 else letter
            base = unicodedata.normalize("NFKD", form)[0].lower()
            forms.setdefault(base, set()).add(form)
    return {base: "".join(sorted(letters)) for base, letters in forms.items()}
