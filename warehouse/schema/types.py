"""What a type, a column and a table of the lake are; the other modules of ``warehouse.schema`` declare them.

A ``source`` is a JSON path in a conversation detail, from the table's ``at`` on; ``[name]`` steps through a list and
``{name}`` through a map, and both put the index or the key into the key column of that name; ``.`` is the element
itself. A column without a source is made by the pipeline, as its text says. Names keep the API's words: the path joined
by underscores, without ``metadata_``; ``*_unix_secs`` becomes ``*_at`` (UTC), money and time carry their unit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Type(Enum):
    """What a column holds; ``warehouse.storage.lake`` says how Arrow, polars and DuckDB call it."""

    TEXT = "text"
    INT = "integer"
    FLOAT = "number"
    BOOL = "boolean"
    TIME = "timestamp"  # UTC, microseconds; the API sends Unix seconds
    TIME_MS = "timestamp from milliseconds"  # same column type; the API sends Unix milliseconds
    DATE = "date"
    JSON = "json"  # any value, as compact JSON text
    TEXT_OR_JSON = "bag"  # text as it came, any other value as compact JSON text
    BINARY = "binary"


class Sensitivity(Enum):
    """What a redaction takes from a column; one without stays as it is."""

    FREE_TEXT = "words"  # what was said, written or sent: ``<redacted>`` takes its place
    IDENTIFIER = "identity"  # who it was, or how to reach them: null


UNITS = {
    "_secs": "seconds",
    "_ms": "milliseconds",
    "_usd": "US dollars",
    "_credits": "credits",
    "_at": "UTC timestamp",
    "_date": "UTC date",
    "_minutes": "minutes",
    "_rate": "share of 1",
    "_coverage": "share of 1",
    "_bytes": "bytes",
}


def unit_of(name: str) -> str | None:
    """Unit that a column's name promises, or None for words, flags and keys."""
    if name.startswith("n_"):
        return "count"
    return next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), None)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the lake.

    ``source`` is the JSON path below the table's ``at``, or None where the pipeline makes the value; ``required`` means
    never null; ``content`` says what a redaction takes from it.
    """

    name: str
    type: Type
    description: str
    source: str | None = None
    required: bool = False
    sensitivity: Sensitivity | None = None

    @property
    def unit(self) -> str | None:
        """Unit, from the name's suffix."""
        return unit_of(self.name)


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the lake: its grain, its key and its columns.

    ``at`` are the JSON paths where its rows stand, with the index and key columns in brackets; empty for tables that do
    not come from a conversation detail. ``is_daily`` tables are partitioned by ``start_date``. ``known`` are keys
    beside the columns that are known and need no column.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    at: tuple[str, ...] = ()
    is_daily: bool = True
    ignored_keys: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    def paths(self, column: Column) -> tuple[str, ...]:
        """Whole JSON paths of a column in a conversation detail, without key names: ``transcript[].message``."""
        if column.source is None:
            return ()
        below = "" if column.source == "." else f".{column.source}"
        return tuple(display_path(f"{at}{below}".strip(".")) for at in self.at)


def display_path(path: str) -> str:
    """The path without the names of its keys: ``transcript[turn_index].role`` becomes ``transcript[].role``."""
    return re.sub(r"([\[{])\w+([\]}])", r"\1\2", path)


def name_of(source: str, unit: str | None = None) -> str:
    """Column name of a JSON path, by the rule at the top of this module."""
    name = source.removeprefix("metadata.").replace(".", "_")
    if name.endswith("_unix_secs"):
        return name.removesuffix("_unix_secs") + "_at"
    return f"{name}_{unit}" if unit else name


def column(source: str, type_: Type, description: str, *, unit: str | None = None, name: str | None = None) -> Column:
    """Column read from the document at ``source``."""
    return Column(name or name_of(source, unit), type_, description, source)


def free_text(source: str, type_: Type, description: str, *, name: str | None = None) -> Column:
    """Column that holds what was said, written or sent, read from the document at ``source``."""
    return Column(name or name_of(source), type_, description, source, sensitivity=Sensitivity.FREE_TEXT)


def identifier(source: str, type_: Type, description: str) -> Column:
    """Column that says who it was or how to reach them, read from the document at ``source``."""
    return Column(name_of(source), type_, description, source, sensitivity=Sensitivity.IDENTIFIER)


def derived(name: str, type_: Type, description: str, *, required: bool = False) -> Column:
    """Column that the pipeline makes."""
    return Column(name, type_, description, None, required)


TEXT, INT, FLOAT, BOOL, TIME, JSON = Type.TEXT, Type.INT, Type.FLOAT, Type.BOOL, Type.TIME, Type.JSON

WORKSPACE = derived(
    "workspace", TEXT, "Workspace of the API that it belongs to, as convohouse.toml names it.", required=True
)
CONVERSATION_ID = derived("conversation_id", TEXT, "Id of the conversation.", required=True)
START_DATE = derived("start_date", Type.DATE, "UTC day on which the conversation started.", required=True)
EXTRA = derived(
    "extra",
    Type.JSON,
    "Keys and values of this row that no column knows, or that did not fit their column, by JSON path; null when none.",
)


TURN_INDEX = derived("turn_index", INT, "Position of the transcript entry, from 0.", required=True)


def table(
    name: str,
    grain: str,
    columns: tuple[Column, ...],
    *,
    keys: tuple[Column, ...] = (),
    at: str | tuple[str, ...],
    ignored_keys: tuple[str, ...] = (),
) -> Table:
    """Daily table of the lake: workspace, conversation_id and start_date in front, ``extra`` at the end."""
    key = ("conversation_id", *(column.name for column in keys))
    at = (at,) if isinstance(at, str) else at
    return Table(
        name,
        grain,
        key,
        (WORKSPACE, CONVERSATION_ID, START_DATE, *keys, *columns, EXTRA),
        at=at,
        ignored_keys=ignored_keys,
    )
