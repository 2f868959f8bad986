"""What costs when much is stored already: a sync with nothing new, late changes, the SQL models; and the start."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.corpus import DAYS, REVISED_OF
from benchmarks.full_sync import convohouse, settings
from benchmarks.process_metrics import OURS, bytes_of, run, serving
from benchmarks.report import Figure
from benchmarks.stored_home import land

NOTHING, NOTHING_DUE = "second sync, nothing new, nothing due", {"CONVOHOUSE_REREAD_DAYS": "[]"}
"""While so many are landed, some calls come to be a day, a week or a month old: they are read again, and that changes
``conversations`` and all models that read it, even where nothing else is new."""
STARTS = 5
"""Starts of which the quickest counts."""


def stored(count: int) -> Iterator[Figure]:
    """Syncs over so many stored conversations."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        held = land(home, count)
        made = run([OURS / "convohouse", "reprocess"], env=settings(home))
        told = f"{held / made.wall:,.0f} conversations/s"
        yield Figure(f"{held:,} stored", "lake and models from the landing", made, told, disk=bytes_of(home))
        built = run([OURS / "convohouse", "build"], env=settings(home))
        yield Figure("", "SQL models alone", built, f"{built.wall:.1f} s")
        with serving(count) as server:
            for what, more in ((NOTHING, NOTHING_DUE), ("second sync, nothing new, what is due read again", {})):
                again = run([OURS / "convohouse", "sync"], env=settings(home, server.url) | more)
                yield Figure("", what, again, f"{again.wall:.1f} s")
        with serving(count, is_revised=True) as server:
            late = convohouse(home, server, "--since", f"{DAYS + 1}d")
        yield Figure("", f"{held // REVISED_OF:,} late changes, all listed anew", late, f"{late.wall:.1f} s")
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
