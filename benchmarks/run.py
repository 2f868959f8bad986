"""Measure the main job on the emulator and print one table: ``make bench``.

The emulator runs in a process of its own. Times are wall time; processor time and peak memory are of this process,
which does the work. Figures differ between machines and moments: compare within one run.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import polars as pl
from rich.console import Console
from rich.table import Table

from pipelines import steps
from pipelines.emulator.world import World
from pipelines.flatten.frames import Reading, flatten
from pipelines.settings import Settings
from pipelines.site import Site
from pipelines.sync import ledger
from warehouse import lake, landing
from warehouse.tables import CONVERSATIONS

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
PORT = 8799


@contextmanager
def emulator(conversations: int, days: int) -> Iterator[str]:
    """The emulator in a process of its own, frozen in time."""
    options = ["--port", str(PORT), "--conversations", str(conversations), "--days", str(days)]
    now = ["--now", UNTIL.isoformat()]
    command = [sys.executable, "-c", "from pipelines.cli.main import main; main()", "emulate", *options, *now]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{PORT}"
    try:
        for _ in range(200):
            try:
                httpx.get(url)
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds of some work."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def sync_figures(conversations: int, days: int, concurrency: int) -> Iterator[tuple[str, str, str, str]]:
    """Each step of a first sync, then a second with nothing new."""
    with emulator(conversations, days) as url, tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder) / "home", base_url=url, api_key="demo", concurrency=concurrency)
        site = Site(settings)
        with site.writing("bench"):
            window, _ = steps.window_of(site)
            ledger.begin(site.home, "bench", at=site.clock(), window=window)
            for name, work in (
                ("list", lambda: steps.list_calls(site, window, "bench")),
                ("fetch and land", lambda: steps.fetch_calls(site, "bench")),
                ("flatten and write", lambda: steps.flatten_calls(site, "bench")),
                ("build and check", lambda: steps.build_models(site)),
            ):
                wall, cpu = measured(work)
                n = landing.latest_list_rows(site.home).height
                yield name, f"{wall:.2f} s", f"{cpu:.2f} s", f"{n / wall:,.0f} conversations/s"
        wall, cpu = measured(lambda: steps.sync(site, run_id="again"))
        n = lake.read(site.home, CONVERSATIONS, ["conversation_id"]).height
        yield "second sync, nothing new", f"{wall:.2f} s", f"{cpu:.2f} s", f"{n:,} stored"
        landed = sum(file.stat().st_size for file in site.home.documents.rglob("start_date=*/*.parquet"))
        tables = sum(file.stat().st_size for file in site.home.lake.rglob("*.parquet"))
        yield "landed a conversation", f"{landed / n / 1024:.1f} KiB", "", ""
        yield "in the lake a conversation", f"{tables / n / 1024:.1f} KiB", "", ""


def flatten_figures(conversations: int) -> Iterator[tuple[str, str, str, str]]:
    """Flattening alone, without files: the road of today's documents."""
    world = World(conversations=conversations, days=30, until=UNTIL)
    payloads = [(document["conversation_id"], json.dumps(document).encode()) for document in world.details(UNTIL)]
    at = UNTIL + timedelta(hours=1)
    readings = [Reading(one, payload, "sha", at, at, "open") for one, payload in payloads]
    wall, cpu = measured(lambda: flatten(readings))
    size = sum(len(payload) for _, payload in payloads)
    rate = f"{len(payloads) / cpu:,.0f} documents/s a core, {size / len(payloads) / 1024:.0f} KiB each"
    yield "flatten alone", f"{wall:.2f} s", f"{cpu:.2f} s", rate


def start_figures() -> Iterator[tuple[str, str, str, str]]:
    """Start-up of the command line, in a process of its own."""
    for arguments in (["--help"], ["--home", tempfile.gettempdir() + "/convohouse-none", "status"]):
        command = [sys.executable, "-c", "from pipelines.cli.main import main; main()", *arguments]
        times = sorted(
            measured(lambda c=command: subprocess.run(c, capture_output=True, check=True))[0] for _ in range(5)
        )
        yield f"convohouse {arguments[-1]}", f"{times[2]:.2f} s", "", "median of 5"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=2000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--concurrency", type=int, default=16)
    options = parser.parse_args()
    table = Table("what", "wall", "processor", "figure", title=f"{options.conversations:,} conversations")
    for figures in (
        sync_figures(options.conversations, options.days, options.concurrency),
        flatten_figures(options.conversations),
        start_figures(),
    ):
        for row in figures:
            table.add_row(*row)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    table.add_row("peak memory", f"{peak:,.0f} MiB", "", f"polars {pl.__version__}")
    Console().print(table)


if __name__ == "__main__":
    main()
