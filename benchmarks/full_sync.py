"""A full sync compared with dlt's REST source and a plain loop over the vendor's SDK, on one server."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from benchmarks.corpus import corpus
from benchmarks.process_metrics import OURS, THEIRS, Measured, Server, bytes_of, run, serving
from benchmarks.report import Figure, times

CONTESTANTS = Path(__file__).parent / "contestants"
QUIET = {"RUNTIME__DLTHUB_TELEMETRY": "false", "RUNTIME__LOG_LEVEL": "ERROR"}
DLT, SDK = "dlt REST source into DuckDB", "vendor's SDK into JSON files"
DLT_PARALLELIZED = f"{DLT}, parallelized"
CONTESTANT_COMMANDS = {DLT: ["dlt_rest.py"], DLT_PARALLELIZED: ["dlt_rest.py", "parallelized"], SDK: ["sdk_loop.py"]}
MAX_FOR_ALL = 1000
"""Above this number of conversations only dlt is compared, since a contestant takes 15 minutes: parallelized, or with
its defaults where requests have latency."""


def whole(count: int, latency: float) -> Iterator[Figure]:
    """A first sync of ``count`` conversations, by every contestant; ``latency`` in seconds a request."""
    with serving(count, latency=latency) as server, tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        ours = convohouse(home, server)
        yield Figure(_sync_of(count, latency), "convohouse", ours, _rate(count, ours), disk=bytes_of(home))
        copied = run([OURS / "python", CONTESTANTS / "lake_only.py", server.url, Path(folder) / "copy"])
        yield Figure("", "convohouse, lake without SQL models", copied, _rate(count, copied), times(copied, ours))
        for line in copied.output.splitlines():
            yield Figure("", f"  {line}", None, "")
        for who in CONTESTANT_COMMANDS if count <= MAX_FOR_ALL else [DLT if latency else DLT_PARALLELIZED]:
            script, *options = CONTESTANT_COMMANDS[who]
            target = Path(folder) / who
            target.mkdir()
            command = [THEIRS / "python", CONTESTANTS / script, server.url, target, *options]
            theirs = run(command, env=QUIET | {"DLT_DATA_DIR": str(target)})
            beside = f"{times(theirs, ours)}; {times(theirs, copied)} of the lake alone"
            yield Figure("", who, theirs, _rate(count, theirs), beside, bytes_of(target))
        if not latency:
            yield from _sizes(home, count)


def grown(count: int) -> Iterator[Figure]:
    """A first sync of very many conversations by convohouse alone, to measure its memory."""
    with serving(count) as server, tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        ours = convohouse(home, server)
        yield Figure(f"whole sync of {count:,}", "convohouse", ours, _rate(count, ours), disk=bytes_of(home))


def profile(count: int, latency: float) -> Iterator[Figure]:
    """A first sync of ``count`` conversations by step; ``latency`` in seconds a request."""
    with serving(count, latency=latency) as server, tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        measured = run([OURS / "python", CONTESTANTS / "sync_steps.py", server.url, home])
        yield Figure(_sync_of(count, latency, "profile of a sync"), "all steps", measured, _rate(count, measured))
        steps = [line.rpartition(": ") for line in measured.output.splitlines()]
        times_by_step = {step: tuple(map(float, seconds.split(", "))) for step, _, seconds in steps}
        step_sums = [sum(column) for column in zip(*_outermost(times_by_step), strict=True)]
        for step, (wall, cpu) in {
            "start and end of the process": (measured.wall - step_sums[0], measured.cpu - step_sums[1]),
            **times_by_step,
        }.items():
            yield Figure("", step, None, f"wall {wall:.2f} s, CPU {cpu:.2f} s")


def _outermost(times_by_step: Mapping[str, tuple[float, ...]]) -> list[tuple[float, ...]]:
    return [seconds for step, seconds in times_by_step.items() if not step.startswith("-")]


def _sync_of(count: int, latency: float, what: str = "whole sync") -> str:
    return f"{what} of {count:,}" + (f", {latency * 1000:.0f} ms a request" if latency else "")


def convohouse(home: Path, server: Server, *options: str) -> Measured:
    """The command as a user runs it."""
    return run([OURS / "convohouse", "sync", *options], env=settings(home, server.url))


def settings(home: Path, url: str = "http://127.0.0.1:1") -> dict[str, str]:
    """Environment variables that configure convohouse."""
    return {"CONVOHOUSE_HOME": str(home), "ELEVENLABS_BASE_URL": url, "ELEVENLABS_API_KEY": "demo"}


def _rate(count: int, measured: Measured) -> str:
    return f"{count / measured.wall:,.0f} conversations/s"


def _sizes(home: Path, count: int) -> Iterator[Figure]:
    conversations = corpus(count)
    plain = b"\n".join(conversation.detail for conversation in conversations)
    zipped = len(gzip.compress(plain, 6))
    for who, size in (
        ("JSON", len(plain)),
        ("gzip -6 NDJSON", zipped),
        ("landed", bytes_of(home / "landing")),
        ("lake", bytes_of(home / "lake")),
    ):
        size_text = f"{size / len(conversations) / 1024:.2f} KiB a conversation"
        yield Figure("size" if who == "JSON" else "", who, None, size_text, f"{size / zipped:.2f} x gzip", size)
