"""The commands where the program ``convohouse`` is not on the path."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version


def test_the_module_can_be_run() -> None:
    command = [sys.executable, "-m", "pipelines.cli.main", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert (done.stdout, done.stderr) == (f"convohouse {version('convohouse')}\n", "")
