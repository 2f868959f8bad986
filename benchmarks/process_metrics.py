"""Run a command and measure wall time, processor time and peak memory with its children, and bytes on disk."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
OURS = ROOT / ".venv" / "bin"
THEIRS = ROOT / ".venv" / "bench" / "bin"
"""Environments of convohouse and of the tools that it is compared with."""

POLL_SECS = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Measured:
    """Cost of a command: ``wall`` and ``cpu`` in seconds, ``memory`` as the peak of all its processes in bytes."""

    wall: float
    cpu: float
    memory: int
    output: str


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cores: Sequence[int] = ()) -> Measured:
    """Run a command to its end, on the given cores or on all.

    Raises:
        RuntimeError: the command failed; the message has the end of its output.
    """
    with tempfile.TemporaryFile("w+") as output_file:
        before, start = os.times(), time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)), env=environment(env), stdout=output_file, stderr=subprocess.STDOUT, cwd=ROOT
        )
        pin(process.pid, cores)
        peak = 0
        while process.poll() is None:
            peak = max(peak, sum(map(_memory, _family(process.pid))))
            time.sleep(POLL_SECS)
        wall, after = time.perf_counter() - start, os.times()
        output_file.seek(0)
        output = output_file.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{output[-2000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(wall, cpu, peak, output)


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a contestant: only the paths, so that no setting of the user changes the result."""
    return {"PATH": os.defpath, "HOME": tempfile.gettempdir(), "PYTHONPATH": str(ROOT), **(variables or {})}


def pin(pid: int, cores: Sequence[int]) -> None:
    """Keep a process on some cores, where the machine has them."""
    available = set(cores) & os.sched_getaffinity(0)
    if available:
        os.sched_setaffinity(pid, available)


def cpu_of(pid: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def bytes_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@dataclass(frozen=True, slots=True)
class Server:
    """The benchmark server in its own process."""

    url: str
    pid: int


@contextmanager
def serving(count: int, *, latency: float = 0.0, is_revised: bool = False) -> Iterator[Server]:
    """Serve ``count`` conversations from the machine's last core."""
    options = ["--latency", str(latency), *(["--revised"] if is_revised else [])]
    command = [sys.executable, "-m", "benchmarks.server", str(count), *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        pin(process.pid, [max(os.sched_getaffinity(0))])
        url = process.stdout.readline().strip() if process.stdout else ""
        yield Server(url, process.pid)
    finally:
        process.terminate()
        process.wait()


def _family(pid: int) -> Iterator[int]:
    """A process and all its descendants."""
    yield pid
    try:
        children = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # the process has just ended
        return
    for child in " ".join(children).split():
        yield from _family(int(child))


def _memory(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0
