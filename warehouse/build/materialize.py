"""The relations of a warehouse, made in a database: views on the lake, seeds, models, and what each of them is.

What does not wait for something else is made side by side (``warehouse.parallel``).
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.schema.conversations, none from a user

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from glob import escape
from itertools import count

import duckdb

from warehouse.build import incremental
from warehouse.build.incremental import CONVERSATIONS_PER_BATCH, IncrementalBuilder
from warehouse.build.state import EMPTY_BASELINE, FULL_CHANGE, Baseline, Change, ModelState
from warehouse.connection import execute_with_memory_retry, read_parquet_sql, sql_literal
from warehouse.errors import ModelError
from warehouse.models import build_tables
from warehouse.models.build_tables import GENERATED, METRIC_HEADERS, WORKSPACES, zone_rows
from warehouse.models.project import ALL_SCHEMAS, Model, Project
from warehouse.parallel import MAX_THREADS, map_parallel, run_graph
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.registry import TABLES
from warehouse.schema.types import Table
from warehouse.storage.home import Home

Progress = Callable[[str, int, int], None]
"""Called when a model is begun with its name, its number from 1 and how many there are."""


def silent(_model: str, _number: int, _total: int) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class Comments:
    """What a relation (qualified name) and its columns are, for people; ``kind`` is view or table."""

    kind: str
    key: str
    description: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class MaterializeResult:
    """The models, and the names of relations that are as they stood."""

    models: tuple[ModelState, ...]
    kept: frozenset[str]


def materialize(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    project: Project,
    *,
    zones: Mapping[str, str] | None = None,
    progress: Progress = silent,
    clock: Callable[[], float] = time.perf_counter,
    since: Baseline = EMPTY_BASELINE,
    portion: int = CONVERSATIONS_PER_BATCH,
) -> MaterializeResult:
    """Make everything of ``project`` in the connection's current database, but for what stands there as it should be.

    Of more calls than a ``portion``, models follow each other, and those that say so are made in portions.

    Raises:
        ModelError: see ``warehouse.build.runner.build``.
    """
    for schema in ALL_SCHEMAS:
        connection.execute(f"create schema if not exists {schema}")
    tables = [table for table in TABLES if f"lake.{table.name}" not in since.names]
    map_parallel(connection, lambda cursor, table: _lake_view(cursor, home, table), tables)
    seeds = [seed for seed in project.seeds if not since.is_unchanged(seed.key)]
    for seed in seeds:
        seed.load(connection)
    METRIC_HEADERS.load(connection, build_tables.rows((model.key, model.header) for model in project.models))
    WORKSPACES.load(connection, zone_rows(zones or {}))
    deltas = IncrementalBuilder(connection, home, project, since) if since.names else None
    n_calls = connection.execute(f"select count(*) from lake.{CONVERSATIONS.name}").fetchall()[0][0]
    in_portions = (
        partial(incremental.build_batches, home=home, project=project, size=portion) if n_calls > portion else None
    )
    making = _ModelBuilder(since, dict(since.changed), deltas, in_portions, clock)
    models = _models(connection, project, progress, making)
    whole = [
        model for model, built in zip(project.models, models, strict=True) if not built.is_reused | built.is_incremental
    ]
    comment(
        connection,
        [
            *map(_of_table, tables),
            *(Comments("table", seed.key, seed.header.description, seed.header.columns) for seed in seeds),
            *(Comments("table", given.key, given.description, given.columns) for given in GENERATED),
            *(Comments(_kind(model), model.key, model.header.description, model.header.columns) for model in whole),
        ],
    )
    return MaterializeResult(models, since.names - making.changed.keys())


def comment(connection: duckdb.DuckDBPyConnection, comments: Iterable[Comments]) -> None:
    """Say in the connection's current database what its relations are."""
    connection.execute("set enable_optimizer = false")  # two thousand statements, and nothing to optimise in any
    map_parallel(connection, _comment, comments)
    connection.execute("reset enable_optimizer")


def _of_table(table: Table) -> Comments:
    about = {column.name: column.description for column in table.columns}
    return Comments("view", f"lake.{table.name}", f"One row per {table.grain}.", about)


