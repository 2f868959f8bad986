"""Commands that die as by kill -9, each in a process of its own.

A new process each, no fork of one that has imported everything: the threads of polars do not survive a fork.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from itertools import count
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from pipelines.cli.main import main
from tests.helpers.few_models import read_from_now_on
from warehouse.models.project import read_project

Point = tuple[str, int, str]
"""Before the call of that number, from 1, of ``module:attribute``, of those with the word in an argument's text."""


def die(point: Point, *arguments: str, folder: Path | None = None, few: tuple[str, ...] = (), **settings: str) -> None:
    """Run ``convohouse`` in a folder, with settings in the environment, until it dies at the point.

    Builds make the ``few`` models and what these read, or all.
    """
    project = read_project().upstream(*few) if few else None  # to read it takes as long as to start
    request = {"point": point, "arguments": arguments, "project": project, "folder": folder or Path.cwd()}
    ended = subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-m", __name__],
        cwd=Path(__file__).parents[2],
        env=os.environ | settings,  # noqa: TID251 - of a process of its own
        input=pickle.dumps(request),
        capture_output=True,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, (ended.stdout + ended.stderr).decode()


def die_at(function: str, number: int, word: str) -> None:
    """Let this process die at a point."""
    module, _, path = function.partition(":")
    *holders, name = path.split(".")
    holder = resolve_name(f"{module}:{'.'.join(holders)}") if holders else resolve_name(module)
    real = getattr(holder, name)
    numbers = count(1)

    def dying(*arguments: Any, **named: Any) -> Any:
        if any(word in str(argument) for argument in arguments) and next(numbers) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **named)

    setattr(holder, name, dying)


def _run(request: dict[str, Any]) -> None:
    os.chdir(request["folder"])
    if request["project"]:
        read_from_now_on(request["project"])
    die_at(*request["point"])
    main(request["arguments"])


if __name__ == "__main__":
    _run(pickle.load(sys.stdin.buffer))  # noqa: S301 - ours
