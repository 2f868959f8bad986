"""What Dagster adds to a night: events, their bytes, and the models' step: ``python -m benchmarks.dagster_night``.

Two nights of the demo's conversations are copied twice: by the job ``nightly``, with Dagster's own storage in a folder
of its own, and by ``sync`` without Dagster. Processor time, because wall time depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from pathlib import Path

import dagster as dg
from dagster._serdes import serialize_value
from rich.console import Console
from rich.table import Table

from pipelines.cli.demo import DemoWorld
from pipelines.clock import MovingClock
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.orchestration.build_defs import build_defs
from pipelines.orchestration.partitions import NIGHTLY
from pipelines.orchestration.run_errors import failure_lines
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context

ROOT = Path(__file__).parents[1]
KEY = "demo"
MODELS_STEP = "warehouse"
QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


class StepTimer:
    """Wall and processor seconds from the start to the end of the models' step."""

    def __init__(self) -> None:
        self.start = (0.0, 0.0)
        self.secs = (0.0, 0.0)

    def __call__(self, entry: dg.EventLogEntry) -> None:
        """Note an event."""
        event = entry.dagster_event
        if event and event.step_key == MODELS_STEP and event.event_type_value == "STEP_START":
            self.start = time.perf_counter(), time.process_time()
        if event and event.step_key == MODELS_STEP and event.event_type_value in {"STEP_SUCCESS", "STEP_FAILURE"}:
            self.secs = time.perf_counter() - self.start[0], time.process_time() - self.start[1]


def in_dagster(context: Context, folder: Path) -> list[str]:
    """Run the job; cells: events, MB of events, MB of files, wall and processor seconds of the models and of all."""
    files_before = disk_bytes(folder)
    job = build_defs(app_context=context).resolve_job_def(NIGHTLY)
    with chdir(folder), dg.DagsterInstance.from_config(str(folder)) as instance:
        run_id, timer = str(uuid.uuid4()), StepTimer()
        instance.add_event_listener(run_id, timer)
        wall, processor = time.perf_counter(), time.process_time()
        result = job.execute_in_process(
            run_config={"loggers": QUIET},
            instance=instance,
            raise_on_error=False,
            run_id=run_id,
        )
        secs = time.perf_counter() - wall, time.process_time() - processor
        if not result.success:
            raise SystemExit("\n".join(failure_lines(result.all_events)))
        entries = [len(serialize_value(entry)) for entry in instance.all_logs(run_id)]
    files = disk_bytes(folder) - files_before
    times = (*timer.secs, *secs)
    return [
        f"{len(entries):,}",
        f"{sum(entries) / 1e6:.2f}",
        f"{files / 1e6:.2f}",
        *(f"{value:.2f}" for value in times),
    ]


def outside(context: Context, night: date) -> list[str]:
    """Sync without Dagster; the same cells."""
    secs: list[tuple[float, float]] = []
    with timed_build(secs):
        wall, processor = time.perf_counter(), time.process_time()
        result = sync.sync(context, run_id=f"night of {night}")
        whole = time.perf_counter() - wall, time.process_time() - processor
    if not result.is_complete:
        raise SystemExit("\n".join(result.problems))
    return ["", "", "", *(f"{value:.2f}" for value in (*secs[0], *whole))]


@contextmanager
def timed_build(secs: list[tuple[float, float]]) -> Iterator[None]:
    """Measure the last step of a sync, which does what the models' step does: the build and the end of the records."""
    build: Callable[..., object] = sync._build_and_finish  # noqa: SLF001 - it has no seam

    def measured(*arguments: object, **options: object) -> object:
        wall, processor = time.perf_counter(), time.process_time()
        try:
            return build(*arguments, **options)
        finally:
            secs.append((time.perf_counter() - wall, time.process_time() - processor))

    sync._build_and_finish = measured  # noqa: SLF001 - as above
    try:
        yield
    finally:
        sync._build_and_finish = build  # noqa: SLF001 - as above


def disk_bytes(folder: Path) -> int:
    """Bytes of every file below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=1200)
    parser.add_argument("--days", type=int, default=30)
    options = parser.parse_args()
    first = date(2026, 11, 25)
    world = DemoWorld.begin(7, options.conversations, options.days, first + timedelta(days=1))
    table = Table(
        "night", "by", "events", "MB of events", "MB of files",
        "models: wall s", "models: CPU s", "run: wall s", "run: CPU s",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "instance").mkdir()
        shutil.copy(ROOT / "dagster.yaml", folder / "instance")
        clock = MovingClock(midnight(first))
        app = create_app(world.until(first + timedelta(days=1)), clock=lambda: clock.start, key=KEY)
        with running(app) as url:
            for night in (first, first + timedelta(days=1)):
                for name in ("sync", "Dagster"):
                    clock.set(midnight(night))
                    context = Context(Settings(home=folder / name, base_url=url, api_key=KEY), clock=clock)
                    cells = in_dagster(context, folder / "instance") if name == "Dagster" else outside(context, night)
                    table.add_row("first" if night == first else "next", name, *cells)
    Console(width=150).print(table)


def midnight(day: date) -> datetime:
    """The start of a UTC day."""
    return datetime.combine(day, time_of_day(), UTC)


if __name__ == "__main__":
    main()
