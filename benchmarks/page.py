"""Measure the page: ``python -m benchmarks.page`` serves homes of 20,000 and 200,000 conversations.

Each page is asked for with its default days (14 of 90) and with all days. Wall time is from the request to the last
byte (its median counts), processor time the server's (its mean, over ten requests, after one that is not counted).
Bytes are as sent (compressed) and as the browser reads them. At the end, the server's memory (resident, and its peak)
after 100 and after 1,000 requests over all pages, and 20 clients at once, alone and during a full refresh.
The budget: 300 ms of processor time at 20,000 conversations and 1 s at 200,000 for every page, and 1.5 MB for a first
load with charts.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from itertools import cycle, islice
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
from rich.console import Console
from rich.table import Table

from benchmarks.models import ORIGINALS, UNTIL, fill, originals
from benchmarks.process_metrics import ROOT, environment
from warehouse.build.runner import build
from warehouse.connection import Limits
from warehouse.storage.home import Home

PAGES = ("/", "/money", "/outcomes", "/speed", "/tools", "/agents", "/conversations", "/data", "/catalogue")
REPEATS = 10
CLIENTS, CROWD_SECS = 20, 20
MEMORY_AFTER = (100, 1000)
BUDGET_MS = {20_000: 300, 200_000: 1000}
CODE = "from pipelines.cli.main import main; main()"


@dataclass(frozen=True, slots=True)
class Load:
    """What a request took, in seconds, and the bytes of its body as sent and as read."""

    wall: float
    processor: float
    sent: int
    read: int


@contextmanager
def server(home: Home) -> Iterator[tuple[http.client.HTTPConnection, int]]:
    """``convohouse serve`` in a process of its own: a connection to it, and its process id."""
    command = [sys.executable, "-c", CODE, "--home", str(home.root), "--json", "serve", "--port", "0"]
    settings = environment({"CONVOHOUSE_NOW": UNTIL.isoformat(), "PYTHONPATH": str(ROOT)})
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=settings, text=True)
    try:
        answer = "".join(iter(process.stdout.readline, "}\n")) + "}"
        yield http.client.HTTPConnection(urlsplit(json.loads(answer)["url"]).netloc, timeout=600), process.pid
    finally:
        process.terminate()
        process.wait(30)


def start_build(home: Home) -> subprocess.Popen:
    """All models are built again in a process of their own."""
    command = [sys.executable, "-c", CODE, "--home", str(home.root), "build"]
    settings = environment({"PYTHONPATH": str(ROOT)})
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=settings)


def processor_secs(pid: int) -> float:
    """Processor time of a process so far, with threads that have ended, to a tick of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int, name: str) -> float:
    """``VmRSS`` or ``VmHWM`` of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024


def get(connection: http.client.HTTPConnection, pid: int, path: str) -> Load:
    """Ask for a page.

    Raises:
        RuntimeError: the answer is not 200.
    """
    start, before = time.perf_counter(), processor_secs(pid)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    response = connection.getresponse()
    body = response.read()
    if response.status != HTTPStatus.OK:
        raise RuntimeError(f"{path}: {response.status}")
    wall, processor = time.perf_counter() - start, processor_secs(pid) - before
    is_compressed = response.headers.get("content-encoding") == "gzip"
    return Load(wall, processor, len(body), len(gzip.decompress(body)) if is_compressed else len(body))


def measure(connection: http.client.HTTPConnection, pid: int, path: str) -> Load:
    """The median of wall time and the mean of processor time of some requests, after one that is not counted."""
    get(connection, pid, path)
    loads = [get(connection, pid, path) for _ in range(REPEATS)]
    return Load(
        statistics.median(load.wall for load in loads),
        statistics.mean(load.processor for load in loads),
        loads[-1].sent,
        loads[-1].read,
    )


def crowd(address: str, pid: int, is_going_on: Callable[[], bool]) -> str:
    """What ``CLIENTS`` that ask for all pages as fast as they can are given, while something goes on.

    Raises:
        RuntimeError: an answer is not 200.
    """
    start, before = time.perf_counter(), processor_secs(pid)

    def ask(number: int) -> list[float]:
        connection = http.client.HTTPConnection(address, timeout=600)
        walls = []
        for path in islice(cycle(PAGES), number, None):
            if not is_going_on():
                return walls
            walls.append(get(connection, pid, path).wall)
        return walls

    with ThreadPoolExecutor(CLIENTS) as pool:
        walls = sorted(wall for answers in pool.map(ask, range(CLIENTS)) for wall in answers)
    secs = time.perf_counter() - start
    processor = (processor_secs(pid) - before) / len(walls)
    return (
        f"{len(walls):,} answers in {secs:.0f} s, {processor * 1e3:,.0f} ms of processor time each; wall: median "
        f"{statistics.median(walls):.2f} s, 95 of 100 {walls[int(len(walls) * 0.95)]:.2f} s, longest {walls[-1]:.2f} s"
    )


def make_home(folder: Path, frames: dict, conversations: int) -> tuple[Home, int]:
    """A home of about so many conversations, built without checks' failures; and their number."""
    home = Home(folder / str(conversations)).open()
    n_originals = frames["conversations"].height
    copies = max(1, round(conversations / n_originals))
    fill(home, frames, copies)
    build(home, limits=Limits(threads=2))
    return home, copies * n_originals


