"""A user without a home folder, as in a container: libraries that look for one when they are imported find one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.environment import ensure_user_folder

PROJECT = Path(__file__).parents[2]


def without_folder() -> Path:
    """``Path.home`` for a user without an entry in the list of users."""
    if folder := os.environ.get("HOME"):  # noqa: TID251 - of this process
        return Path(folder)
    message = "Could not determine home directory."
    raise RuntimeError(message)


@pytest.mark.parametrize(("before", "after"), [(None, "/"), ("/srv/somebody", "/srv/somebody")])
def test_only_a_user_without_a_folder_gets_one(before: str | None, after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", without_folder)
    if before is None:
        monkeypatch.delenv("HOME")
    else:
        monkeypatch.setenv("HOME", before)
    ensure_user_folder()
    assert os.environ["HOME"] == after  # noqa: TID251 - of this process


def test_the_charts_are_there_for_a_user_without_a_folder() -> None:
    code = (
        "import os, pathlib\n"
        "def home():\n"
        "    if 'HOME' not in os.environ: raise RuntimeError('no home')\n"
        "    return pathlib.Path(os.environ['HOME'])\n"
        "pathlib.Path.home = home\n"
        "import pipelines.page.charts\n"
        "print(os.environ['HOME'])"
    )
    ended = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-c", code], cwd=PROJECT, env={}, capture_output=True, text=True, timeout=100, check=False
    )
    assert (ended.stdout, ended.stderr) == ("/\n", "")