def _comment(cursor: duckdb.DuckDBPyConnection, relation: Comments) -> None:
    about = (
        f"comment on column {relation.key}.{name} is {sql_literal(words)};" for name, words in relation.columns.items()
    )
    cursor.begin()
    cursor.execute(
        f"comment on {relation.kind} {relation.key} is {sql_literal(relation.description)}; {' '.join(about)}"
    )
    cursor.commit()


def _lake_view(connection: duckdb.DuckDBPyConnection, home: Home, table: Table) -> None:
    files = f"{escape(str(home.table(table).resolve()))}/**/*.parquet"
    connection.execute(f"create or replace view lake.{table.name} as {read_parquet_sql(table.column_names, [files])}")


@dataclass(frozen=True, slots=True)
class _ModelBuilder:
    """What models are made by; ``changed`` grows with each that comes to differ.

    ``in_portions`` makes a model of some days' calls at a time; None where a portion has all calls.
    """

    since: Baseline
    changed: dict[str, Change]
    deltas: IncrementalBuilder | None
    in_portions: Callable[[duckdb.DuckDBPyConnection, Model], None] | None
    clock: Callable[[], float]


def _models(
    connection: duckdb.DuckDBPyConnection, project: Project, progress: Progress, making: _ModelBuilder
) -> tuple[ModelState, ...]:
    models, numbers = project.by_key, count(1)
    built = run_graph(
        connection,
        lambda cursor, key: _model(cursor, models[key], making),
        {key: [read for read in model.reads if read in models] for key, model in models.items()},
        on_start=lambda key: progress(key, next(numbers), len(models)),
        # of very many calls, a query keeps every thread busy by itself, and two at once take the memory of two
        max_threads=1 if making.in_portions else MAX_THREADS,
    )
    return tuple(built[key] for key in models)


def _model(connection: duckdb.DuckDBPyConnection, model: Model, making: _ModelBuilder) -> ModelState:
    """Make a model, as little of it as what changed asks for."""
    stood, changed = making.since.models.get(model.key), making.changed
    of_reads = [changed[read] for read in model.reads if read in changed and changed[read].affects(model)]
    if stood is not None and not of_reads and model.key not in changed:
        return stood
    started = making.clock()
    is_by_call = model.is_by_call and all(change.is_by_call for change in of_reads)
    is_patched = stood is not None and model.key not in changed and (model.is_view or is_by_call)
    change: Change | None = FULL_CHANGE
    try:
        if stood is None or making.deltas is None or model.key in changed:
            types = _whole(connection, model, making)
        elif model.is_view:
            types, change = stood.types, Change(is_by_call=is_by_call)
        elif is_by_call:
            types, change = stood.types, making.deltas.build(connection, model)
        else:
            types = _whole(connection, model, making)
            change = making.deltas.diff(connection, model) if types == stood.types else FULL_CHANGE
        n_rows = connection.execute(f"select count(*) from {model.key}").fetchall()[0][0]
    except duckdb.Error as error:
        raise ModelError(f"{model.path}: {model.key} cannot be built: {error}", "The old warehouse stays.") from error
    if change is not None:
        changed[model.key] = change
    return ModelState(model.key, n_rows, making.clock() - started, types, is_incremental=is_patched)


def _whole(connection: duckdb.DuckDBPyConnection, model: Model, making: _ModelBuilder) -> dict[str, str]:
    """Make all of a model; gives its types by column."""
    if model.header.batch_by and making.in_portions:
        making.in_portions(connection, model)
    else:
        execute_with_memory_retry(connection, f"create or replace {_kind(model)} {model.key} as {model.sql}")
    types = {row[0]: row[1] for row in connection.execute(f"describe {model.key}").fetchall()}
    _check_columns(model, types)
    return types


def _kind(model: Model) -> str:
    return "view" if model.is_view else "table"


def _check_columns(model: Model, types: Iterable[str]) -> None:
    promised, found = list(model.header.columns), list(types)
    if promised == found:
        return
    missing = [name for name in found if name not in promised]
    absent = [name for name in promised if name not in found]
    what = "; ".join(
        f"{words} {', '.join(names)}"
        for words, names in (("not in the header:", missing), ("not in the result:", absent))
        if names
    )
    raise ModelError(
        f"{model.path}: header and result of {model.key} have different columns: {what or 'the order'}.",
        "List exactly the columns of the result under [columns], in their order.",
    )
