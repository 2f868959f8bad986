"""Build the warehouse: views on the lake, seeds, models in order, comments; then check it, and only then swap it in.

What did not change since the warehouse that stands was built is kept (``warehouse.changes``): the new file begins as a
copy of it, and what is stale is made again. Where that is most of it, or the copy turns out to be damaged, or the
caller asks for it, all is made from nothing.

Everything goes into ``warehouse.duckdb.new``, so readers keep the old file until ``os.replace``. A failed check keeps
the old warehouse and leaves the new one as ``warehouse.duckdb.rejected`` for a look. The file is written in DuckDB's
1.0 storage, because most BI drivers cannot open 2.0's.
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.tables, none from a user

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path

import duckdb

from warehouse import catalog, changes, lake, record
from warehouse.checks import every_check
from warehouse.columns import Table
from warehouse.duck import DEFAULT_LIMITS, Limits, connect, quoted
from warehouse.errors import ModelError
from warehouse.generated import GENERATED, METRIC_HEADERS, WORKSPACES, zone_rows
from warehouse.home import Home
from warehouse.model_checks import CheckResult, run
from warehouse.models import SCHEMAS, SQL_DIR, Model, Project, read_project
from warehouse.record import BUILD_INPUTS, SECOND, BuiltModel, Record
from warehouse.tables import TABLES

STORAGE = "v1.0.0"

NOTHING = Record()
"""What is kept where all is made anew."""

Progress = Callable[[str, int, int], None]
"""Called before each model with its name, its number from 1 and how many there are."""


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
    anew: bool = False,
    sql_dir: Path = SQL_DIR,
    zones: Mapping[str, str] | None = None,
    progress: Progress = _silent,
    limits: Limits = DEFAULT_LIMITS,
    clock: Callable[[], float] = time.perf_counter,
) -> BuildResult:
    """Build, check and, when every check passed, put the warehouse in place.

    Args:
        home: The home folder.
        anew: Keep nothing of the warehouse that stands.
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
    lake.ensure(home)
    marks = changes.marks(home, project, zones or {})

    def make(kept: Record) -> tuple[tuple[BuiltModel, ...], tuple[CheckResult, ...]]:
        with connect(limits=limits, temporary=home.temporary) as connection:
            connection.execute(f"attach {quoted(str(new))} as warehouse (storage_version '{STORAGE}')")
            connection.execute("use warehouse")
            connection.execute("set parquet_metadata_cache = true")  # each model opens the same few hundred footers
            models = materialise(connection, home, project, zones=zones, progress=progress, clock=clock, kept=kept)
            checks = run(connection, every_check(project), kept.marks)
            written = int(new.stat().st_mtime)
            record.write(connection, marks, models, written)
            _comment(connection, BUILD_INPUTS.key, "table", BUILD_INPUTS.description, BUILD_INPUTS.columns)
            connection.execute("use memory")
            connection.execute("detach warehouse")
        os.utime(new, ns=(written * SECOND, written * SECOND))
        return models, checks

    new = home.warehouse_new
    kept = NOTHING if anew else _keepable(home, project, marks, limits)
    _remove(new)
    try:
        made = None
        if kept.models:
            # the copy may be damaged; whatever else is amiss comes again below
            with suppress(duckdb.Error, ModelError, OSError):
                shutil.copyfile(home.warehouse, new)
                made = make(kept)
            if made is None:
                _remove(new)
        models, checks = made or make(NOTHING)
    except duckdb.Error as error:
        _remove(new)
        message = f"The warehouse cannot be built: {error}"
        raise ModelError(message, "The old warehouse stays. If the disk is full, make room, then run again.") from error
    except BaseException:
        _remove(new)
        raise
    return BuildResult(models, checks, is_swapped=_swap(home, is_passed=all(result.is_passed for result in checks)))


def _keepable(home: Home, project: Project, marks: Mapping[str, str], limits: Limits) -> Record:
    """What the warehouse that stands can give to one with these marks; nothing where that is less than half of it."""
    with connect(limits=limits) as connection:
        standing = record.read(connection, home.warehouse)
    if standing is None:
        return NOTHING
    kept = standing.without(changes.stale(project, standing.marks, marks))
    return kept if 2 * len(kept.models) >= len(project.models) else NOTHING


def _swap(home: Home, *, is_passed: bool) -> bool:
    """Put the new file in place, or aside for a look when a check failed; gives ``is_passed``."""
    new, rejected = home.warehouse_new, home.warehouse.with_name(f"{home.warehouse.name}.rejected")
    _remove(rejected)
    if is_passed:
        _wal(home.warehouse).unlink(missing_ok=True)  # a log of the old file must not be replayed on the new one
        new.replace(home.warehouse)
    else:
        new.replace(rejected)
    return is_passed


def materialise(
    connection: duckdb.DuckDBPyConnection,
    home: Home,
    project: Project,
    *,
    zones: Mapping[str, str] | None = None,
    progress: Progress = _silent,
    clock: Callable[[], float] = time.perf_counter,
    kept: Record = NOTHING,
) -> tuple[BuiltModel, ...]:
    """Make everything of ``project`` in the connection's current database, but for what is ``kept`` and stands there.

    Raises:
        ModelError: see ``build``.
    """
    for schema in ("lake", "seeds", *SCHEMAS):
        connection.execute(f"create schema if not exists {schema}")
    for table in TABLES:
        if f"lake.{table.name}" not in kept.marks:
            _lake_view(connection, home, table)
    for seed in project.seeds:
        if seed.key not in kept.marks:
            seed.load(connection)
            _comment(connection, seed.key, "table", seed.header.description, seed.header.columns)
    METRIC_HEADERS.load(connection, catalog.rows((model.key, model.header) for model in project.models))
    WORKSPACES.load(connection, zone_rows(zones or {}))
    for generated in GENERATED:
        _comment(connection, generated.key, "table", generated.description, generated.columns)
    built = []
    for number, model in enumerate(project.models, 1):
        progress(model.key, number, len(project.models))
        built.append(kept.models.get(model.key) or _build_model(connection, model, clock))
    return tuple(built)


def _lake_view(connection: duckdb.DuckDBPyConnection, home: Home, table: Table) -> None:
    glob = f"{escape(str(home.table(table).resolve()))}/**/*.parquet"
    # by name: a file from before a column was added has null there
    connection.execute(
        f"create or replace view lake.{table.name} as select {', '.join(table.names)} "
        f"from read_parquet({quoted(glob)}, union_by_name = true, hive_partitioning = false)"
    )
    about = {column.name: column.about for column in table.columns}
    _comment(connection, f"lake.{table.name}", "view", f"One row per {table.grain}.", about)


def _build_model(connection: duckdb.DuckDBPyConnection, model: Model, clock: Callable[[], float]) -> BuiltModel:
    started, kind = clock(), "view" if model.is_view else "table"
    try:
        connection.execute(f"create or replace {kind} {model.key} as {model.sql}")
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
