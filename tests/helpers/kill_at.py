"""Commands that die as by kill -9, each in a process of its own.

The processes are forks of one that has imported what the commands need: most of them die sooner than they would have
imported it.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import Path
from pkgutil import resolve_name
from tempfile import TemporaryFile
from typing import Any, NoReturn

from pipelines.cli.main import main
from tests.helpers.few_models import build_few
from warehouse.models.project import read_project

IMPORTED = ("pipelines.usecases.sync", "pipelines.usecases.publish", "pipelines.usecases.erasure")

Point = tuple[str, int, str]
"""Before the call of that number, from 1, of ``module:attribute``, of those with the word in an argument's text."""


def die(point: Point, *arguments: str, folder: Path | None = None, few: tuple[str, ...] = (), **settings: str) -> None:
    """Run ``convohouse`` in a folder, with settings in the environment, until it dies at the point.

    Builds make the ``few`` models and what these read, or all.
    """
    environment = os.environ | settings  # noqa: TID251 - of a process of its own
    request = {"point": point, "arguments": arguments, "few": few, "environment": dict(environment)}
    process = _forking()
    process.stdin.write(json.dumps(request | {"folder": str(folder or Path.cwd())}) + "\n")
    process.stdin.flush()
    ended = json.loads(process.stdout.readline())
    assert ended["code"] == -signal.SIGKILL, ended["output"]


@cache
def _forking() -> subprocess.Popen[str]:
    """The process that is forked for each command; it ends with this one."""
    process = subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "-m", __name__],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    atexit.register(process.communicate)
    return process


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


def _serve() -> None:
    for module in IMPORTED:
        import_module(module)
    read_project()
    for line in sys.stdin:
        with TemporaryFile() as output:
            process_id = os.fork()
            if process_id == 0:
                _run(json.loads(line), output.fileno())
            _, status = os.waitpid(process_id, 0)
            output.seek(0)
            ended = {"code": os.waitstatus_to_exitcode(status), "output": output.read().decode(errors="replace")}
        sys.stdout.write(json.dumps(ended) + "\n")
        sys.stdout.flush()


def _run(request: dict[str, Any], output: int) -> NoReturn:
    os.dup2(output, sys.stdout.fileno())
    os.dup2(output, sys.stderr.fileno())
    os.environ.clear()  # noqa: TID251 - of the command
    os.environ.update(request["environment"])  # noqa: TID251 - as above
    os.chdir(request["folder"])
    if request["few"]:
        build_few(*request["few"])
    die_at(*request["point"])
    code = 1
    try:
        main(request["arguments"])
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    _serve()
