"""The command line in this process: what it writes, and the exit code."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli.main import cli, main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode()

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Terminal(io.TextIOWrapper):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def run(folder: Path, *arguments: str, stdin: str = "", width: int | None = None, **settings: str) -> Ended:
    """Run ``convohouse`` in ``folder``, with these settings in the environment and no others.

    With a ``width``, standard output and standard error are terminals with that many columns.
    """
    kind = io.TextIOWrapper if width is None else Terminal
    out, err = (kind(io.BytesIO(), "utf-8") for _ in range(2))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in ("ELEVENLABS_API_KEY", "ELEVENLABS_BASE_URL", "CONVOHOUSE_HOME"):
            patch.delenv(name, raising=False)
        for name, value in settings.items():
            patch.setenv(name, value)
        if width is not None:
            patch.setenv("COLUMNS", str(width))
        patch.chdir(folder)
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), "utf-8"))
        with pytest.raises(SystemExit) as ended:
            main(arguments)
    for stream in (out, err):
        stream.flush()
    return Ended(int(ended.value.code or 0), out.buffer.getvalue(), err.buffer.getvalue().decode())


def parse(arguments: list[str]) -> None:
    """Parse a command line as the program does, without running the command.

    Raises:
        click.ClickException: the command or an option does not exist, or a value is wrong.
    """
    with cli.make_context("convohouse", arguments) as group:
        name, command, rest = cli.resolve_command(group, [*group._protected_args, *group.args])  # what click parsed
        assert command is not None
        command.make_context(name, rest, parent=group)
