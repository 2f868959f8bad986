"""What the age of a home costs: the same conversations over few and many days: ``python -m benchmarks.many_days``.

A lake has a file of each table for each day, so a home of two years has many. Processor time of a first sync, of one
without news, and of a night. Wall time depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipelines.clock import MovingClock
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context

KEY = "demo"
FIRST = datetime(2026, 11, 22, tzinfo=UTC)
SYNCS = {"first": timedelta(0), "without news": timedelta(minutes=10), "next night": timedelta(days=1)}
"""Time after the first sync, by name."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--conversations", type=int, default=4000)
    parser.add_argument("--days", type=int, nargs="+", default=[60, 730])
    options = parser.parse_args()
    table = Table("days", "Parquet files", "sync", "wall s", "CPU s")
    for days in options.days:
        clock = MovingClock(FIRST)
        world = World(seed=3, conversations=options.conversations, days=days, until=FIRST + timedelta(days=2))
        app = create_app(world, clock=lambda clock=clock: clock.start, key=KEY)
        with running(app) as url, tempfile.TemporaryDirectory() as folder:
            context = Context(Settings(home=Path(folder) / "home", base_url=url, api_key=KEY), clock=clock)
            for name, later in SYNCS.items():
                clock.set(FIRST + later)
                if name == "without news":  # once more before: open conversations may have ended meanwhile
                    sync.sync(context, run_id="before")
                wall, processor = time.perf_counter(), time.process_time()
                sync.sync(context, run_id=name)
                secs = time.perf_counter() - wall, time.process_time() - processor
                n_files = sum(1 for _ in context.home.root.rglob("*.parquet"))
                table.add_row(str(days), f"{n_files:,}", name, *(f"{value:.2f}" for value in secs))
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
