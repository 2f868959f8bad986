"""Types, columns and tables of the lake, and the notation in which the modules beside this one declare them.

``at`` is the JSON path of a table's rows in a conversation. ``[name]`` goes through a list and ``{name}`` through a
map; the index or the key goes into the key column of that name. ``source`` is the JSON path of a column below ``at``,
and ``.`` is the element itself. A column without a source is derived by the pipeline, as its description says.

A column's name is its path joined by underscores, without ``metadata_``. ``*_unix_secs`` becomes ``*_at`` (UTC); money
and time have their unit as a suffix.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


class Type(Enum):
    """Type of a column's values; ``warehouse.storage.parquet`` maps it to polars."""

    TEXT = "text"
    INT = "integer"
    FLOAT = "number"
    BOOL = "boolean"
    TIME = "timestamp"  # UTC, microseconds; the API sends Unix seconds
    TIME_MS = "timestamp from milliseconds"  # the same column type; the API sends Unix milliseconds
    DATE = "date"
    JSON = "json"  # any value, as compact JSON text
    TEXT_OR_JSON = "text or JSON"  # text as the API sent it, any other value as compact JSON text
    BINARY = "binary"


class Sensitivity(Enum):
    """Why a redaction replaces the values of a column; a column without a sensitivity stays as it is."""

    FREE_TEXT = "free text"  # what was said, written or sent: becomes ``<redacted>``
    IDENTIFIER = "identifier"  # who somebody is or how to reach them: becomes null


REDACTED = "<redacted>"
"""What a redaction leaves of a free text."""


UNITS = {
    "_secs": "seconds",
    "_ms": "milliseconds",
    "_usd_cents": "US cents",
    "_per_usd": "credits per US dollar",
    "_usd": "US dollars",
    "_credits": "credits",
    "_at": "UTC timestamp",
    "_date": "UTC date",
    "_minutes": "minutes",
    "_rate": "share of 1",
    "_coverage": "share of 1",
    "_share": "share of 1",
    "_bytes": "bytes",
}


COSTS_PER = {
    "call": "conversation",
    "success": "successful conversation",
    "answered": "answered conversation",
    "resolution": "resolution",
    "minute": "minute",
}
"""What a cost is divided by, in the names of columns such as ``cost_usd_per_call``."""


def unit_of(name: str) -> str | None:
    """Unit by the suffix or prefix of a column's name; None if it has none, as texts, flags and ids."""
    if name.startswith("n_"):
        return "count"
    _, is_cost, divisor = name.partition("_usd_per_")
    if is_cost:
        return f"US dollars per {COSTS_PER[divisor]}" if divisor in COSTS_PER else None
    unit = next((unit for suffix, unit in UNITS.items() if name.endswith(suffix)), None)
    return unit.replace("UTC", "local") if unit and name.startswith("local_") else unit


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the lake.

    ``source`` is the JSON path below the table's ``at``, or None if the pipeline derives the value; ``required`` means
    never null.
    """

    name: str
    type: Type
    description: str
    source: str | None = None
    required: bool = False
    sensitivity: Sensitivity | None = None

    @property
    def unit(self) -> str | None:
        """Unit of the values, see ``unit_of``."""
        return unit_of(self.name)


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the lake or the landing.

    ``grain`` completes the sentence "One row per …". ``at`` are the JSON paths of its rows, with the index and key
    columns in brackets; it is empty for tables that come from no JSON. ``is_daily`` is of the lake alone: its daily
    tables are partitioned by ``start_date``. ``ignored_keys`` are JSON paths that intentionally have no column and are
    not reported as unknown.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    at: tuple[str, ...] = ()
    is_daily: bool = True
    ignored_keys: tuple[str, ...] = ()

    def column(self, name: str) -> Column:
        """The column of that name.

        Raises:
            StopIteration: there is none.
        """
        return next(column for column in self.columns if column.name == name)

    @property
    def column_names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.name for column in self.columns)

    def paths(self, column: Column) -> tuple[str, ...]:
        """Full JSON paths of a column in a conversation, without key names: ``transcript[].message``."""
        if column.source is None:
            return ()
        below = "" if column.source == "." else f".{column.source}"
        return tuple(display_path(f"{at}{below}".strip(".")) for at in self.at)


def display_path(path: str) -> str:
    """The path without the names of its keys: ``transcript[turn_index].role`` becomes ``transcript[].role``."""
    return re.sub(r"([\[{])\w+([\]}])", r"\1\2", path)


def name_of(source: str, unit: str | None = None) -> str:
    """Column name of a JSON path, by the rule in the docstring of this module."""
    name = source.removeprefix("metadata.").replace(".", "_")
    if name.endswith("_unix_secs"):
        return name.removesuffix("_unix_secs") + "_at"
    return f"{name}_{unit}" if unit else name


def column(source: str, type_: Type, description: str, *, unit: str | None = None, name: str | None = None) -> Column:
    """Declare a column with the value at ``source``, which a redaction keeps."""
    return Column(name or name_of(source, unit), type_, description, source)


def free_text(source: str, type_: Type, description: str, *, name: str | None = None) -> Column:
    """Declare a column with the value at ``source``: something that was said, written or sent."""
    return Column(name or name_of(source), type_, description, source, sensitivity=Sensitivity.FREE_TEXT)


def identifier(source: str, type_: Type, description: str) -> Column:
    """Declare a column with the value at ``source``: who somebody is or how to reach them."""
    return Column(name_of(source), type_, description, source, sensitivity=Sensitivity.IDENTIFIER)


def derived(name: str, type_: Type, description: str, *, required: bool = False) -> Column:
    """Declare a column that the pipeline derives."""
    return Column(name, type_, description, None, required)


TEXT, INT, FLOAT, BOOL, TIME, JSON = Type.TEXT, Type.INT, Type.FLOAT, Type.BOOL, Type.TIME, Type.JSON

WORKSPACE = derived("workspace", TEXT, "Name of the workspace in convohouse.toml.", required=True)
CONVERSATION_ID = derived("conversation_id", TEXT, "Id of the conversation.", required=True)
AGENT_ID = derived("agent_id", TEXT, "Id of the agent.", required=True)
START_DATE = derived("start_date", Type.DATE, "UTC day on which the conversation started.", required=True)
EXTRA = derived(
    "extra",
    Type.JSON,
    "Values of this row without a column, or of another type than their column, by JSON path; null if none.",
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
    """Declare a daily table: workspace, conversation_id and start_date come first, ``extra`` comes last."""
    key = ("conversation_id", *(key_column.name for key_column in keys))
    at = (at,) if isinstance(at, str) else at
    return Table(
        name,
        grain,
        key,
        (WORKSPACE, CONVERSATION_ID, START_DATE, *keys, *columns, EXTRA),
        at=at,
        ignored_keys=ignored_keys,
    )
