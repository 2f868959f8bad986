"""The parts that pages consist of, beside charts: tables and quotations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.page.chart import Columns


@dataclass(frozen=True, slots=True)
class Table:
    """A table, whose first column leads to the ``url`` of its row.

    The unit of a column is one of ``metrics.catalog``, or text, prose, words, date, moment, duration, bar (a share),
    difference (a text) or change (a dict of value, unit, change, is_better, is_notable and perhaps url).
    """

    name: str
    title: str
    note: str
    rows: Sequence[dict[str, Any]]
    columns: Columns
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
    wide: bool = True
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
