"""Worked examples of metrics: small tables of rows and what a metric makes of them, in ``sql/examples/``.

A file ``<model>.<column>.md`` is printed in ``docs/metrics.md`` as it is, and ``tests/sql/test_examples.py`` runs it.
Its paragraphs end with the name of a relation in backticks, each followed by a table: first the rows that are there,
last those of the model. Columns that are not shown have the value of an ordinary finished conversation, or null.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from warehouse.errors import ModelError
from warehouse.models.project import SQL_DIR

EXAMPLES_DIR = SQL_DIR / "examples"

_TABLE = re.compile(r"`(\w+\.\w+)`[^`|]*\n\n((?:\|.*\n)+)")


@dataclass(frozen=True, slots=True)
class Rows:
    """A table of an example: rows of text by column of a relation, an empty text for null."""

    relation: str
    rows: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A worked example: the metric's id, the text as it is, the rows that are there, and those of the model."""

    metric: str
    text: str
    inputs: tuple[Rows, ...]
    result: Rows


def read_examples(folder: Path = EXAMPLES_DIR) -> tuple[Example, ...]:
    """The examples by metric.

    Raises:
        ModelError: a file has fewer than two tables, or a row has another number of cells than its head.
    """
    return tuple(_read(path) for path in sorted(folder.glob("*.md")))


def _read(path: Path) -> Example:
    text = path.read_text(encoding="utf-8").strip()
    tables = [Rows(relation, _rows(path, lines.splitlines())) for relation, lines in _TABLE.findall(f"{text}\n")]
    inputs, results = tuple(tables[:-1]), tables[-1:]
    if not inputs:
        raise ModelError(f"{path}: an example has rows and a result.", "See the other files of the folder.")
    return Example(path.stem, text, inputs, results[0])


def _rows(path: Path, lines: list[str]) -> tuple[dict[str, str], ...]:
    head, _, *rows = ([cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines)
    if any(len(row) != len(head) for row in rows):
        raise ModelError(f"{path}: a row of the table of {head[0]} has not {len(head)} cells.", "Add them.")
    return tuple(dict(zip(head, row, strict=True)) for row in rows)
