"""Suggestions for a misspelt name, ranked and worded here for every command; callers only pass names.

The exception is ``warehouse.serve.conversation``, where DuckDB ranks: there are too many conversation ids to load.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches

MIN_SIMILARITY = 0.7
"""Lowest similarity (the ratio of ``difflib.SequenceMatcher``) of a name that is suggested."""
MAX_SUGGESTIONS = 3


def suggest(name: str, candidates: Iterable[str]) -> list[str]:
    """Up to ``MAX_SUGGESTIONS`` similar candidates, the most similar first; case is ignored."""
    by_lower_case: dict[str, str] = {}
    for candidate in candidates:
        by_lower_case.setdefault(candidate.lower(), candidate)
    matches = get_close_matches(name.lower(), by_lower_case, n=MAX_SUGGESTIONS, cutoff=MIN_SIMILARITY)
    return [by_lower_case[match] for match in matches]


def suggest_column(name: str, tables: Mapping[str, Collection[str]]) -> list[str]:
    """Tables, columns or ``table.column`` names that ``name`` may be a misspelling of; ``tables`` maps to columns."""
    table, _, column = name.lower().rpartition(".")
    if table in tables:
        return [f"{table}.{match}" for match in suggest(column, tables[table])]
    if table:
        similar_tables = suggest(table, tables)
        return [f"{match}.{column}" for match in similar_tables if column in tables[match]] or similar_tables
    return suggest(name, [*tables, *(column for columns in tables.values() for column in columns)])


def did_you_mean(names: Sequence[str]) -> str:
    """A question with a space after it, to begin a hint with; empty if there are no names."""
    return f"Did you mean {' or '.join(names)}? " if names else ""
