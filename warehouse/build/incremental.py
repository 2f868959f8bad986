"""Models by day: rebuild the rows of stale days, compare by day, and build in batches of days to save memory.

As dbt's microbatch and SQLMesh's incremental by time range do it: a model with ``incremental_by = "start_date"`` in its
header says that its rows of a day follow from the rows of that day in what it reads. Its SELECT is then run on views
that hold some days only, and its rows replace the old ones of these days. Any other model is computed as a whole.

All new rows are compared with the old ones by a hash per day, and only days that differ are replaced. So what came out
the same is not stale for the models that read it.
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.schema, none from a user

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from glob import escape

import duckdb

from warehouse.connection import execute_with_memory_retry, read_parquet_sql
from warehouse.errors import ModelError
from warehouse.models.project import ALL_SCHEMAS, DAY, Model, Project, relations_with_days
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import BY_NAME, TABLES
from warehouse.storage import lake
from warehouse.storage.home import Home

CONVERSATIONS_PER_BATCH = 25_000
"""Conversations of a batch, unless a single day has more. The turns of so many fill several of DuckDB's row groups."""

Days = frozenset[date | None]
"""Days on which a relation changed; None is the day of rows without one, and of relations that have no days."""


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of some days; with ``is_rest``, those of all other days and without one."""

    days: Days = frozenset()
    is_rest: bool = False

    @property
    def condition(self) -> str:
        """The rows as a SQL condition, which is never null."""
        days = ", ".join(f"date '{day}'" for day in sorted(day for day in self.days if day is not None))
        is_listed = f"{DAY} is not null and {DAY} in ({days})" if days else "false"
        is_in = f"{DAY} is null or {is_listed}" if None in self.days else is_listed
        return f"not ({is_in})" if self.is_rest else f"({is_in})"


EVERYTHING = Batch(is_rest=True)


def stale_days(model: Model, changes: Mapping[str, Days | None], with_days: Collection[str]) -> Days | None:
    """The days on which a model can differ after changes of what it reads (None: all); None if it has to be rebuilt.

    Only an incremental model does not have to be rebuilt as a whole. A view has the days of the table that it reads.
    """
    days = [changes[read] if read in with_days else None for read in model.reads if read in changes]
    is_by_day = model.header.incremental_by or (model.is_view and model.key in with_days)
    if not is_by_day or None in days:
        return None
    return Days().union(*(some for some in days if some is not None))


class DayBuilder:
    """Builds the tables of models in the connection's current database, which has all that they read.

    If there are more than ``batch_size`` conversations, incremental models are built in batches of days with as many.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, home: Home, project: Project, batch_size: int) -> None:
        (self._target,) = connection.execute("select current_catalog()").fetchall()[0]
        self._home, self._models, self._size = home, project.by_key, batch_size
        self._with_days = relations_with_days(project.models)
        counts = f"select {DAY}, count(*) from lake.{CONVERSATIONS.name} group by all"
        lake_days = (day for table in TABLES for day in lake.days(home, table))
        self._n_by_day: dict[date | None, int] = dict.fromkeys(lake_days, 0)
        self._n_by_day |= dict(connection.execute(counts).fetchall())
        self.is_batched = sum(self._n_by_day.values()) > batch_size

    def stale_days(self, model: Model, changes: Mapping[str, Days | None]) -> Days | None:
        """See the function of this name."""
        return stale_days(model, changes, self._with_days)

    def create(self, connection: duckdb.DuckDBPyConnection, model: Model) -> None:
        """Create or replace the model's table or view.

        Raises:
            duckdb.Error: the model cannot be built.
        """
        kind, batches = "view" if model.is_view else "table", self._batches(model, None)
        if len(batches) == 1:
            execute_with_memory_retry(connection, f"create or replace {kind} {model.key} as {model.sql}")
            return
        connection.execute(f"create or replace table {model.key} as from ({model.sql}) limit 0")
        for batch in batches:
            with self._views(connection, model, batch):
                execute_with_memory_retry(connection, f"insert into {self._target}.{model.key} {model.sql}")

    def update(
        self, connection: duckdb.DuckDBPyConnection, model: Model, days: Days | None, types: Mapping[str, str]
    ) -> Days | None:
        """Rebuild the rows of some days (None: all) of a table with the columns ``types``; the days that now differ.

        None if the rows have other types by now: nothing was changed, and the table has to be created again.

        Raises:
            duckdb.Error: the model cannot be built.
            ModelError: its rows are not of the days that they were computed from.
        """
        differing = Days()
        for batch in self._batches(model, days):
            with self._views(connection, model, batch):
                execute_with_memory_retry(connection, f"create or replace temp table new_rows as {model.sql}")
            if describe(connection, "temp.new_rows") != types:
                return None
            differing |= self._replace(connection, model, batch)
            connection.execute("drop table temp.new_rows")
        return differing

    def _replace(self, connection: duckdb.DuckDBPyConnection, model: Model, batch: Batch) -> Days:
        """Replace the rows of the batch by ``temp.new_rows`` on the days on which they differ; returns these days."""
        has_days = model.key in self._with_days
        where = f"where {batch.condition}" if has_days else ""
        if has_days and connection.execute(f"from temp.new_rows where not {batch.condition} limit 1").fetchall():
            raise ModelError(
                f"{model.path}: {model.key} has rows of other days than those that it reads.", "Remove incremental_by."
            )
        columns = ", ".join(f'"{name}"' for name in model.header.columns)
        day = DAY if has_days else "null::date"
        hashes = f"select {day} as day, count(*) as n_rows, sum(hash({columns})) as hashes from"  # in any order of rows
        old, new = f"{hashes} {model.key} {where} group by all", f"{hashes} temp.new_rows group by all"
        differing = f"select distinct day from (({old} except {new}) union all ({new} except {old}))"
        days = Days(day for (day,) in connection.execute(differing).fetchall())
        if days:
            where = f"where {Batch(days).condition}" if has_days else ""
            connection.execute(f"delete from {model.key} {where}")
            connection.execute(f"insert into {model.key} from temp.new_rows {where}")
        return days

    def _batches(self, model: Model, days: Days | None) -> list[Batch]:
        """The days in batches of at most ``batch_size`` conversations, unless a single day has more; None: all rows."""
        if not model.header.incremental_by or (days is None and not self.is_batched):
            return [EVERYTHING]
        batches, n_conversations = list[set[date | None]](), self._size
        every_day = frozenset(self._n_by_day)
        for day in sorted(every_day if days is None else days, key=str):
            n_conversations += self._n_by_day.get(day, 0)
            if not batches or n_conversations > self._size:
                batches.append(set())
                n_conversations = self._n_by_day.get(day, 0)
            batches[-1].add(day)
        rest = [Batch(every_day, is_rest=True)] if days is None else []
        return [*(Batch(frozenset(batch)) for batch in batches), *rest]

    @contextmanager
    def _views(self, connection: duckdb.DuckDBPyConnection, model: Model, batch: Batch) -> Iterator[None]:
        """Within it, the names of all relations with days that the model reads mean only their rows of the batch.

        A model names its relations without a database, so the current one decides which it reads.
        """
        if batch is EVERYTHING:
            yield
            return
        name = f"days_of_{model.schema}_{model.name}"
        connection.execute(f"attach ':memory:' as {name}")
        try:
            for schema in ALL_SCHEMAS:
                connection.execute(f"create schema {name}.{schema}")
            connection.execute(f"use {name}")
            for relation, select in self._selects(model.reads, batch).items():
                connection.execute(f"create view {relation} as {select}")
            yield
        finally:
            connection.execute(f"use {self._target}")
            connection.execute(f"detach {name}")

    def _selects(self, reads: Iterable[str], batch: Batch) -> dict[str, str]:
        """A SELECT of the batch's rows for each relation, after those that it reads itself."""
        selects = dict[str, str]()
        for name in reads:
            model, table = self._models.get(name), BY_NAME.get(name.removeprefix("lake."))
            if name not in self._with_days:
                selects[name] = f"from {self._target}.{name}"
            elif model is not None and model.is_view:
                selects |= self._selects(model.reads, batch) | {name: model.sql}
            elif table is not None and name.startswith("lake."):
                days = [] if batch.is_rest else [day for day in batch.days if day is not None]
                files = [file for day in days for file in lake.day_files(self._home, table, day)]
                # read_parquet needs a file, and no table has to have any on these days
                patterns = [escape(str(file.resolve())) for file in (*files, lake.schema_file(self._home, table))]
                selects[name] = read_parquet_sql(table.column_names, patterns)
            else:
                selects[name] = f"from {self._target}.{name} where {batch.condition}"
        return selects


def describe(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """DuckDB's types of a relation by column, in order."""
    return {row[0]: row[1] for row in connection.execute(f"describe {relation}").fetchall()}
