"""Creates the relations of a warehouse in a database: views on the lake, seeds, generated tables, models.

Relations that do not depend on each other are created in parallel (``warehouse.parallel``).
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.schema, none from a user

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import count

import duckdb

from warehouse.build.comments import RelationComment, model_comment, table_comment
from warehouse.build.incremental import CONVERSATIONS_PER_BATCH, DayBuilder, describe
from warehouse.build.state import EMPTY_BASELINE, Baseline, ModelState
from warehouse.connection import lake_files_sql, read_parquet_sql
from warehouse.errors import ModelError
from warehouse.models.build_tables import (
    AGENT_NAMES,
    GENERATED_TABLES,
    METRIC_HEADERS,
    WORKSPACES,
    agent_name_rows,
    metric_header_rows,
    workspace_rows,
)
from warehouse.models.project import ALL_SCHEMAS, PUBLIC_SCHEMAS, Model, Project
from warehouse.models.staleness import Days, stale_days
from warehouse.parallel import MAX_THREADS, map_parallel, run_graph
from warehouse.schema.registry import TABLES
from warehouse.schema.types import Table
from warehouse.storage.home import Home

SHORT_NAMES = "main"
"""DuckDB's default schema, where the tables of some schemas are views: for tools that look into no other."""

Progress = Callable[[str, int, int], None]
"""Called when a model is started, with its name, its number from 1 and the number of models."""


def no_progress(_model: str, _number: int, _total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class MaterializeResult:
    """The models, the names of relations that are as they were in the baseline, and descriptions of those created."""

    models: tuple[ModelState, ...]
    unchanged: frozenset[str]
    comments: tuple[RelationComment, ...]


def materialize(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    project: Project,
    *,
    zones: Mapping[str, str] | None = None,
    progress: Progress = no_progress,
    clock: Callable[[], float] = time.perf_counter,
    baseline: Baseline = EMPTY_BASELINE,
    batch_size: int = CONVERSATIONS_PER_BATCH,
) -> MaterializeResult:
    """Create all relations of ``project`` in the current database, which is a copy of ``baseline`` or empty.

    What the baseline has unchanged is reused. If there are more than ``batch_size`` conversations, models are built one
    after the other, and incremental ones in batches of days.

    Raises:
        ModelError: see ``warehouse.build.runner.build``.
    """
    for schema in ALL_SCHEMAS:
        connection.execute(f"create schema if not exists {schema}")
    tables = [table for table in TABLES if f"lake.{table.name}" not in baseline.names]
    map_parallel(connection, lambda cursor, table: _create_lake_view(cursor, home, table), tables)
    seeds = [seed for seed in project.seeds if not baseline.is_unchanged(seed.key)]
    for seed in seeds:
        seed.load(connection)
    METRIC_HEADERS.load(connection, metric_header_rows((model.key, model.header) for model in project.models))
    WORKSPACES.load(connection, workspace_rows(zones or {}))
    AGENT_NAMES.load(connection, agent_name_rows(home))
    builder = _ModelBuilder(
        baseline, DayBuilder(connection, home, project, batch_size), dict(baseline.changed_days), clock
    )
    models = builder.build_all(connection, project, progress)
    short_names = [model for model in builder.created if model.schema in PUBLIC_SCHEMAS]
    for model in short_names:
        connection.execute(f"create or replace view {SHORT_NAMES}.{model.name} as from {model.key}")
    comments = (
        *map(table_comment, tables),
        *(RelationComment("table", seed.key, seed.header.description, seed.header.columns) for seed in seeds),
        *(RelationComment("table", table.key, table.description, table.columns) for table in GENERATED_TABLES),
        *map(model_comment, builder.created),
        *(replace(model_comment(model), kind="view", key=f"{SHORT_NAMES}.{model.name}") for model in short_names),
    )
    return MaterializeResult(models, baseline.names - builder.changed_days.keys(), comments)


def _create_lake_view(connection: duckdb.DuckDBPyConnection, home: Home, table: Table) -> None:
    select = read_parquet_sql(table.column_names, [lake_files_sql(home, table)])
    connection.execute(f"create or replace view lake.{table.name} as {select}")


@dataclass(frozen=True, slots=True)
class _ModelBuilder:
    """Builds each model in the cheapest way that its changed inputs allow.

    ``changed_days`` begins with the changes of the baseline and grows by each model that comes out different. Several
    threads read and write it without a lock: a model is built only after all that it reads, so the entries that it
    looks at are final. ``created`` are the models that have no comments yet.
    """

    baseline: Baseline
    days: DayBuilder
    changed_days: dict[str, Days | None]
    clock: Callable[[], float]
    created: list[Model] = field(default_factory=list)

    def build_all(
        self, connection: duckdb.DuckDBPyConnection, project: Project, progress: Progress
    ) -> tuple[ModelState, ...]:
        """Build the models of the project; their states in its order."""
        models, numbers = project.by_key, count(1)
        states = run_graph(
            connection,
            lambda cursor, key: self._build(cursor, models[key]),
            {key: [relation for relation in model.reads if relation in models] for key, model in models.items()},
            on_start=lambda key: progress(key, next(numbers), len(models)),
            # with very many conversations one query keeps all threads busy, and two at once need twice the memory
            max_threads=1 if self.days.is_batched else MAX_THREADS,
        )
        return tuple(states[key] for key in models)

    def _build(self, connection: duckdb.DuckDBPyConnection, model: Model) -> ModelState:
        """Build a model, or the days of it that its changed inputs affect."""
        state_before, changed_days = self.baseline.models.get(model.key), self.changed_days
        is_other = state_before is None or model.key in changed_days
        if state_before is not None and not is_other and not any(relation in changed_days for relation in model.reads):
            return state_before
        started = self.clock()
        days = None if is_other else stale_days(model, changed_days, self.days.with_days)
        try:
            if state_before is None or is_other:
                types, change = self._create(connection, model), None
            elif model.is_view:
                types, change = state_before.types, days
            else:
                types, change = state_before.types, self.days.update(connection, model, days, state_before.types)
                if change is None:
                    types = self._create(connection, model)
            n_rows = None if model.is_view else _count(connection, model)
        except duckdb.Error as error:
            message = f"{model.path}: {model.key} cannot be built: {error}"
            raise ModelError(message, "The current warehouse stays in place.") from error
        if change is None or change:
            changed_days[model.key] = change
        is_incremental = not is_other and (model.is_view or days is not None)
        return ModelState(model.key, n_rows, self.clock() - started, types, is_incremental=is_incremental)

    def _create(self, connection: duckdb.DuckDBPyConnection, model: Model) -> dict[str, str]:
        """Create or replace a model; its types by column."""
        self.days.create(connection, model)
        self.created.append(model)
        types = describe(connection, model.key)
        _check_columns(model, types)
        return types


def _count(connection: duckdb.DuckDBPyConnection, model: Model) -> int:
    (n_rows,) = connection.execute(f"select count(*) from {model.key}").fetchall()[0]
    return int(n_rows)


def _check_columns(model: Model, types: Iterable[str]) -> None:
    in_header, in_result = list(model.header.columns), list(types)
    if in_header == in_result:
        return
    not_in_header = [name for name in in_result if name not in in_header]
    not_in_result = [name for name in in_header if name not in in_result]
    difference = "; ".join(
        f"{words} {', '.join(names)}"
        for words, names in (("not in the header:", not_in_header), ("not in the result:", not_in_result))
        if names
    )
    raise ModelError(
        f"{model.path}: header and result of {model.key} have different columns: {difference or 'the order'}.",
        "List exactly the columns of the result under [columns], in their order.",
    )
