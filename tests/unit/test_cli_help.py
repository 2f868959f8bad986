from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.cli.main import cli

HEAVY = (
    *("dagster", "polars", "duckdb", "pyarrow", "httpx", "aiohttp", "pydantic", "rich", "sqlglot", "starlette"),
    "phonenumbers",
    "deltalake",
    "adbc_driver_manager",
    "altair",
    "jinja2",
    "vl_convert",
)
COMMANDS = tuple(cli.commands)
LIGHT = [["--help"], *([command, "--help"] for command in COMMANDS), ["--version"]]


@pytest.fixture(scope="module")
def outcomes() -> dict[str, list[Any]]:
    """Exit code, output and heavy libraries that were imported, by arguments; all in one process of their own."""
    code = f"""
import contextlib, io, json, sys
import pipelines.cli.main as m
outcomes = {{}}
for arguments in {LIGHT!r}:
    before, output = set(sys.modules), io.StringIO()
    if not outcomes:
        before = set()
    with contextlib.redirect_stdout(output):
        try:
            exit_code = m.main(arguments)
        except SystemExit as stop:
            exit_code = stop.code
    outcomes[' '.join(arguments)] = exit_code, output.getvalue(), sorted(set({HEAVY!r}) & set(sys.modules) - before)
print(json.dumps(outcomes))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stderr == ""
    outcomes: dict[str, list[Any]] = json.loads(done.stdout)
    return outcomes


@pytest.mark.parametrize("arguments", LIGHT)
def test_help_imports_no_heavy_library(outcomes: dict[str, list[Any]], arguments: list[str]) -> None:
    exit_code, output, libraries = outcomes[" ".join(arguments)]
    assert (exit_code or 0, libraries) == (0, [])
    assert output


def test_every_command_is_listed_in_the_order_of_need() -> None:
    shown = CliRunner().invoke(cli, ["--help"]).output
    listed = shown.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert tuple(line.split()[0] for line in listed) == COMMANDS
    assert not [line for line in listed if line.endswith("...")]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches_by_examples_and_exit_codes(command: str) -> None:
    shown = CliRunner().invoke(cli, [command, "--help"])
    assert shown.exit_code == 0
    assert "Examples:" in shown.output
    assert "Exit codes:\n    0  " in shown.output
    assert f"    convohouse {command}" in shown.output or f"    convohouse --json {command}" in shown.output


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_fits_80_columns(command: str) -> None:
    shown = CliRunner().invoke(cli, [command, "--help"], terminal_width=80)
    assert [line for line in shown.output.splitlines() if len(line) > 80] == []