def one_conversation(home: Home) -> str:
    """The path of a conversation with many turns."""
    with duckdb.connect(str(home.warehouse), read_only=True) as connection:
        rows = connection.execute(
            "select conversation_id from marts.fct_conversations order by n_turns desc, conversation_id limit 1"
        ).fetchall()
    return f"/conversations/{rows[0][0]}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, nargs="+", default=list(BUDGET_MS))
    parser.add_argument("--requests", type=int, default=MEMORY_AFTER[-1], help="of the measurement of memory")
    options = parser.parse_args()
    console = Console(width=120)
    with tempfile.TemporaryDirectory() as folder:
        frames = originals(min(ORIGINALS, *options.conversations))
        for conversations in options.conversations:
            home, n = make_home(Path(folder), frames, conversations)
            with server(home) as (connection, pid):
                table = Table("page", "days", "CPU ms", "wall ms", "sent kB", "read kB", title=f"{n:,} conversations")
                for path in (*PAGES, one_conversation(home)):
                    for days in ("", "?days=all") if path in PAGES[:7] else ("",):
                        load = measure(connection, pid, path + days)
                        cells = (load.processor * 1e3, load.wall * 1e3, load.sent / 1e3, load.read / 1e3)
                        table.add_row(path[:24], "all" if days else "14", *(f"{cell:,.0f}" for cell in cells))
                console.print(table)
                files = [get(connection, pid, f"/static/{name}") for name in ("charts.js", "page.js", "page.css")]
                first = sum(file.sent for file in files) + get(connection, pid, "/").sent
                console.print(f"a first load of the overview: {first / 1e6:.2f} MB sent")
                address = f"{connection.host}:{connection.port}"
                end = time.perf_counter() + CROWD_SECS
                console.print(f"{CLIENTS} clients: {crowd(address, pid, lambda end=end: time.perf_counter() < end)}")
                running = start_build(home)
                console.print(f"during a build: {crowd(address, pid, lambda running=running: running.poll() is None)}")
                connection.close()  # the server has closed it meanwhile
                if conversations == options.conversations[0]:
                    for number, path in enumerate(islice(cycle(PAGES), options.requests), start=1):
                        get(connection, pid, path)
                        if number in (*MEMORY_AFTER, options.requests):
                            rss, peak = memory_mib(pid, "VmRSS"), memory_mib(pid, "VmHWM")
                            console.print(f"memory after {number:,} requests: {rss:,.0f} MiB, peak {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
