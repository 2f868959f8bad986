"""Build the warehouse: views on the lake, seeds, models in order, comments; then check it, and only then swap it in.

Everything goes into ``warehouse.duckdb.new``, so readers keep the old file until ``os.replace``. A failed check keeps
the old warehouse and leaves the new one as ``warehouse.duckdb.rejected`` for a look. The file is written in DuckDB's
1.0 storage, because most BI drivers cannot open 2.0's.
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.tables, none from a user

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import duckdb

from warehouse import catalog, lake
from warehouse.checks import every_check
from warehouse.duck import DEFAULT_LIMITS, Limits, connect, quoted
from warehouse.errors import ModelError
from warehouse.generated import GENERATED, METRIC_HEADERS, WORKSPACES, zone_rows
from warehouse.home import Home
from warehouse.model_checks import CheckResult, run
from warehouse.models import SCHEMAS, SQL_DIR, Model, Project, read_project
from warehouse.tables import TABLES

STORAGE = "v1.0.0"

Progress = Callable[[str, int, int], None]
"""Called before each model with its name, its number from 1 and how many there are."""


@dataclass(frozen=True, slots=True)
class BuiltModel:
    """A model that was built; ``types`` are DuckDB's by column, in order."""

    key: str
    n_rows: int
    secs: float
    types: dict[str, str]


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build made and found; ``is_swapped`` says whether the new warehouse is in place."""

    models: tuple[BuiltModel, ...]
    checks: tuple[CheckResult, ...]
    is_swapped: bool

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """Checks that found rows."""
        return tuple(result for result in self.checks if not result.is_passed)


def _silent(_model: str, _number: int, _total: int) -> None:
    """Report nothing."""


def build(
    home: Home,
    *,
    sql_dir: Path = SQL_DIR,
    zones: Mapping[str, str] | None = None,
    progress: Progress = _silent,
    limits: Limits = DEFAULT_LIMITS,
    clock: Callable[[], float] = time.perf_counter,
) -> BuildResult:
    """Build, check and, when every check passed, put the warehouse in place.

    Args:
        home: The home folder.
        sql_dir: Where the models are.
        zones: IANA time zone of each workspace, for local days and hours; UTC where it has none.
        progress: Told of each model.
        limits: Threads and memory.
        clock: Seconds, to time each model.

    Raises:
        ModelError: a seed is bad, a model cannot be read, ordered or built, its header and its columns differ, or the
            disk is full; the old warehouse stays as it was.
    """
    project = read_project(sql_dir, home.seeds)
    new = home.warehouse_new
    rejected = home.warehouse.with_name(f"{home.warehouse.name}.rejected")
    lake.ensure(home)
    _remove(new)
    try:
        with connect(limits=limits, temporary=home.temporary) as connection:
            connection.execute(f"attach {quoted(str(new))} as warehouse (storage_version '{STORAGE}')")
            connection.execute("use warehouse")
            connection.execute("set parquet_metadata_cache = true")  # each model opens the same few hundred footers
            models = materialise(connection, home, project, zones=zones, progress=progress, clock=clock)
            checks = run(connection, every_check(project))
            connection.execute("use memory")
            connection.execute("detach warehouse")
    except duckdb.Error as error:
        _remove(new)
        message = f"The warehouse cannot be built: {error}"
        raise ModelError(message, "The old warehouse stays. If the disk is full, make room, then run again.") from error
    except BaseException:
        _remove(new)
        raise
    if any(not result.is_passed for result in checks):
        _remove(rejected)
        new.replace(rejected)
        return BuildResult(models, checks, is_swapped=False)
    _wal(home.warehouse).unlink(missing_ok=True)  # a log of the old file must not be replayed on the new one
    new.replace(home.warehouse)
    _remove(rejected)
    return BuildResult(models, checks, is_swapped=True)


def materialise(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    project: Project,
    *,
    zones: Mapping[str, str] | None = None,
    progress: Progress = _silent,
    clock: Callable[[], float] = time.perf_counter,
) -> tuple[BuiltModel, ...]:
    """Make everything of ``project`` in the connection's current database, which must be empty.

    Raises:
        ModelError: see ``build``.
    """
    for schema in ("lake", "seeds", *SCHEMAS):
        connection.execute(f"create schema {schema}")
    _lake_views(connection, home)
    for seed in project.seeds:
        seed.load(connection)
        _comment(connection, seed.key, "table", seed.header.description, seed.header.columns)
    METRIC_HEADERS.load(connection, catalog.rows((model.key, model.header) for model in project.models))
    WORKSPACES.load(connection, zone_rows(zones or {}))
    for generated in GENERATED:
        _comment(connection, generated.key, "table", generated.description, generated.columns)
    built = []
    for number, model in enumerate(project.models, 1):
        progress(model.key, number, len(project.models))
        built.append(_build_model(connection, model, clock))
    return tuple(built)


def _lake_views(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    for table in TABLES:
        glob = f"{escape(str(home.table(table).resolve()))}/**/*.parquet"
        # by name: a file from before a column was added has null there
        connection.execute(
            f"create view lake.{table.name} as select {', '.join(table.names)} "
            f"from read_parquet({quoted(glob)}, union_by_name = true, hive_partitioning = false)"
        )
        about = {column.name: column.about for column in table.columns}
        _comment(connection, f"lake.{table.name}", "view", f"One row per {table.grain}.", about)


def _build_model(connection: duckdb.DuckDBPyConnection, model: Model, clock: Callable[[], float]) -> BuiltModel:
    started, kind = clock(), "view" if model.is_view else "table"
    try:
        connection.execute(f"create {kind} {model.key} as {model.sql}")
        types = {row[0]: row[1] for row in connection.execute(f"describe {model.key}").fetchall()}
        n_rows = connection.execute(f"select count(*) from {model.key}").fetchall()[0][0]
    except duckdb.Error as error:
        raise ModelError(f"{model.path}: {model.key} cannot be built: {error}", "The old warehouse stays.") from error
    _check_columns(model, types)
    _comment(connection, model.key, kind, model.header.description, model.header.columns)
    return BuiltModel(model.key, n_rows, clock() - started, types)


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


def _comment(
    connection: duckdb.DuckDBPyConnection, key: str, kind: str, description: str, columns: Mapping[str, str]
) -> None:
    connection.begin()  # one commit for all: two thousand small ones take a third of a small build
    connection.execute(f"comment on {kind} {key} is {quoted(description)}")
    for name, about in columns.items():
        connection.execute(f"comment on column {key}.{name} is {quoted(about)}")
    connection.commit()


def _wal(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def _remove(database: Path) -> None:
    database.unlink(missing_ok=True)
    _wal(database).unlink(missing_ok=True)
