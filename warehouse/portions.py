"""A model of very many calls, made of some days' calls at a time, so that its memory does not grow with the calls.

What joins and groups all turns at once holds all of them, in memory or spilled to disk. A model that is by call
(``warehouse.models.row_locality``) can be made of some calls after the others instead. All that came of a call's
details stands in the files of one day, so a portion is some days: a database of views under the names that the model
reads, of which those on the lake read the files of those days alone. What is not filed by the call's day, such as
another model, is filtered by the calls of those days. A last portion has what belongs to no call of the lake: nothing
is left out.
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.schema.conversations, none from a user

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from glob import escape

import duckdb

from warehouse.duck import parquet, roomy
from warehouse.models.project import ALL_SCHEMAS, Model, Project, with_calls
from warehouse.models.row_locality import KEY
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.schema.types import Table
from warehouse.side_by_side import each
from warehouse.storage import lake
from warehouse.storage.home import Home

PORTION = 25_000
"""Calls of a portion, but for a day that has more. Turns of so many fill some row groups of DuckDB, which has to write
those again that are hardly filled."""

_CALLS = f"lake.{CONVERSATIONS.name}"
_FILED = {f"lake.{table.name}": table for table in DOCUMENT_TABLES}


@dataclass(frozen=True, slots=True)
class _Portion:
    """The calls of some days, or what belongs to no call; ``name`` is that of the database with its views."""

    name: str
    days: tuple[date, ...] = ()


def make(connection: duckdb.DuckDBPyConnection, model: Model, *, home: Home, project: Project, size: int) -> None:
    """Make the table of a model that is by call in the current database, in place of the one that stands.

    The current database has what the model reads. ``size`` is how many calls a portion has, but for a day with more.

    Raises:
        duckdb.Error: the model cannot be built.
    """
    (target,) = connection.execute("select current_catalog()").fetchall()[0]
    portions = [_Portion(f"portion_{number}", days) for number, days in enumerate(_days(connection, home, size), 1)]
    portions.append(_Portion("portion_of_no_call"))
    for portion in portions:
        connection.execute(f"attach ':memory:' as {portion.name}")
        for schema in ALL_SCHEMAS:
            connection.execute(f"create schema {portion.name}.{schema}")

    def add(cursor: duckdb.DuckDBPyConnection, portion: _Portion) -> None:
        cursor.execute(f"use {portion.name}")
        try:
            for name, select in _views(home, project, model, portion, target).items():
                cursor.execute(f"create view {name} as {select}")
            roomy(cursor, f"insert into {target}.{model.key} {model.sql}")
        finally:
            cursor.execute(f"use {target}")

    connection.execute(f"create or replace table {model.key} as from ({model.sql}) limit 0")
    each(connection, add, portions)
    for portion in portions:
        connection.execute(f"detach {portion.name}")


def _days(connection: duckdb.DuckDBPyConnection, home: Home, size: int) -> Iterator[tuple[date, ...]]:
    """Days that any table has files of, as many together as have no more calls than ``size``, in order."""
    folders = {folder.name for table in DOCUMENT_TABLES for folder in home.table(table).glob(lake.DAYS)}
    n_calls = dict(connection.execute(f"select start_date, count(*) from {_CALLS} group by all").fetchall())
    together, n_together = list[date](), 0
    for day in sorted(date.fromisoformat(folder.partition("=")[2]) for folder in folders):
        n_of_day = n_calls.get(day, 0)
        if together and n_together + n_of_day > size:
            yield tuple(together)
            together, n_together = [], 0
        together.append(day)
        n_together += n_of_day
    if together:
        yield tuple(together)


def _views(home: Home, project: Project, model: Model, portion: _Portion, target: str) -> Mapping[str, str]:
    """A SELECT for each relation that the model reads, and before it for those that its view stands on."""
    models, keyed = project.by_key, with_calls(project.models)
    selects = {_CALLS: _of_days(home, CONVERSATIONS, portion.days)}
    among = f"in (select {KEY} from {_CALLS})" if portion.days else f"not in (select {KEY} from {target}.{_CALLS})"

    def select(name: str) -> str:
        read = models.get(name)
        if name in _FILED:
            return _of_days(home, _FILED[name], portion.days)
        if read is not None and read.is_view and read.is_by_call:
            for below in read.reads:
                selects.setdefault(below, select(below))
            return read.sql
        return f"from {target}.{name}" + (f" where coalesce({KEY}, '') {among}" if name in keyed else "")

    for name in model.reads:
        selects.setdefault(name, select(name))
    return selects


def _of_days(home: Home, table: Table, days: tuple[date, ...]) -> str:
    """A SELECT of a table's rows on some days."""
    files = [file for day in days for file in home.partition(table, day).glob("*.parquet")]
    files.append(home.table(table) / lake.SCHEMA_FILE)  # so that there is something to read
    return parquet(table.names, (escape(str(file.resolve())) for file in files))
