"""Models that are made again call by call: the rows of calls that changed are taken out, made anew, and put back.

A model that is by call (``warehouse.models.row_locality``) reads, instead of its relations, views on them that hold
those calls alone. What came of it is compared with what stood, so that nothing is made again for the sake of a column
that is the same. A model that has to be made whole is compared as well: often few of its rows differ, or none.
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.schema.conversations, none from a user

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from glob import escape
from threading import Lock

import duckdb

from warehouse.build.state import BASELINE, FULL_CHANGE, MAX_CHANGED_SHARE, Baseline, Change
from warehouse.connection import execute_with_memory_retry, read_parquet_sql, sql_literal
from warehouse.models.project import ALL_SCHEMAS, Model, Project, with_calls
from warehouse.models.row_locality import KEY
from warehouse.parallel import map_parallel
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.schema.types import Table
from warehouse.storage import lake
from warehouse.storage.home import Home

WAREHOUSE = "warehouse"
"""Name under which the file that is being made is attached."""

CHANGED = "changed_calls"
"""Database of the views, and of the table of calls that changed."""

_CHANGED_IDS = f"{CHANGED}.main.calls"
_IN_CHANGED = f"where {KEY} in (select {KEY} from {_CHANGED_IDS})"

MOST_COMPARED = 100_000
"""Rows of a model without calls, up to which it is compared with the one that stood."""


class IncrementalBuilder:
    """Makes models again from what changed ``since``; the file that stands stays attached until the connection ends."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, home: Home, project: Project, since: Baseline) -> None:
        """The connection has ``WAREHOUSE`` attached, a copy of the one that stands, with views on the lake of now."""
        self._keyed = with_calls(project.models)
        connection.execute(f"attach {sql_literal(str(home.warehouse))} as {BASELINE} (read_only)")
        connection.execute(f"attach ':memory:' as {CHANGED}")
        for schema in ALL_SCHEMAS:
            connection.execute(f"create schema {CHANGED}.{schema}")
        connection.register("calls_that_changed", since.calls)
        connection.execute(f"create table {_CHANGED_IDS} as from calls_that_changed")
        connection.unregister("calls_that_changed")
        patched = [model for model in project.models if model.is_by_call and not model.is_view]
        self._reads = sorted({read for model in patched for read in model.reads})
        self._is_ready, self._lock = False, Lock()

    def _prepare(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make the views when the first model needs them: each looks at every file that it stands on."""
        with self._lock:
            if self._is_ready:
                return
            for read in self._reads:
                among = _IN_CHANGED if read in self._keyed else ""
                connection.execute(f"create view {CHANGED}.{read} as from {WAREHOUSE}.{read} {among}")
            self._is_ready = True

    def build(self, connection: duckdb.DuckDBPyConnection, model: Model) -> Change | None:
        """Make the rows of calls that changed again; how the model differs now, None where it does not.

        Raises:
            duckdb.Error: the model cannot be built.
        """
        self._prepare(connection)
        target = f"{WAREHOUSE}.{model.key}"
        connection.execute(f"use {CHANGED}")
        connection.begin()  # the calls are the same ones in all statements, whatever is found beside
        try:
            connection.execute(f"create temp table made as {model.sql}")
            change = _difference(connection, model, f"(from {BASELINE}.{model.key} {_IN_CHANGED})", "temp.made")
            if change is not None:
                connection.execute(f"delete from {target} {_IN_CHANGED}")
                connection.execute(f"insert into {target} from temp.made")
            connection.execute("drop table temp.made")
            connection.commit()
        except duckdb.Error:
            connection.rollback()
            raise
        finally:
            connection.execute(f"use {WAREHOUSE}")
        return change

    def diff(self, connection: duckdb.DuckDBPyConnection, model: Model) -> Change | None:
        """How a model that was made whole differs from the one that stood, None where it does not."""
        old, new = f"{BASELINE}.{model.key}", f"{WAREHOUSE}.{model.key}"
        n_rows = connection.execute(f"select count(*) from {new}").fetchall()[0][0]
        if model.key not in self._keyed:
            if n_rows > MOST_COMPARED:
                return FULL_CHANGE
            return FULL_CHANGE if _differ(connection, old, new) else None
        connection.execute(f"create temp table differing as {_differing_calls(model, old, new)}")
        n_calls, n_of_none = connection.execute(
            f"select count(*), count(*) filter (where {KEY} is null) from temp.differing"
        ).fetchall()[0]
        change = None
        if n_of_none or n_calls > MAX_CHANGED_SHARE * n_rows:
            change = FULL_CHANGE
        elif n_calls:
            among = f"where {KEY} in (from temp.differing)"
            change = _difference(connection, model, f"(from {old} {among})", f"(from {new} {among})")
            connection.execute(
                f"insert into {_CHANGED_IDS} from temp.differing where {KEY} not in (from {_CHANGED_IDS})"
            )
        connection.execute("drop table temp.differing")
        return change


def _difference(connection: duckdb.DuckDBPyConnection, model: Model, old: str, new: str) -> Change | None:
    """How rows of calls differ; by columns where the model has a row a call."""
    if model.header.grain != (KEY,):
        return Change(is_by_call=True) if _differ(connection, old, new) else None
    names = [name for name in model.header.columns if name != KEY]
    differing = "".join(f', bool_or(o."{name}" is distinct from n."{name}")' for name in names)
    came_or_went, *differ = connection.execute(
        f"select coalesce(bool_or(o.{KEY} is null or n.{KEY} is null), false){differing} "
        f"from {old} o full join {new} n on o.{KEY} = n.{KEY}"
    ).fetchall()[0]
    if came_or_went:
        return Change(is_by_call=True)
    columns = frozenset(name for name, is_other in zip(names, differ, strict=True) if is_other)
    return Change(columns, is_by_call=True) if columns else None


def _differ(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> bool:
    """Whether two relations hold other rows, however often each."""
    found = connection.execute(
        f"(from {old} except all from {new}) union all (from {new} except all from {old}) limit 1"
    ).fetchall()
    return bool(found)


def _differing_calls(model: Model, old: str, new: str) -> str:
    """The calls of which two relations hold other rows, told by a hash of each."""
    columns = ", ".join(f'"{name}"' for name in model.header.columns)
    before, now = (f"select {KEY}, hash({columns}) as row_hash from {each}" for each in (old, new))
    return f"select distinct {KEY} from (({before} except all {now}) union all ({now} except all {before}))"


CONVERSATIONS_PER_BATCH = 25_000
"""Calls of a portion, but for a day that has more. Turns of so many fill some row groups of DuckDB, which has to write
those again that are hardly filled."""


_CONVERSATIONS = f"lake.{CONVERSATIONS.name}"


_FILED = {f"lake.{table.name}": table for table in DOCUMENT_TABLES}


@dataclass(frozen=True, slots=True)
class _Portion:
    """The calls of some days, or what belongs to no call; ``name`` is that of the database with its views."""

    name: str
    days: tuple[date, ...] = ()


def build_batches(
    connection: duckdb.DuckDBPyConnection, model: Model, *, home: Home, project: Project, size: int
) -> None:
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
            execute_with_memory_retry(cursor, f"insert into {target}.{model.key} {model.sql}")
        finally:
            cursor.execute(f"use {target}")

    connection.execute(f"create or replace table {model.key} as from ({model.sql}) limit 0")
    map_parallel(connection, add, portions)
    for portion in portions:
        connection.execute(f"detach {portion.name}")


def _days(connection: duckdb.DuckDBPyConnection, home: Home, size: int) -> Iterator[tuple[date, ...]]:
    """Days that any table has files of, as many together as have no more calls than ``size``, in order."""
    folders = {folder.name for table in DOCUMENT_TABLES for folder in home.table(table).glob(lake.DAY_FOLDERS)}
    n_calls = dict(connection.execute(f"select start_date, count(*) from {_CONVERSATIONS} group by all").fetchall())
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
    selects = {_CONVERSATIONS: _of_days(home, CONVERSATIONS, portion.days)}
    among = (
        f"in (select {KEY} from {_CONVERSATIONS})"
        if portion.days
        else f"not in (select {KEY} from {target}.{_CONVERSATIONS})"
    )

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
    return read_parquet_sql(table.column_names, (escape(str(file.resolve())) for file in files))
