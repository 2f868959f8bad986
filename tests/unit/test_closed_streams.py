"""A command whose standard output or error is closed, as by ``>&-``, works and says nothing there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
COMMAND = '"$0" -m pipelines.cli.main --home nowhere'


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"),
    [
        ("tables marts.fct_turns >&-", 0, "", ""),
        ("tables marts.fct_turns 2>&-", 0, "fct_turns", ""),
        ("summary >&-", 2, "", "nowhere holds nothing yet."),
        ("summary >&- 2>&-", 2, "", ""),
    ],
)
def test_a_closed_stream_is_no_error(arguments: str, code: int, out: str, err: str) -> None:
    ended = subprocess.run(  # noqa: S603 - ours
        ["/bin/sh", "-c", f"{COMMAND} {arguments}", sys.executable],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert (ended.returncode, out in ended.stdout, err in ended.stderr) == (code, True, True), ended
    assert (bool(ended.stdout), bool(ended.stderr)) == (bool(out), bool(err))
