"""What a warehouse says of itself: the marks of all that it was built from, and its models, for the next build.

The record stands in the file, in ``seeds.build_inputs``, so that the two cannot part. It also says which time of
modification the file has: one that somebody else wrote into has another, and is never built upon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from warehouse.duck import quoted
from warehouse.models.build_tables import Generated

MOST_FREE = 0.5
"""Free blocks for each one in use, above which the next build keeps nothing: DuckDB hardly ever shrinks a file."""

WRITTEN = "file"
SECOND = 10**9
"""Nanoseconds."""

BUILD_INPUTS = Generated(
    "build_inputs",
    "What this warehouse was built from: one row per thing that the build reads; the next one sees what changed.",
    {
        "name": "Lake table or file of one, seed or model; code, tests, removed (redacted or erased), file (this one).",
        "mark": "Hash of it as it was at the build; of the file, its time of modification in seconds of Unix time.",
        "n_rows": "Rows of a model.",
    },
)


@dataclass(frozen=True, slots=True)
class BuiltModel:
    """A model as it stands; ``types`` are DuckDB's by column, in order.

    One that ``is_kept`` was taken over from the warehouse before, in no time, as nothing that it is made of changed; of
    one that ``is_patched``, the rows of calls that changed were made again.
    """

    key: str
    n_rows: int
    secs: float
    types: dict[str, str]
    is_kept: bool = False
    is_patched: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """The marks that a warehouse was built from, by name, and its models by key."""

    marks: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, BuiltModel] = field(default_factory=dict)


def write(
    connection: duckdb.DuckDBPyConnection, marks: Mapping[str, str], models: Iterable[BuiltModel], written: int
) -> None:
    """Write the record into the connection's database; its file will get the time of modification ``written``."""
    n_rows = {model.key: str(model.n_rows) for model in models}
    rows: list[dict[str, str | None]] = [
        {"name": name, "mark": mark, "n_rows": n_rows.get(name)} for name, mark in sorted(marks.items())
    ]
    BUILD_INPUTS.load(connection, BUILD_INPUTS.frame([*rows, {"name": WRITTEN, "mark": str(written), "n_rows": None}]))


def read(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> Record | None:
    """The record of the warehouse; None where it cannot be built upon.

    That is: there is none, it cannot be read, is from before there were records, was written into since it was built,
    or has too many free blocks.
    """
    if not warehouse.exists():
        return None
    try:
        connection.execute(f"attach {quoted(str(warehouse))} as standing (read_only)")
    except duckdb.Error:
        return None
    try:
        return _read(connection, warehouse)
    except (duckdb.Error, KeyError):
        return None
    finally:
        connection.execute("detach standing")


def _read(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> Record | None:
    used, free = connection.execute(
        "select used_blocks, free_blocks from pragma_database_size() where database_name = 'standing'"
    ).fetchall()[0]
    rows = connection.execute(
        f"select name, mark, n_rows from standing.{BUILD_INPUTS.key}"  # noqa: S608 - our name
    ).fetchall()
    marks = {name: mark for name, mark, _ in rows}
    if free > MOST_FREE * used or int(marks.pop(WRITTEN)) * SECOND != warehouse.stat().st_mtime_ns:
        return None
    types: dict[str, dict[str, str]] = {}
    for key, column, data_type in connection.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where database_name = 'standing' order by column_index"
    ).fetchall():
        types.setdefault(key, {})[column] = data_type
    models = {name: BuiltModel(name, int(n), 0.0, types[name], is_kept=True) for name, _, n in rows if n is not None}
    return Record(marks, models)
