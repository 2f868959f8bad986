"""Models that are built in parts: incrementally, or in batches of days.

**Incrementally.** ``IncrementalBuilder`` rebuilds only the rows of conversations that changed. The model's SELECT runs
on views that hold just these conversations; its rows replace the old ones. They are compared with the old ones first,
so that a model downstream is left alone if no column that it uses has changed. A model that has to be rebuilt as a
whole is compared too, because often few of its rows differ, or none.

**In batches.** ``build_batches`` builds a model with ``batch_by`` some days at a time, as dbt's microbatch does, so
that not all turns have to fit into memory at once.

Both need a model that is local to a conversation (``warehouse.models.row_locality``).
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.schema, none from a user

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from glob import escape
from threading import Lock

import duckdb

from warehouse.build.state import BASELINE_DATABASE, FULL_CHANGE, MAX_CHANGED_SHARE, Baseline, Change
from warehouse.connection import execute_with_memory_retry, read_parquet_sql, sql_literal
from warehouse.models.project import ALL_SCHEMAS, Model, Project, conversation_relations
from warehouse.models.row_locality import KEY
from warehouse.parallel import map_parallel
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.schema.types import Table
from warehouse.storage import lake
from warehouse.storage.home import Home

WAREHOUSE = "warehouse"
"""Name under which the file that is being built is attached."""

CHANGED_DATABASE = "changed_conversations"
"""Database in memory with the ids of the changed conversations, and with views that hold only these."""

MAX_COMPARED_ROWS = 100_000
"""Rows up to which a model without conversations is compared with its old version."""

CONVERSATIONS_PER_BATCH = 25_000
"""Conversations of a batch, unless a single day has more. The turns of so many fill several of DuckDB's row groups;
row groups that are mostly empty would be written again by the next batch."""

_CHANGED_IDS = f"{CHANGED_DATABASE}.main.ids"
_IN_CHANGED = f"where {KEY} in (select {KEY} from {_CHANGED_IDS})"
_CONVERSATIONS = f"lake.{CONVERSATIONS.name}"
_DOCUMENT_TABLES = {f"lake.{table.name}": table for table in DOCUMENT_TABLES}


class IncrementalBuilder:
    """Rebuilds models from what changed since the baseline, which stays attached until the connection is closed."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, home: Home, project: Project, baseline: Baseline) -> None:
        """``WAREHOUSE`` is attached: a copy of the current warehouse, whose views read the lake as it is now."""
        self._conversation_relations = conversation_relations(project.models)
        connection.execute(f"attach {sql_literal(str(home.warehouse))} as {BASELINE_DATABASE} (read_only)")
        connection.execute(f"attach ':memory:' as {CHANGED_DATABASE}")
        for schema in ALL_SCHEMAS:
            connection.execute(f"create schema {CHANGED_DATABASE}.{schema}")
        connection.register("changed_ids", baseline.changed_ids)
        connection.execute(f"create table {_CHANGED_IDS} as from changed_ids")
        connection.unregister("changed_ids")
        incremental = [model for model in project.models if model.is_conversation_local and not model.is_view]
        self._reads = sorted({read for model in incremental for read in model.reads})
        self._is_ready, self._lock = False, Lock()

    def _create_views(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Create the views when the first model needs them: creating one opens every file that it reads."""
        with self._lock:  # models are built by several threads; the others wait until the views exist
            if self._is_ready:
                return
            for read in self._reads:
                condition = _IN_CHANGED if read in self._conversation_relations else ""
                connection.execute(f"create view {CHANGED_DATABASE}.{read} as from {WAREHOUSE}.{read} {condition}")
            self._is_ready = True

    def build(self, connection: duckdb.DuckDBPyConnection, model: Model) -> Change | None:
        """Rebuild the rows of changed conversations; returns how the model has changed, None if it has not.

        Raises:
            duckdb.Error: the model cannot be built.
        """
        self._create_views(connection)
        target = f"{WAREHOUSE}.{model.key}"
        old_rows = f"(from {BASELINE_DATABASE}.{model.key} {_IN_CHANGED})"
        connection.execute(f"use {CHANGED_DATABASE}")
        # one transaction, so one snapshot of the ids: another thread's diff may add some between two statements
        connection.begin()
        try:
            connection.execute(f"create temp table new_rows as {model.sql}")
            change = _conversation_change(connection, model, old_rows, "temp.new_rows")
            if change is not None:
                connection.execute(f"delete from {target} {_IN_CHANGED}")
                connection.execute(f"insert into {target} from temp.new_rows")
            connection.execute("drop table temp.new_rows")
            connection.commit()
        except duckdb.Error:
            connection.rollback()
            raise
        finally:
            connection.execute(f"use {WAREHOUSE}")
        return change

    def diff(self, connection: duckdb.DuckDBPyConnection, model: Model) -> Change | None:
        """How a model that was rebuilt as a whole differs from its old version; None if it does not.

        Conversations whose rows differ are added to the changed ones, for the models that are built after this one.
        """
        old, new = f"{BASELINE_DATABASE}.{model.key}", f"{WAREHOUSE}.{model.key}"
        n_rows = connection.execute(f"select count(*) from {new}").fetchall()[0][0]
        if model.key not in self._conversation_relations:
            is_changed = n_rows > MAX_COMPARED_ROWS or _is_different(connection, old, new)
            return FULL_CHANGE if is_changed else None
        connection.execute(f"create temp table differing as {_differing_ids_sql(model, old, new)}")
        n_ids, n_null_ids = connection.execute(
            f"select count(*), count(*) filter (where {KEY} is null) from temp.differing"
        ).fetchall()[0]
        change = None
        if n_null_ids or n_ids > MAX_CHANGED_SHARE * n_rows:
            change = FULL_CHANGE
        elif n_ids:
            condition = f"where {KEY} in (from temp.differing)"
            change = _conversation_change(connection, model, f"(from {old} {condition})", f"(from {new} {condition})")
            connection.execute(
                f"insert into {_CHANGED_IDS} from temp.differing where {KEY} not in (from {_CHANGED_IDS})"
            )
        connection.execute("drop table temp.differing")
        return change


def _conversation_change(connection: duckdb.DuckDBPyConnection, model: Model, old: str, new: str) -> Change | None:
    """How rows of conversations differ; by columns if the model has one row per conversation."""
    if model.header.grain != (KEY,):
        return Change(is_partial=True) if _is_different(connection, old, new) else None
    names = [name for name in model.header.columns if name != KEY]
    comparisons = "".join(f', bool_or(o."{name}" is distinct from n."{name}")' for name in names)
    has_other_rows, *is_changed = connection.execute(
        f"select coalesce(bool_or(o.{KEY} is null or n.{KEY} is null), false){comparisons} "
        f"from {old} o full join {new} n on o.{KEY} = n.{KEY}"
    ).fetchall()[0]
    if has_other_rows:
        return Change(is_partial=True)
    columns = frozenset(name for name, is_other in zip(names, is_changed, strict=True) if is_other)
    return Change(columns, is_partial=True) if columns else None


def _is_different(connection: duckdb.DuckDBPyConnection, old: str, new: str) -> bool:
    """Whether two relations hold different rows, or a row a different number of times."""
    sql = f"(from {old} except all from {new}) union all (from {new} except all from {old}) limit 1"
    return bool(connection.execute(sql).fetchall())


def _differing_ids_sql(model: Model, old: str, new: str) -> str:
    """The conversations of which two relations hold different rows, by a hash of each row."""
    columns = ", ".join(f'"{name}"' for name in model.header.columns)
    before, now = (f"select {KEY}, hash({columns}) as row_hash from {relation}" for relation in (old, new))
    return f"select distinct {KEY} from (({before} except all {now}) union all ({now} except all {before}))"


@dataclass(frozen=True, slots=True)
class _Batch:
    """The conversations of some days; without days, the rows of no conversation. ``name`` is its database of views."""

    name: str
    days: tuple[date, ...] = ()


def build_batches(
    connection: duckdb.DuckDBPyConnection, model: Model, *, home: Home, project: Project, size: int
) -> None:
    """Create or replace the model's table in the current database, which has all that the model reads.

    ``size`` is the number of conversations of a batch, unless a single day has more.

    Raises:
        duckdb.Error: the model cannot be built.
    """
    (target,) = connection.execute("select current_catalog()").fetchall()[0]
    batches = [_Batch(f"batch_{number}", days) for number, days in enumerate(_batch_days(connection, home, size), 1)]
    batches.append(_Batch("batch_without_conversation"))
    for batch in batches:
        connection.execute(f"attach ':memory:' as {batch.name}")
        for schema in ALL_SCHEMAS:
            connection.execute(f"create schema {batch.name}.{schema}")

    def insert(cursor: duckdb.DuckDBPyConnection, batch: _Batch) -> None:
        # the model names its relations without a database, so the cursor's current one decides which views it reads
        cursor.execute(f"use {batch.name}")
        try:
            for name, select in _batch_views(home, project, model, batch, target).items():
                cursor.execute(f"create view {name} as {select}")
            execute_with_memory_retry(cursor, f"insert into {target}.{model.key} {model.sql}")
        finally:
            cursor.execute(f"use {target}")  # the cursor goes on to another batch, or is the connection itself

    connection.execute(f"create or replace table {model.key} as from ({model.sql}) limit 0")
    map_parallel(connection, insert, batches)
    for batch in batches:
        connection.execute(f"detach {batch.name}")


def _batch_days(connection: duckdb.DuckDBPyConnection, home: Home, size: int) -> Iterator[tuple[date, ...]]:
    """Days of which any table has files, in order; as many per batch as have at most ``size`` conversations."""
    n_by_day = dict(connection.execute(f"select start_date, count(*) from {_CONVERSATIONS} group by all").fetchall())
    days, n_conversations = list[date](), 0
    for day in lake.days(home, DOCUMENT_TABLES):
        n_of_day = n_by_day.get(day, 0)
        if days and n_conversations + n_of_day > size:
            yield tuple(days)
            days, n_conversations = [], 0
        days.append(day)
        n_conversations += n_of_day
    if days:
        yield tuple(days)


def _batch_views(home: Home, project: Project, model: Model, batch: _Batch, target: str) -> Mapping[str, str]:
    """A SELECT for each relation that the model reads, each after those that it reads itself."""
    models, with_conversations = project.by_key, conversation_relations(project.models)
    selects = {_CONVERSATIONS: _days_sql(home, CONVERSATIONS, batch.days)}
    condition = (
        f"in (select {KEY} from {_CONVERSATIONS})"
        if batch.days
        else f"not in (select {KEY} from {target}.{_CONVERSATIONS})"
    )

    def select(name: str) -> str:
        model_read = models.get(name)
        if name in _DOCUMENT_TABLES:
            return _days_sql(home, _DOCUMENT_TABLES[name], batch.days)
        if model_read is not None and model_read.is_view and model_read.is_conversation_local:
            for upstream in model_read.reads:
                selects.setdefault(upstream, select(upstream))
            return model_read.sql
        where = f" where coalesce({KEY}, '') {condition}" if name in with_conversations else ""
        return f"from {target}.{name}{where}"

    for name in model.reads:
        selects.setdefault(name, select(name))
    return selects


def _days_sql(home: Home, table: Table, days: tuple[date, ...]) -> str:
    """A SELECT of a table's rows on some days."""
    files = [file for day in days for file in home.partition(table, day).glob("*.parquet")]
    files.append(lake.schema_file(home, table))  # read_parquet needs a file, and a batch may have none
    return read_parquet_sql(table.column_names, (sql_literal(escape(str(file.resolve()))) for file in files))
