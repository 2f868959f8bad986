"""Which name was meant: the known names that are nearest to one that is misspelt."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches

LIKENESS = 0.7
"""Share of two names that must be alike (difflib's ratio) for one to stand for the other."""


def suggest(wanted: str, names: Iterable[str], *, most: int = 3) -> list[str]:
    """Up to ``most`` of ``names``, the nearest first; none where none is near. Case does not count."""
    spelt: dict[str, str] = {}
    for name in names:
        spelt.setdefault(name.lower(), name)
    return [spelt[close] for close in get_close_matches(wanted.lower(), spelt, n=most, cutoff=LIKENESS)]


def nearest_column(wanted: str, tables: Mapping[str, Collection[str]]) -> list[str]:
    """The tables, columns, or columns with their table before them, that ``wanted`` is a misspelling of."""
    table, _, column = wanted.lower().rpartition(".")
    if table in tables:
        return [f"{table}.{name}" for name in suggest(column, tables[table])]
    if table:
        close = suggest(table, tables)
        return [f"{name}.{column}" for name in close if column in tables[name]] or close
    return suggest(wanted, [*tables, *(name for columns in tables.values() for name in columns)])


def join_or(names: Sequence[str]) -> str:
    """A question for the names that may be meant, and a blank after it, to begin a hint; empty where there is none."""
    return f"Did you mean {' or '.join(names)}? " if names else ""
