"""Builds on an engine after changes: ``.venv/spark/bin/python -m benchmarks.engine_days --engine sail``.

The lake is that of ``benchmarks.models``. It is built as a whole, after nothing changed, after conversations of a day
have new ratings, and as a whole again: the tables have to be the same. Memory is the highest so far.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path

import polars as pl

from benchmarks.models import ORIGINALS, RATED_OF, fill, originals
from tests.helpers.engine_tables import current_folders, differences
from warehouse.engines.build import build_tables
from warehouse.engines.duckdb import duckdb_engine
from warehouse.engines.engine import Engine
from warehouse.engines.spark import sail_engine
from warehouse.models.project import read_project
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import lake
from warehouse.storage.home import Home

ENGINES = {"duckdb": duckdb_engine, "sail": sail_engine}
DAYS_AGO = 7


def measured_build(what: str, engine: AbstractContextManager[Engine], home: Home, into: Path) -> None:
    """Build into a folder, and print what it took.

    Raises:
        SystemExit: a check failed.
    """
    wall, processor = time.perf_counter(), time.process_time()
    checks_began = list[float]()

    def progress(step: str, _number: int, _total: int) -> None:
        if step == "checks" and not checks_began:
            checks_began.append(time.process_time())

    with engine as connection:
        built = build_tables(
            connection,
            read_project(),
            lakes=[str(home.lake)],
            into=str(into),
            build_id=what.replace(" ", "_"),
            zones={"main": "UTC"},
            progress=progress,
        )
    end = time.process_time()
    (checks_at,) = checks_began or [end]
    wall = time.perf_counter() - wall
    if built.failed:
        raise SystemExit("\n".join(f"{result.check.name}: {result.sample_rows[:1]}" for result in built.failed))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{what}: CPU {end - processor:.1f} s, of it checks {end - checks_at:.1f} s, wall {wall:.1f} s, "
        f"{memory:,.0f} MiB; "
        f"{len(built.reused)} of {len(built.folders)} tables taken over",
        flush=True,
    )


def change_day(home: Home) -> int:
    """New ratings of some conversations of a day; how many conversations it has."""
    day = max(lake.days(home, CONVERSATIONS)) - timedelta(days=DAYS_AGO)
    rows = lake.read(home, CONVERSATIONS, where=pl.col("start_date") == day)
    is_rated = pl.int_range(pl.len()) % RATED_OF == 0
    likes = pl.when(is_rated).then(pl.col("feedback_likes").fill_null(0) + 1).otherwise("feedback_likes")
    lake.overwrite_partition(home, CONVERSATIONS, day, rows.with_columns(feedback_likes=likes))
    return rows.height


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=ENGINES, default="sail")
    parser.add_argument("--conversations", type=int, default=50_000)
    options = parser.parse_args()
    connect = ENGINES[options.engine]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        home = Home(folder / "home").open()
        frames = originals(min(ORIGINALS, options.conversations))
        fill(home, frames, max(1, round(options.conversations / frames["conversations"].height)))
        n_rows, n_days = lake.read(home, CONVERSATIONS, ["start_date"]).height, len(lake.days(home, CONVERSATIONS))
        print(f"{options.engine}, {n_rows:,} conversations of {n_days} days", flush=True)
        measured_build("everything", connect(), home, folder / "tables")
        measured_build("nothing new", connect(), home, folder / "tables")
        n_changed = change_day(home)
        measured_build(f"a day of {n_changed:,} changed", connect(), home, folder / "tables")
        measured_build("everything again", connect(), home, folder / "whole")
        current, whole = current_folders(folder / "tables"), current_folders(folder / "whole")
        print(differences(read_project().models, current, whole) or "equal")


if __name__ == "__main__":
    main()
