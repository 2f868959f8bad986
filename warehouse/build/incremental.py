"""Models that are made again call by call: the rows of calls that changed are taken out, made anew, and put back.

A model that is by call (``warehouse.models.row_locality``) reads, instead of its relations, views on them that hold
those calls alone. What came of it is compared with what stood, so that nothing is made again for the sake of a column
that is the same. A model that has to be made whole is compared as well: often few of its rows differ, or none.
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.schema.conversations, none from a user

from __future__ import annotations

from threading import Lock

import duckdb

from warehouse.build.state import MOST_CHANGED, STANDING, WHOLLY, Change, Since
from warehouse.duck import quoted
from warehouse.models.project import ALL_SCHEMAS, Model, Project, with_calls
from warehouse.models.row_locality import KEY
from warehouse.storage.home import Home

WAREHOUSE = "warehouse"
"""Name under which the file that is being made is attached."""

CHANGED = "changed_calls"
"""Database of the views, and of the table of calls that changed."""

_CALLS = f"{CHANGED}.main.calls"
_AMONG = f"where {KEY} in (select {KEY} from {_CALLS})"

MOST_COMPARED = 100_000
"""Rows of a model without calls, up to which it is compared with the one that stood."""


class Deltas:
    """Makes models again from what changed ``since``; the file that stands stays attached until the connection ends."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, home: Home, project: Project, since: Since) -> None:
        """The connection has ``WAREHOUSE`` attached, a copy of the one that stands, with views on the lake of now."""
        self._keyed = with_calls(project.models)
        connection.execute(f"attach {quoted(str(home.warehouse))} as {STANDING} (read_only)")
        connection.execute(f"attach ':memory:' as {CHANGED}")
        for schema in ALL_SCHEMAS:
            connection.execute(f"create schema {CHANGED}.{schema}")
        connection.register("calls_that_changed", since.calls)
        connection.execute(f"create table {_CALLS} as from calls_that_changed")
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
                among = _AMONG if read in self._keyed else ""
                connection.execute(f"create view {CHANGED}.{read} as from {WAREHOUSE}.{read} {among}")
            self._is_ready = True

    def patch(self, connection: duckdb.DuckDBPyConnection, model: Model) -> Change | None:
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
            change = _difference(connection, model, f"(from {STANDING}.{model.key} {_AMONG})", "temp.made")
            if change is not None:
                connection.execute(f"delete from {target} {_AMONG}")
                connection.execute(f"insert into {target} from temp.made")
            connection.execute("drop table temp.made")
            connection.commit()
        except duckdb.Error:
            connection.rollback()
            raise
        finally:
            connection.execute(f"use {WAREHOUSE}")
        return change

    def compare(self, connection: duckdb.DuckDBPyConnection, model: Model) -> Change | None:
        """How a model that was made whole differs from the one that stood, None where it does not."""
        old, new = f"{STANDING}.{model.key}", f"{WAREHOUSE}.{model.key}"
        n_rows = connection.execute(f"select count(*) from {new}").fetchall()[0][0]
        if model.key not in self._keyed:
            if n_rows > MOST_COMPARED:
                return WHOLLY
            return WHOLLY if _differ(connection, old, new) else None
        connection.execute(f"create temp table differing as {_differing_calls(model, old, new)}")
        n_calls, n_of_none = connection.execute(
            f"select count(*), count(*) filter (where {KEY} is null) from temp.differing"
        ).fetchall()[0]
        change = None
        if n_of_none or n_calls > MOST_CHANGED * n_rows:
            change = WHOLLY
        elif n_calls:
            among = f"where {KEY} in (from temp.differing)"
            change = _difference(connection, model, f"(from {old} {among})", f"(from {new} {among})")
            connection.execute(f"insert into {_CALLS} from temp.differing where {KEY} not in (from {_CALLS})")
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
