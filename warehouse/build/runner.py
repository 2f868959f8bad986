"""Build the warehouse: views on the lake, seeds, models in order, comments; then check it, and only then swap it in.

What did not change since the warehouse that stands was built is kept (``warehouse.since``): the new file begins as a
copy of it, and what is stale is made again, of many models the rows of calls that changed alone. Where most is stale,
or the copy turns out to be damaged, or the caller asks for it, all is made from nothing.

Everything goes into ``warehouse.duckdb.new``, so readers keep the old file until ``os.replace``. A failed check keeps
the old warehouse and leaves the new one as ``warehouse.duckdb.rejected`` for a look. The file is written in DuckDB's
1.0 storage, because most BI drivers cannot open 2.0's.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.build import state
from warehouse.build.incremental import WAREHOUSE
from warehouse.build.materialize import Comments, Progress, comment, materialize, silent
from warehouse.build.state import (
    BUILD_INPUTS,
    CALLS,
    EMPTY_BASELINE,
    MTIME_RESOLUTION,
    Baseline,
    ModelState,
    load_baseline,
    write_calls,
)
from warehouse.connection import DEFAULT_LIMITS, Limits, connect, sql_literal
from warehouse.errors import ModelError
from warehouse.models.checks import CheckResult, run
from warehouse.models.data_quality import every_check
from warehouse.models.project import SQL_DIR, Project, read_project
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import lake
from warehouse.storage.home import Home

ATTACHED = "storage_version 'v1.0.0', recovery_mode 'no_wal_writes'"
"""Nobody goes on with a half-made file, so it needs no log."""


@dataclass(frozen=True, slots=True)
class BuildResult:
    """What a build made and found; ``is_swapped`` says whether the new warehouse is in place."""

    models: tuple[ModelState, ...]
    checks: tuple[CheckResult, ...]
    is_swapped: bool

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """Checks that found rows."""
        return tuple(result for result in self.checks if not result.is_passed)


def build(
    home: Home,
    *,
    anew: bool = False,
    sql_dir: Path = SQL_DIR,
    zones: Mapping[str, str] | None = None,
    progress: Progress = silent,
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
    lake.ensure_schema_files(home)
    marks = state.fingerprints(home, project, zones or {})

    def make(since: Baseline) -> tuple[tuple[ModelState, ...], tuple[CheckResult, ...]]:
        with connect(limits=limits, temporary=home.temporary) as connection:
            connection.execute(f"attach {sql_literal(str(new))} as {WAREHOUSE} ({ATTACHED})")
            connection.execute(f"use {WAREHOUSE}")
            connection.execute("set global parquet_metadata_cache = true")  # every model opens the same few hundred
            made = materialize(connection, home, project, zones=zones, progress=progress, clock=clock, since=since)
            checks = run(connection, every_check(project), made.kept)
            written = int(new.stat().st_mtime)
            state.write(connection, marks, made.models, written)
            if not since.is_unchanged(f"lake.{CONVERSATIONS.name}"):
                write_calls(connection)
            own = (BUILD_INPUTS, CALLS)
            comment(connection, [Comments("table", each.key, each.description, each.columns) for each in own])
            connection.execute("checkpoint")  # detaching would write it as well, and say nothing where it cannot
            connection.execute("use memory")
            connection.execute(f"detach {WAREHOUSE}")
        os.utime(new, ns=(written * MTIME_RESOLUTION, written * MTIME_RESOLUTION))
        return made.models, checks

    new = home.warehouse_new
    since = EMPTY_BASELINE if anew else load_baseline(home, project, marks, limits)
    _remove(new)
    if since.names and not since.changed:
        return _unchanged(home, project, since, progress)
    try:
        made = None
        if since.names:
            # the copy may be damaged; whatever else is amiss comes again below
            with suppress(duckdb.Error, ModelError, OSError):
                shutil.copyfile(home.warehouse, new)
                made = make(since)
            if made is None:
                _remove(new)
        models, checks = made or make(EMPTY_BASELINE)
    except duckdb.Error as error:
        _remove(new)
        message = f"The warehouse cannot be built: {error}"
        raise ModelError(message, "The old warehouse stays. If the disk is full, make room, then run again.") from error
    except BaseException:
        _remove(new)
        raise
    return BuildResult(models, checks, is_swapped=_swap(home, is_passed=all(result.is_passed for result in checks)))


def _unchanged(home: Home, project: Project, since: Baseline, progress: Progress) -> BuildResult:
    """The warehouse that stands, of which nothing is stale."""
    for number, model in enumerate(project.models, 1):
        progress(model.key, number, len(project.models))
    _remove(_rejected(home))
    models = tuple(since.models[model.key] for model in project.models)
    return BuildResult(models, tuple(map(CheckResult.reused, every_check(project))), is_swapped=True)


def _swap(home: Home, *, is_passed: bool) -> bool:
    """Put the new file in place, or aside for a look when a check failed; gives ``is_passed``."""
    new, rejected = home.warehouse_new, _rejected(home)
    _remove(rejected)
    if is_passed:
        _wal(home.warehouse).unlink(missing_ok=True)  # a log of the old file must not be replayed on the new one
        new.replace(home.warehouse)
    else:
        new.replace(rejected)
    return is_passed


def _rejected(home: Home) -> Path:
    return home.warehouse.with_name(f"{home.warehouse.name}.rejected")


def _wal(database: Path) -> Path:
    return database.with_name(f"{database.name}.wal")


def _remove(database: Path) -> None:
    database.unlink(missing_ok=True)
    _wal(database).unlink(missing_ok=True)
