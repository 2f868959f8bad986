"""What one core does: flatten and write against the floor and other readers, fetch against barer clients."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.corpus import corpus
from benchmarks.process_metrics import OURS, Measured, cpu_of, run, serving
from benchmarks.report import Figure

CONTESTANTS = Path(__file__).parent / "contestants"
REPEATS = 3
"""Runs of which the quickest counts: on a shared machine, all that disturbs only slows."""

ONE_THREAD = {"POLARS_MAX_THREADS": "1"}

READERS = {
    "convohouse": "flatten and write",
    "floor": "decode alone",
    "writing": "write finished frames alone",
    "duckdb": "DuckDB read_json, one nested table",
    "polars": "polars read_ndjson, one nested table",
}
CLIENTS = {
    "convohouse": "convohouse's client",
    "transport": "bare loop, same transport",
    "httpx": "httpx, own pool",
    "aiohttp": "aiohttp alone",
}


def flattening(count: int) -> Iterator[Figure]:
    """Documents a second and core, by processor time."""
    calls = corpus(count)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "documents.ndjson"
        size = source.write_bytes(b"\n".join(call.detail for call in calls))
        what = f"flatten and write {len(calls):,} of {size / len(calls) / 1024:.0f} KiB"
        taken = {}
        for who, about in READERS.items():
            try:
                taken[who] = secs, _, measured = _best("flatten.py", who, source, Path(folder) / who, 1)
            except RuntimeError as error:  # polars finds no schema that fits all documents
                yield Figure(what, about, None, f"fails: {str(error).splitlines()[-1]}")
            else:
                ratio = f"{secs / taken['convohouse'][0]:.2f} x CPU"
                yield Figure(what, about, measured, _a_core(len(calls), secs), ratio)
            what = ""
        ours, floor = taken["convohouse"][0], taken["floor"][0] + taken["writing"][0]
        ratio = f"convohouse is {ours / floor:.2f} x"
        yield Figure("", "floor: decode + write", None, _a_core(len(calls), floor), ratio)
        for who, about in (("convohouse", "convohouse, two processes"), ("floor", "decode alone, two processes")):
            _, wall, measured = _best("flatten.py", who, source, Path(folder) / "two", 2)
            told = f"{len(calls) / wall:,.0f} documents/s"
            yield Figure("", about, measured, told, f"{taken[who][1] / wall:.2f} x one process")


def fetching(count: int, widths: tuple[int, ...]) -> Iterator[Figure]:
    """Requests a second and core, by processor time of the client, which has a core of its own."""
    with serving(count) as server:
        asked = len(corpus(count))
        what, before = f"fetch {asked:,} details", cpu_of(server.pid)
        for width in widths:
            taken = {who: _best("fetch.py", who, server.url, count, width) for who in CLIENTS}
            for who, about in CLIENTS.items():
                secs, _, measured = taken[who]
                told = f"{asked / secs:,.0f} requests/s a core"
                yield Figure(
                    what, f"{about}, {width} in flight", measured, told, f"{secs / taken['convohouse'][0]:.2f} x CPU"
                )
                what = ""
        requests = asked * len(widths) * len(CLIENTS) * REPEATS
        told = f"{requests / (cpu_of(server.pid) - before):,.0f} requests/s a core"
        yield Figure("", "the server itself", None, told)


def _best(script: str, who: str, *arguments: object) -> tuple[float, float, Measured]:
    """Processor and wall seconds of the work alone, and of the whole script, of the quickest run."""
    cores = [min(os.sched_getaffinity(0))] if arguments[-1] == 1 or script == "fetch.py" else ()
    runs = []
    for _ in range(REPEATS):
        measured = run([OURS / "python", CONTESTANTS / script, who, *map(str, arguments)], cores=cores, env=ONE_THREAD)
        first, second = map(float, measured.output.split())
        runs.append((first, second, measured))
    return min(runs, key=lambda each: each[:2])


def _a_core(count: int, secs: float) -> str:
    return f"{count / secs:,.0f} documents/s a core"
