"""Builds the warehouse: views on the lake, seeds, models in order, comments; checks it; and only then swaps it in.

The new file starts as a copy of the current warehouse, from which everything that has not changed is reused
(``warehouse.build.state``); of incremental models, only the rows of stale days are rebuilt. If most of the models are
stale, the copy turns out to be damaged or the caller asks for a full refresh, it starts from nothing.

Everything is written to ``warehouse.duckdb.new``, so readers keep the old file until ``os.replace``. A failed check
keeps the old warehouse and leaves the new one as ``warehouse.duckdb.rejected`` for inspection. The file has DuckDB's
1.0 storage format, because most BI drivers cannot open that of 2.0.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.build import state
from warehouse.build.comments import RelationComment, write_comments
from warehouse.build.materialize import Progress, materialize, no_progress
from warehouse.build.state import (
    EMPTY_BASELINE,
    MTIME_RESOLUTION,
    Baseline,
    ModelState,
    load_baseline,
)
from warehouse.connection import DEFAULT_LIMITS, Limits, connect, sql_literal
from warehouse.errors import ModelError
from warehouse.models.build_tables import BUILD_INPUTS
from warehouse.models.checks import CheckResult, run
from warehouse.models.data_quality import all_checks
from warehouse.models.project import SQL_DIR, Project, read_project
from warehouse.storage import lake
from warehouse.storage.home import Home
from warehouse.storage.identity import check_identities

WAREHOUSE = "warehouse"
"""Name under which the file that is being built is attached."""

DISABLED_OPTIMIZERS = ("build_side_probe_side",)
"""Models join facts, on the left, with smaller tables. From its estimates, DuckDB would put the facts with their texts
into hash tables instead: up to twice the memory, and a fifth more time (measured at 20,000 conversations)."""

ATTACH_OPTIONS = "storage_version 'v1.0.0', recovery_mode 'no_wal_writes'"
"""Without a write-ahead log: a build that was cut short starts over with a new file."""


@dataclass(frozen=True, slots=True)
class BuildResult:
    """The models and the results of the checks; ``is_swapped`` says whether the new warehouse is in place."""

    models: tuple[ModelState, ...]
    checks: tuple[CheckResult, ...]
    is_swapped: bool

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """Results of the checks that did not pass."""
        return tuple(result for result in self.checks if not result.is_passed)


def build(
    home: Home,
    *,
    full_refresh: bool = False,
    sql_dir: Path = SQL_DIR,
    zones: Mapping[str, str] | None = None,
    progress: Progress = no_progress,
    limits: Limits = DEFAULT_LIMITS,
    clock: Callable[[], float] = time.perf_counter,
) -> BuildResult:
    """Build, check and, if every check passes, put the warehouse in place.

    Args:
        home: The home folder.
        full_refresh: Reuse nothing of the current warehouse.
        sql_dir: Folder of the models.
        zones: IANA time zone of each workspace, for local days and hours; UTC where it has none.
        progress: Called with each model that is started.
        limits: Threads and memory.
        clock: Seconds, to time each model.

    Raises:
        HomeError: two workspaces have the same conversations.
        ModelError: a seed is wrong, a model cannot be read, ordered or built, its header and its columns differ, or the
            disk is full; the current warehouse stays as it is.
    """
    project = read_project(sql_dir, home.seeds)
    lake.ensure_schema_files(home)
    check_identities(home)
    inputs = state.fingerprints(home, project, zones or {})
    home.warehouse_log.unlink(missing_ok=True)  # what another program has written is not part of what was built
    baseline = EMPTY_BASELINE if full_refresh else load_baseline(home, project, inputs, limits)
    new = home.warehouse_new

    def write_new(baseline: Baseline) -> tuple[tuple[ModelState, ...], tuple[CheckResult, ...]]:
        with connect(limits=limits, temporary=home.temporary) as connection:
            connection.execute(f"attach {sql_literal(str(new))} as {WAREHOUSE} ({ATTACH_OPTIONS})")
            connection.execute(f"use {WAREHOUSE}")
            connection.execute("set global parquet_metadata_cache = true")  # every model opens the same few hundred
            connection.execute(f"set disabled_optimizers = '{','.join(DISABLED_OPTIMIZERS)}'")
            built = materialize(
                connection, home, project, zones=zones, progress=progress, clock=clock, baseline=baseline
            )
            write_comments(connection, built.comments)
            checks = run(connection, all_checks(project), built.unchanged)
            mtime = int(new.stat().st_mtime)
            _write_state(connection, inputs, built.models, mtime)
            connection.execute("checkpoint")  # detaching would checkpoint as well, but swallow its errors
            connection.execute("use memory")
            connection.execute(f"detach {WAREHOUSE}")
        os.utime(new, ns=(mtime * MTIME_RESOLUTION, mtime * MTIME_RESOLUTION))
        return built.models, checks

    _remove(new)
    if baseline.names and not baseline.changed_days:
        return _reuse_all(home, project, baseline, progress)
    try:
        written = None
        if baseline.names:
            # the copy may be damaged; an error with another cause is raised again by the full refresh below
            with suppress(duckdb.Error, ModelError, OSError):
                shutil.copyfile(home.warehouse, new)
                written = write_new(baseline)
            if written is None:
                _remove(new)
        models, checks = written or write_new(EMPTY_BASELINE)
    except duckdb.Error as error:
        _remove(new)
        message = f"The warehouse cannot be built: {error}"
        hint = "The current warehouse stays in place. If the disk is full, make room, then run again."
        raise ModelError(message, hint) from error
    except BaseException:
        _remove(new)
        raise
    return BuildResult(models, checks, is_swapped=_swap(home, is_passed=all(result.is_passed for result in checks)))


def _write_state(
    connection: duckdb.DuckDBPyConnection,
    inputs: Mapping[str, str],
    models: Iterable[ModelState],
    mtime: int,
) -> None:
    state.write_state(connection, inputs, models, mtime)
    comment = RelationComment("table", BUILD_INPUTS.key, BUILD_INPUTS.description, BUILD_INPUTS.columns)
    write_comments(connection, [comment])


def _reuse_all(home: Home, project: Project, baseline: Baseline, progress: Progress) -> BuildResult:
    """The result of a build that has nothing to do: the current warehouse stays."""
    for number, model in enumerate(project.models, 1):
        progress(model.key, number, len(project.models))
    _remove(_rejected(home))
    models = tuple(baseline.models[model.key] for model in project.models)
    return BuildResult(models, tuple(map(CheckResult.reused, all_checks(project))), is_swapped=True)


def _swap(home: Home, *, is_passed: bool) -> bool:
    """Put the new file in place, or aside if a check failed; returns ``is_passed``."""
    new_file, rejected_file = home.warehouse_new, _rejected(home)
    _remove(rejected_file)
    if is_passed:
        home.warehouse_log.unlink(missing_ok=True)  # the old file's log must not be replayed on the new one
        new_file.replace(home.warehouse)
    else:
        new_file.replace(rejected_file)
    return is_passed


def _rejected(home: Home) -> Path:
    return home.warehouse.with_name(f"{home.warehouse.name}.rejected")


def _wal(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def _remove(database: Path) -> None:
    database.unlink(missing_ok=True)
    _wal(database).unlink(missing_ok=True)
