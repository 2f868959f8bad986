"""What costs when much is stored already: a sync with nothing new, late changes, the SQL models; and the start."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.corpus import DAYS, REVISED_OF
from benchmarks.measure import OURS, Measured, bytes_of, run, serving
from benchmarks.report import Figure
from benchmarks.stored import land
from benchmarks.whole import convohouse, settings

STARTS = 5
"""Starts of which the quickest counts."""


def stored(count: int) -> Iterator[Figure]:
    """Syncs over so many stored conversations."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        count = land(home, count)
        made = run([OURS / "convohouse", "reprocess"], env=settings(home))
        told = f"{count / made.wall:,.0f} conversations/s"
        yield Figure(f"{count:,} stored", "lake and models from the landing", made, told, disk=bytes_of(home))
        built = run([OURS / "convohouse", "build"], env=settings(home))
        yield Figure("", "SQL models alone", built, f"{built.wall:.1f} s")
        with serving(count) as server:
            again = convohouse(home, server)
        yield Figure("", "second sync, nothing new", again, _without(again, built))
        with serving(count, is_revised=True) as server:
            late = convohouse(home, server, "--since", f"{DAYS + 1}d")
        yield Figure("", f"{count // REVISED_OF:,} late changes, all listed anew", late, _without(late, built))
        yield _start("status", [OURS / "convohouse", "status"], home)


def starting() -> Iterator[Figure]:
    """Starts of the command line and of Dagster's definitions."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "none"
        yield _start("--help", [OURS / "convohouse", "--help"], home)
        yield _start("status, nothing stored", [OURS / "convohouse", "status"], home)
        yield _start("import of the definitions", [OURS / "python", "-c", "import pipelines.definitions"], home)


def _start(who: str, command: Sequence[str | Path], home: Path) -> Figure:
    best = min((run(command, env=settings(home)) for _ in range(STARTS)), key=lambda each: each.wall)
    return Figure("start", who, best, f"{best.wall:.2f} s")


def _without(whole: Measured, built: Measured) -> str:
    return f"{whole.wall - built.wall:.1f} s without the models' {built.wall:.1f} s"
