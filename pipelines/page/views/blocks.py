"""The parts that pages consist of, beside charts: tables and quotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Table:
    """A table, whose first column leads to the ``url`` of its row.

    ``units`` by column are those of ``metrics.catalog``, or one of text, prose, words, date, moment, duration, bar (a
    share) and change (a dict of value, unit, change, is_better, is_notable and perhaps url).
    """

    name: str
    title: str
    note: str
    rows: Sequence[dict[str, Any]]
    columns: dict[str, str]
    units: dict[str, str] = field(default_factory=dict)
    metric: str | None = None
    wide: bool = False
    empty: str = "Nothing to show for this filter."
    is_table: bool = True


@dataclass(frozen=True, slots=True)
class Quotes:
    """Sentences of a judge, each with ``title``, ``detail``, ``text`` and the ``url`` of its conversation."""

    name: str
    title: str
    note: str
    rows: Sequence[dict[str, Any]]
    wide: bool = False
    empty: str = "None in this period."


@dataclass(frozen=True, slots=True)
class Facts:
    """Short facts, label and text."""

    name: str
    title: str
    note: str
    rows: Sequence[tuple[str, str]]
    wide: bool = False
    is_facts: bool = True
