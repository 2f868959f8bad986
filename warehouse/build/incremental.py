"""Models by day, as dbt's microbatch and SQLMesh's incremental by time range build them.

A model with ``incremental_by = "start_date"`` in its header says that its rows of a day follow from the rows of that
day in what it reads. Its SELECT is run on views that hold some days only: the stale ones, or batches of all days to
save memory. Any other model is computed as a whole. New rows are compared with the old ones by a hash per day, and only
days that differ are replaced and are stale for the models that read it.
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.schema, none from a user

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from glob import escape

import duckdb

from warehouse.connection import execute_with_memory_retry, read_parquet_sql, sql_literal
from warehouse.errors import ModelError
from warehouse.models.project import ALL_SCHEMAS, DAY, Model, Project, relations_with_days
from warehouse.models.staleness import Days, is_on
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import BY_NAME, TABLES
from warehouse.storage import lake
from warehouse.storage.home import Home

CONVERSATIONS_PER_BATCH = 25_000
"""Conversations of a batch, unless a single day has more. The turns of so many fill several of DuckDB's row groups."""


class DayBuilder:
    """Builds models in the connection's current database; ``batch_size`` are the conversations of a batch of days."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, home: Home, project: Project, batch_size: int) -> None:
        (self._target,) = connection.execute("select current_catalog()").fetchall()[0]
        self._home, self._models, self._size = home, project.by_key, batch_size
        self.with_days = relations_with_days(project.models)
        lake_days = (day for table in TABLES for day in lake.days(home, table))
        self._n_by_day: dict[date | None, int] = dict.fromkeys(lake_days, 0)
        counts = f"select {DAY}, count(*) from lake.{CONVERSATIONS.name} group by all"
        self._n_by_day |= dict(connection.execute(counts).fetchall())
        self.is_batched = sum(self._n_by_day.values()) > batch_size

    def create(self, connection: duckdb.DuckDBPyConnection, model: Model) -> None:
        """Create or replace the model's table or view."""
        kind, batches = "view" if model.is_view else "table", self._batches(connection, model, None)
        if batches == [None]:
            execute_with_memory_retry(connection, f"create or replace {kind} {model.key} as {model.sql}")
            return
        connection.execute(f"create or replace table {model.key} as from ({model.sql}) limit 0")
        for days in batches:
            with self._views(connection, model, days):
                execute_with_memory_retry(connection, f"insert into {self._target}.{model.key} {model.sql}")

    def update(
        self, connection: duckdb.DuckDBPyConnection, model: Model, days: Days | None, types: Mapping[str, str]
    ) -> Days | None:
        """Rebuild the rows of some days (None: all) of a table with the columns ``types``; the days that now differ.

        None if the rows have other types by now: nothing was changed, and the table has to be created again.

        Raises:
            ModelError: its rows are not of the days that they were computed from.
        """
        differing = Days()
        for batch in self._batches(connection, model, days):
            with self._views(connection, model, batch):
                execute_with_memory_retry(connection, f"create or replace temp table new_rows as {model.sql}")
            if describe(connection, "temp.new_rows") != types:
                return None
            differing |= self._replace(connection, model, batch)
            connection.execute("drop table temp.new_rows")
        return differing

    def _replace(self, connection: duckdb.DuckDBPyConnection, model: Model, batch: Days | None) -> Days:
        """Replace rows of the batch by ``temp.new_rows`` on the days on which they differ; returns these days."""
        if connection.execute(f"from temp.new_rows where not {is_on(batch)} limit 1").fetchall():
            message = f"{model.path}: {model.key} has rows of other days than those that it reads."
            raise ModelError(message, "Remove incremental_by.")
        has_days, columns = model.key in self.with_days, ", ".join(f'"{name}"' for name in model.header.columns)
        hashes = (
            f"select {DAY if has_days else 'null::date'} as day, count(*) as n, sum(hash({columns})) as hashes from"
        )
        old, new = f"{hashes} {model.key} where {is_on(batch)} group by day", f"{hashes} temp.new_rows group by day"
        differing = f"select distinct day from (({old} except {new}) union all ({new} except {old}))"
        days = Days(day for (day,) in connection.execute(differing).fetchall())
        if days:
            condition = is_on(days if has_days else None)
            connection.execute(f"delete from {model.key} where {condition}")
            connection.execute(f"insert into {model.key} from temp.new_rows where {condition}")
        return days

    def _batches(self, connection: duckdb.DuckDBPyConnection, model: Model, days: Days | None) -> Sequence[Days | None]:
        """The days (None: all) in batches of at most ``batch_size`` conversations, unless a single day has more."""
        if not model.header.incremental_by or (days is None and not self.is_batched):
            return [None]
        if days is None:
            tables = [relation for relation in model.reads if relation in self.with_days and relation in self._models]
            selects = " union ".join(f"select {DAY} from {table}" for table in tables) or "select null::date limit 0"
            days = Days(self._n_by_day) | {day for (day,) in connection.execute(selects).fetchall()}
        batches, n_conversations = list[set[date | None]](), self._size
        for day in sorted(days, key=str):
            n_conversations += self._n_by_day.get(day, 0)
            if not batches or n_conversations > self._size:
                batches.append(set())
                n_conversations = self._n_by_day.get(day, 0)
            batches[-1].add(day)
        return [Days(batch) for batch in batches]

    @contextmanager
    def _views(self, connection: duckdb.DuckDBPyConnection, model: Model, days: Days | None) -> Iterator[None]:
        """Within it, the names of all relations with days that the model reads mean only their rows of these days.

        A model names its relations without a database, so the current one decides which it reads.
        """
        if days is None:
            yield
            return
        name = f"days_of_{model.schema}_{model.name}"
        connection.execute(f"attach ':memory:' as {name}")
        try:
            for schema in ALL_SCHEMAS:
                connection.execute(f"create schema {name}.{schema}")
            connection.execute(f"use {name}")
            for relation, select in self._selects(model.reads, days).items():
                connection.execute(f"create view {relation} as {select}")
            yield
        finally:
            connection.execute(f"use {self._target}")
            connection.execute(f"detach {name}")

    def _selects(self, reads: Iterable[str], days: Days) -> dict[str, str]:
        """A SELECT of the rows of the days for each relation, after those that it reads itself."""
        selects = dict[str, str]()
        for name in reads:
            model = self._models.get(name)
            if name in self.with_days and model is None:
                table = BY_NAME[name.removeprefix("lake.")]
                files = [file for day in days if day is not None for file in lake.day_files(self._home, table, day)]
                files.append(lake.schema_file(self._home, table))  # read_parquet needs a file
                literals = (sql_literal(escape(str(file.resolve()))) for file in files)
                selects[name] = read_parquet_sql(table.column_names, literals)
            elif name in self.with_days and model is not None and model.is_view:
                selects |= self._selects(model.reads, days) | {name: model.sql}
            else:
                condition = is_on(days if name in self.with_days else None)
                selects[name] = f"from {self._target}.{name} where {condition}"
        return selects


def describe(connection: duckdb.DuckDBPyConnection, relation: str) -> dict[str, str]:
    """DuckDB's types of a relation by column, in order."""
    return {row[0]: row[1] for row in connection.execute(f"describe {relation}").fetchall()}
