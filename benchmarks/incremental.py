"""Work over a home that already holds many conversations: syncs without news, late changes, builds, start-up."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.corpus import DAYS, REVISED_OF
from benchmarks.full_sync import convohouse, settings
from benchmarks.models import ORIGINALS, add_night, fill, originals
from benchmarks.process_metrics import OURS, bytes_of, run, serving
from benchmarks.report import Figure
from benchmarks.stored_home import land
from warehouse.storage.home import Home

BUILD = """
import sys
from pathlib import Path
from warehouse.build.runner import build
from warehouse.storage.home import Home
assert build(Home(Path(sys.argv[1]))).is_swapped
"""
STARTS = 5
"""Starts; the fastest counts."""


def stored(count: int) -> Iterator[Figure]:
    """Syncs over ``count`` stored conversations."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        n_stored = land(home, count)
        reprocessed = run([OURS / "convohouse", "reprocess"], env=settings(home))
        rate = f"{n_stored / reprocessed.wall:,.0f} conversations/s"
        yield Figure(f"{n_stored:,} stored", "lake and models from the landing", reprocessed, rate, disk=bytes_of(home))
        built = run([OURS / "convohouse", "build"], env=settings(home))
        yield Figure("", "SQL models alone", built, f"{built.wall:.1f} s")
        with serving(count) as server:
            # While many are landed, some become a day, a week or a month old: the first of these fetches them.
            for what in ("second sync, nothing new, what is due read again", "third sync, nothing new, nothing due"):
                again = convohouse(home, server)
                yield Figure("", what, again, f"{again.wall:.1f} s")
        with serving(count, is_revised=True) as server:
            late = convohouse(home, server, "--since", f"{DAYS + 1}d")
        yield Figure("", f"{n_stored // REVISED_OF:,} late changes, all listed again", late, f"{late.wall:.1f} s")
        yield _start("status", [OURS / "convohouse", "status"], home)


def night(count: int) -> Iterator[Figure]:
    """Build and checks after a realistic night over ``count`` conversations of 90 days.

    A day of new conversations, and those of 1, 7 and 30 days ago fetched again, of which one in 20 has a new rating.
    """
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home").open()
        frames = originals(ORIGINALS)
        fill(home, frames, round(count / frames["conversations"].height))
        command = [OURS / "python", "-c", BUILD, home.root]
        full = run(command)
        yield Figure(f"{count:,} of 90 days", "full refresh and checks", full, f"{full.cpu:.1f} s CPU")
        add_night(home)
        nightly = run(command)
        yield Figure("", "build and checks after a night", nightly, f"{nightly.cpu:.1f} s CPU")


def starting() -> Iterator[Figure]:
    """Start-up time of the command line and of the Dagster definitions."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "none"
        yield _start("--help", [OURS / "convohouse", "--help"], home)
        yield _start("status, nothing stored", [OURS / "convohouse", "status"], home)
        yield _start("import of the definitions", [OURS / "python", "-c", "import pipelines.definitions"], home)


def _start(who: str, command: Sequence[str | Path], home: Path) -> Figure:
    best = min((run(command, env=settings(home)) for _ in range(STARTS)), key=lambda measured: measured.wall)
    return Figure("start", who, best, f"{best.wall:.2f} s")
