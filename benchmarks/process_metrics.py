"""Run a command and measure it: wall time, processor time and peak memory of it and its children, bytes on disk."""

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
"""Environments of convohouse, and of what it is compared with."""

POLL_SECS = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")
_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Measured:
    """What a command took; ``memory`` is the peak of all its processes together, in bytes."""

    wall: float
    cpu: float
    memory: int
    output: str


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cores: Sequence[int] = ()) -> Measured:
    """Run a command to its end, on some cores or all.

    Raises:
        RuntimeError: it failed; with the end of what it wrote.
    """
    with tempfile.TemporaryFile("w+") as written:
        before, start = os.times(), time.perf_counter()
        process = subprocess.Popen(
            list(map(str, command)), env=environment(env), stdout=written, stderr=subprocess.STDOUT, cwd=ROOT
        )
        pin(process.pid, cores)
        peak = 0
        while process.poll() is None:
            peak = max(peak, sum(map(_memory, _family(process.pid))))
            time.sleep(POLL_SECS)
        wall, after = time.perf_counter() - start, os.times()
        written.seek(0)
        output = written.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {process.returncode}:\n{output[-2000:]}")
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return Measured(wall, cpu, peak, output)


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a contestant: nothing of ours but the path, so that no setting of the user changes it."""
    return {"PATH": os.defpath, "HOME": tempfile.gettempdir(), "PYTHONPATH": str(ROOT), **(more or {})}


def pin(pid: int, cores: Sequence[int]) -> None:
    """Keep a process on some cores, where the machine has them."""
    wanted = set(cores) & os.sched_getaffinity(0)
    if wanted:
        os.sched_setaffinity(pid, wanted)


def cpu_of(pid: int) -> float:
    """Processor seconds of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def bytes_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


@dataclass(frozen=True, slots=True)
class Server:
    """The lean server in a process of its own."""

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
    """A process and all below it."""
    yield pid
    try:
        children = [file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:  # it has just ended
        return
    for child in " ".join(children).split():
        yield from _family(int(child))


def _memory(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        return 0
