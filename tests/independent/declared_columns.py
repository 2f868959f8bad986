"""The column that the schema declares for a value of a document, and the value that this column has.

It reads ``warehouse.schema`` and finished rows only, and shares no code with the flattening.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from warehouse.schema.registry import BY_NAME, DOCUMENT_TABLES
from warehouse.schema.types import Column, Table, Type

Step = str | int
Row = dict[str, Any]
Rows = dict[tuple[str, tuple[Any, ...]], Row]
"""Rows of one conversation by table and key."""

KEYS = {
    "conversation_id": ("conversations", "conversation_id"),
    "metadata.start_time_unix_secs": ("conversations", "start_time_at"),
}
"""Paths without a source: the pipeline reads them into columns that must never be null."""

FIXED: dict[str, dict[str, Any]] = {
    "metadata.charging.llm_usage.initiated_generation": {"scope": "initiated", "turn_index": -1},
    "metadata.charging.llm_usage.irreversible_generation": {"scope": "irreversible", "turn_index": -1},
    "transcript[turn_index].llm_usage": {"scope": "turn"},
    "analysis.evaluation_criteria_results{": {"scope_index": -1},
    "analysis.data_collection_results{": {"scope_index": -1},
    "transcript[turn_index].file_input.": {"file_index": 2},
}
"""Keys that the path decides, by the beginning of the path; ``file_input`` follows the two files of ``file_inputs``."""

INNER = "inner_"
"""Beginning of the name of a column with the id inside an entry: it is null where it repeats the key of the entry."""

TWIN = "[list_index]"
"""Step of a path through a list twin, whose entries are read as those of the map."""


@dataclass(frozen=True, slots=True)
class DeclaredColumn:
    """The column of a path."""

    path: str
    table: Table
    column: Column


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the tables of a conversation; ``rest`` is the path within its JSON."""

    home: DeclaredColumn
    key: tuple[Any, ...]
    rest: tuple[Step, ...]


def _homes() -> list[DeclaredColumn]:
    homes = [
        DeclaredColumn(path, BY_NAME[table], BY_NAME[table].column(column)) for path, (table, column) in KEYS.items()
    ]
    for table in DOCUMENT_TABLES:
        for at in table.at:
            for column in table.columns:
                if column.source is not None and TWIN not in at:
                    path = at if column.source == "." else f"{at}.{column.source}".removeprefix(".")
                    homes.append(DeclaredColumn(path, table, column))
    return homes


HOMES = _homes()


def _grown() -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for home in HOMES:
        *way, last = re.findall(r"\w+|\[\w+\]|\{\w+\}", home.path)
        node = tree
        for step in way:
            node = node.setdefault(step, {})
        node[last] = home
    return tree


TREE = _grown()


def _child(node: Mapping[str, Any], step: Step) -> tuple[str, Any]:
    """The name of the step in the tree and its node: a key of the schema, any index or any key."""
    if step in node:
        return str(step), node[str(step)]
    bracket = "[" if isinstance(step, int) else "{"
    return next(((name, child) for name, child in node.items() if name.startswith(bracket)), ("", None))


def cell_of(place: tuple[Step, ...]) -> Cell | None:
    """The declared cell of a value, or None where no column is declared for it."""
    node: Any = TREE
    keys: dict[str, Any] = {}
    for depth, step in enumerate(place, start=1):
        name, node = _child(node, step)
        if name[:1] in ("[", "{"):
            keys[name[1:-1]] = step
        if isinstance(node, DeclaredColumn):
            keys |= next((fixed for path, fixed in FIXED.items() if node.path.startswith(path)), {})
            rest = place[depth:]
            is_whole = node.column.type not in (Type.JSON, Type.TEXT_OR_JSON)
            return None if rest and is_whole else Cell(node, tuple(keys[key] for key in node.table.key[1:]), rest)
        if node is None:
            return None
    return None


def rows_by_conversation(frames: Mapping[str, pl.DataFrame]) -> dict[str, Rows]:
    """Rows of each conversation by table and key.

    Raises:
        AssertionError: two rows of a table have one key.
    """
    conversations: dict[str, Rows] = {}
    for name, frame in frames.items():
        for row in frame.to_dicts():
            key = (name, tuple(row[column] for column in BY_NAME[name].key[1:]))
            rows = conversations.setdefault(row["conversation_id"], {})
            assert key not in rows, f"{name} has two rows with the key {key}"
            rows[key] = row
    return conversations


def wrong(place: tuple[Step, ...], value: Any, rows: Rows) -> str | None:
    """What is wrong with a value's declared cell, or None where it holds the value with the declared type."""
    cell = cell_of(place)
    if cell is None:
        return "no column"
    home = f"{cell.home.table.name}.{cell.home.column.name}"
    row = rows.get((cell.home.table.name, cell.key))
    if row is None:
        return f"no row {cell.key} in {cell.home.table.name}"
    actual = _read(row[cell.home.column.name], cell)
    expected = _typed(value, cell.home.column.type)
    if type(actual) is type(expected) and actual == expected:
        return None
    return f"{home} holds {actual!r}, not {expected!r}"


def _read(content: Any, cell: Cell) -> Any:
    """Content of a cell, in its JSON the value at the cell's place."""
    if content is None and cell.home.column.name.startswith(INNER):
        return cell.key[-1]
    if content is None or (cell.home.column.type is not Type.JSON and not cell.rest):
        return content
    value = json.loads(content)
    for step in cell.rest:
        value = value[step]
    return value


def _typed(value: Any, type_: Type) -> Any:
    if type_ is Type.TIME:
        return datetime.fromtimestamp(value, UTC)
    if type_ is Type.TIME_MS:
        return datetime.fromtimestamp(value / 1000, UTC)
    return float(value) if type_ is Type.FLOAT else value
