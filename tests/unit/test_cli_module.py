"""The commands where the program ``convohouse`` is not on the path."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path


def test_the_module_can_be_run() -> None:
    command = [sys.executable, "-m", "pipelines.cli.main", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert (done.stdout, done.stderr) == (f"convohouse {version('convohouse')}\n", "")


def test_output_that_cannot_be_written_is_an_error() -> None:
    command = [sys.executable, "-m", "pipelines.cli.main", "--help"]
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)  # noqa: S603 - ours
    assert ended.returncode == 1
    assert ended.stderr == (
        "error: No space left on device.\nFree some disk space, or make it writable, then run the command again.\n"
    )
