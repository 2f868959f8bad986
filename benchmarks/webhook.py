"""Load the webhook receiver over loopback with 200 connections, and measure what it answers and what memory it takes.

``python -m benchmarks.webhook`` runs each load against a receiver of its own; ``--product FOLDER`` measures the code of
another checkout, and ``--only`` some loads. Sender and receiver share the machine's cores, so a rate says little by
itself: compare rates of one moment only. The memory is the peak of the receiver's process (VmHWM).
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from benchmarks.process_metrics import ROOT, cpu_of, environment
from pipelines.clock import utc_now
from pipelines.emulator.generator.world import World

CONNECTIONS = 200
SECS = 60.0
"""Of the load of documents; the others end when every connection was answered, or after ``PATIENCE_SECS``."""
PATIENCE_SECS = 30.0
SECRET = "wsec_of_the_benchmark"
MIB = 1024 * 1024
RECORDING_BYTES = 18 * MIB
RECORDINGS, RECORDINGS_AT_ONCE = 50, 10
FORGED_BYTES = 15 * MIB
PART_BYTES = 256 * 1024
UNTIL = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(slots=True)
class Tally:
    """What the receiver answered: seconds by request, and how many requests had which status (0: closed)."""

    statuses: Counter[int] = field(default_factory=Counter)
    secs: list[float] = field(default_factory=list)

    def add(self, status: int, secs: float) -> None:
        """Count a response."""
        self.statuses[status] += 1
        self.secs.append(secs)

    @property
    def summary(self) -> str:
        """The counts, and the median and 99th percentile of the times."""
        counts = ", ".join(f"{count:,} x {status or 'closed'}" for status, count in sorted(self.statuses.items()))
        if not counts:
            return "no response"
        p99 = sorted(self.secs)[len(self.secs) * 99 // 100]
        return f"{counts}; p50 {statistics.median(self.secs):.2f} s, p99 {p99:.2f} s"


class Sender:
    """Sends to one receiver."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.tally = Tally()
        documents = World(conversations=300, days=3, until=UNTIL).details(UNTIL)
        self._documents = [
            (document["conversation_id"].encode(), json.dumps(document).encode())
            for document in documents
            if document["status"] == "done" and document["transcript"]
        ]

    async def documents(self, secs: float) -> None:
        """Signed documents of new conversations, each connection one after the other."""
        end = time.monotonic() + secs

        async def send(number: int) -> None:
            async with self._connection() as (reader, writer):
                while time.monotonic() < end:
                    conversation_id, document = self._documents[number % len(self._documents)]
                    number += 1
                    data = document.replace(conversation_id, f"conv_{uuid.uuid4().hex}".encode())
                    await self._request(reader, writer, [self._event("post_call_transcription", data)])

        await self._at_once(send)

    async def recordings(self, _secs: float) -> None:
        """Signed recordings in chunks, a few at once."""
        data = b'{"agent_id":"a","conversation_id":"c","full_audio":"' + b"A" * RECORDING_BYTES + b'"}'
        body = self._event("post_call_audio", data)
        signature = _signature(body)
        parts = [body[start : start + PART_BYTES] for start in range(0, len(body), PART_BYTES)]

        turns = asyncio.Semaphore(RECORDINGS_AT_ONCE)

        async def send(_number: int) -> None:
            async with turns, self._connection() as (reader, writer):
                await self._request(reader, writer, parts, signature=signature, is_chunked=True)

        await self._at_once(send, RECORDINGS)

    async def unsigned(self, _secs: float) -> None:
        """One large body without a signature on each connection, which stops before its end."""
        await self._hold(None)

    async def forged(self, _secs: float) -> None:
        """The same with a signature of the right form and time, so that only the end of the body could disprove it."""
        await self._hold(f"t={int(utc_now().timestamp())},v0={'0' * 64}")

    async def silent(self, _secs: float) -> None:
        """Connections that never send a byte."""

        async def send(_number: int) -> None:
            async with self._connection() as (reader, _):
                await self._response(reader)

        await self._at_once(send)

    async def dripping(self, _secs: float) -> None:
        """Connections whose head comes at a byte a second."""

        async def send(_number: int) -> None:
            async with self._connection() as (reader, writer):
                response = asyncio.create_task(self._response(reader))
                for byte in b"POST / HTTP/1.1\r\nHost: benchmark\r\nX-Padding: ":
                    if response.done():
                        break
                    writer.write(bytes([byte]))
                    await asyncio.wait([response], timeout=1)
                await response

        await self._at_once(send)

    async def _hold(self, signature: str | None) -> None:
        async def send(_number: int) -> None:
            async with self._connection() as (reader, writer):
                writer.write(_head(signature, f"Content-Length: {FORGED_BYTES + 1}"))
                response = asyncio.create_task(self._response(reader))
                for _ in range(FORGED_BYTES // PART_BYTES):
                    if response.done():
                        break
                    writer.write(b" " * PART_BYTES)
                    await writer.drain()
                await response

        await self._at_once(send)

    async def _request(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        parts: list[bytes],
        *,
        signature: str | None = None,
        is_chunked: bool = False,
    ) -> None:
        length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {sum(map(len, parts))}"
        writer.write(_head(signature or _signature(parts[0]), length))
        for part in parts:
            writer.write(b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part)
            await writer.drain()
        writer.write(b"0\r\n\r\n" if is_chunked else b"")
        await self._response(reader)

    async def _response(self, reader: asyncio.StreamReader) -> None:
        start = time.monotonic()
        status = 0
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            status = int(head.split()[1])
            await reader.readexactly(int(re.search(rb"content-length: (\d+)", head.lower())[1]))
        self.tally.add(status, time.monotonic() - start)
        if not status:
            raise ConnectionError

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        with suppress(OSError):
            yield reader, writer
        writer.close()

    async def _at_once(self, send: Callable[[int], Coroutine[None, None, None]], count: int = CONNECTIONS) -> None:
        tasks = [asyncio.create_task(send(number)) for number in range(count)]
        _, pending = await asyncio.wait(tasks, timeout=PATIENCE_SECS + SECS)
        for task in pending:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _event(self, kind: str, data: bytes) -> bytes:
        return b'{"type":"%b","event_timestamp":%d,"data":%b}' % (kind.encode(), utc_now().timestamp(), data)


def _signature(body: bytes) -> str:
    at = int(utc_now().timestamp())
    return f"t={at},v0={hmac.digest(SECRET.encode(), str(at).encode() + b'.' + body, 'sha256').hex()}"


def _head(signature: str | None, length: str) -> bytes:
    lines = [
        "POST / HTTP/1.1",
        "Host: benchmark",
        length,
        *([f"ElevenLabs-Signature: {signature}"] if signature else []),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@contextmanager
def receiving(product: Path, home: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A receiver of the product, and its port."""
    code = "from pipelines.cli.main import main; main()"
    with (
        (home.parent / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-c", code, "webhook", "--port", "0", "--json"],
            env=environment(
                {"PYTHONPATH": str(product), "CONVOHOUSE_HOME": str(home), "ELEVENLABS_WEBHOOK_SECRET": SECRET}
            ),
            cwd=home.parent,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        ) as process,
    ):
        address = ""
        while not (port := re.search(r":(\d+)\"", address)):
            address = process.stdout.readline() if process.stdout else ""
        try:
            yield process, int(port[1])
        finally:
            process.terminate()


def peak_memory(pid: int) -> int:
    """Peak resident memory of a process, in bytes."""
    return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


def measure(product: Path, load: str, secs: float) -> list[str]:
    """Cells of the line of one load."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with receiving(product, home) as (process, port):
            sender, idle = Sender(port), peak_memory(process.pid)
            start = time.monotonic()
            asyncio.run(getattr(sender, load)(secs))
            wall, cpu, peak = time.monotonic() - start, cpu_of(process.pid), peak_memory(process.pid)
        files = [*home.glob("landing/start_date=*/*.parquet"), *home.glob("landing/webhook_events/*.parquet")]
        landed = sum(pl.read_parquet(file, columns=["conversation_id"]).height for file in files)
    n_confirmed = sender.tally.statuses[200]
    rate = f"; {n_confirmed / wall:,.0f} a second, {landed:,} landed" if load == "documents" else ""
    return [load, f"{idle / MIB:,.0f}", f"{peak / MIB:,.0f}", f"{cpu:.1f}", f"{wall:.1f}", sender.tally.summary + rate]


def main() -> None:
    """Print a line for each load."""
    loads = ["documents", "recordings", "unsigned", "forged", "silent", "dripping"]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--product", type=Path, default=ROOT, help="checkout whose receiver is measured")
    parser.add_argument("--secs", type=float, default=SECS, help="of the load of documents")
    parser.add_argument("--only", nargs="+", choices=loads, default=loads)
    arguments = parser.parse_args()
    print("| load | MiB before | peak MiB | CPU s | wall s | responses |")
    print("|---|---|---|---|---|---|")
    for load in arguments.only:
        print(f"| {' | '.join(measure(arguments.product.resolve(), load, arguments.secs))} |", flush=True)


if __name__ == "__main__":
    main()
