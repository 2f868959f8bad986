"""Work of one core: flattening against a lower bound and other readers, fetching against plainer HTTP clients."""

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
"""Runs; the fastest counts, because other load on a shared machine only slows a run down."""

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
    conversations = corpus(count)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "documents.ndjson"
        size = source.write_bytes(b"\n".join(conversation.detail for conversation in conversations))
        what = f"flatten and write {len(conversations):,} of {size / len(conversations) / 1024:.0f} KiB"
        runs = {}
        for who, about in READERS.items():
            try:
                runs[who] = secs, _, measured = _best("flatten.py", who, source, Path(folder) / who, 1)
            except RuntimeError as error:  # polars finds no schema that fits all documents
                yield Figure(what, about, None, f"fails: {str(error).splitlines()[-1]}")
            else:
                ratio = f"{secs / runs['convohouse'][0]:.2f} x CPU"
                yield Figure(what, about, measured, _rate_per_core(len(conversations), secs), ratio)
            what = ""
        ours, floor = runs["convohouse"][0], runs["floor"][0] + runs["writing"][0]
        ratio = f"convohouse is {ours / floor:.2f} x"
        yield Figure("", "floor: decode + write", None, _rate_per_core(len(conversations), floor), ratio)
        for who, about in (("convohouse", "convohouse, two processes"), ("floor", "decode alone, two processes")):
            _, wall, measured = _best("flatten.py", who, source, Path(folder) / "two", 2)
            rate = f"{len(conversations) / wall:,.0f} documents/s"
            yield Figure("", about, measured, rate, f"{runs[who][1] / wall:.2f} x one process")


def fetching(count: int, widths: tuple[int, ...]) -> Iterator[Figure]:
    """Requests a second and core, by processor time of the client; client and server have one core each."""
    with serving(count) as server:
        n_details = len(corpus(count))
        what, before = f"fetch {n_details:,} details", cpu_of(server.pid)
        for width in widths:
            runs = {who: _best("fetch.py", who, server.url, count, width) for who in CLIENTS}
            for who, about in CLIENTS.items():
                secs, _, measured = runs[who]
                rate = f"{n_details / secs:,.0f} requests/s a core"
                yield Figure(
                    what, f"{about}, {width} in flight", measured, rate, f"{secs / runs['convohouse'][0]:.2f} x CPU"
                )
                what = ""
        requests = n_details * len(widths) * len(CLIENTS) * REPEATS
        rate = f"{requests / (cpu_of(server.pid) - before):,.0f} requests/s a core"
        yield Figure("", "the server itself", None, rate)


def _best(script: str, who: str, *arguments: object) -> tuple[float, float, Measured]:
    """The fastest run: processor and wall seconds of the work alone, and the figures of the whole script."""
    cores = [min(os.sched_getaffinity(0))] if arguments[-1] == 1 or script == "fetch.py" else ()
    results = []
    for _ in range(REPEATS):
        measured = run([OURS / "python", CONTESTANTS / script, who, *map(str, arguments)], cores=cores, env=ONE_THREAD)
        first, second = map(float, measured.output.split())
        results.append((first, second, measured))
    return min(results, key=lambda result: result[:2])


def _rate_per_core(count: int, secs: float) -> str:
    return f"{count / secs:,.0f} documents/s a core"
