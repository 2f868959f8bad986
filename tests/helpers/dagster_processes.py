"""Dagster as a machine runs it: daemon, code server and workers as processes of their own, which can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

PROJECT = Path(__file__).parents[2]
AT = PROJECT / "tests" / "helpers" / "dagster_at.py"
MODULE = ("-m", "tests.helpers.few_definitions")
WAIT_SECS = 300.0
T = TypeVar("T")


@dataclass
class Machine:
    """Where Dagster runs: its folder, and the environment of its processes."""

    home: Path
    folder: Path
    variables: dict[str, str]
    groups: list[subprocess.Popen] = field(default_factory=list)

    def environment(self, now: str) -> dict[str, str]:
        names = ("PATH", "HOME", "TMPDIR", "LANG")
        passed = {name: os.environ[name] for name in names if name in os.environ}  # noqa: TID251 - for a process
        homes = {"DAGSTER_HOME": str(self.folder), "CONVOHOUSE_HOME": str(self.home), "CONVOHOUSE_NOW": now}
        return {**passed, "PYTHONPATH": str(PROJECT), "PYTHONWARNINGS": "ignore", **homes, **self.variables}

    def run(self, now: str, *command: str) -> subprocess.CompletedProcess:
        """Run a command of Dagster with its clock at a moment, until it ends."""
        return subprocess.run(  # noqa: S603 - ours
            [sys.executable, str(AT), now, *command],
            env=self.environment(now),
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, now: str, *command: str) -> subprocess.Popen:
        """Start a command of Dagster with its clock at a moment; what it starts belongs to its process group."""
        with (self.folder / f"{len(self.groups)}.log").open("w") as log:
            process = subprocess.Popen(  # noqa: S603 - ours
                [sys.executable, str(AT), now, *command],
                env=self.environment(now),
                cwd=self.folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.groups.append(process)
        return process

    def kill(self, process: subprocess.Popen) -> None:
        """Kill it and all that it has started, as a loss of power does."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.groups.remove(process)

    def logs(self) -> str:
        return "\n".join(file.read_text()[-4000:] for file in sorted(self.folder.glob("*.log")))


@contextmanager
def machine(home: Path, folder: Path, **variables: str) -> Iterator[Machine]:
    """A machine with the project's settings of Dagster; at the end, all its processes are killed."""
    folder.mkdir()
    (folder / "dagster.yaml").write_text((PROJECT / "dagster.yaml").read_text())
    started = Machine(home, folder, variables)
    try:
        yield started
    finally:
        for process in list(started.groups):
            started.kill(process)


def wait_for(what: str, value: Callable[[], T], logs: Callable[[], str] = str) -> T:
    """The first true value."""
    end = time.monotonic() + WAIT_SECS
    while time.monotonic() < end:
        if result := value():
            return result
        time.sleep(0.5)
    raise AssertionError(f"Not within {WAIT_SECS:.0f} s: {what}\n{logs()}")
