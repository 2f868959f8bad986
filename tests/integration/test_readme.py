"""Every command of the README is run, as it is written there, in the order in which it stands there."""

from __future__ import annotations

import re
import shlex
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.cli.main import cli
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from tests.helpers.run_cli import run

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
LINES = [
    line.removeprefix("$ ").split(" #")[0].strip()
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ ")
]
CONVOHOUSE = [line for line in LINES if "convohouse" in line.split()[0]]


def words(line):
    """A line as a shell splits it, without the program and a redirection."""
    found = shlex.split(line)
    return found[1 : found.index(">")] if ">" in found else found[1:]


def filled(line, run_line):
    """A line with $(… | tail -1) put in as a shell does: the last line that the command in it writes."""
    return re.sub(r"\$\((.*) \| tail -1\)", lambda found: run_line(found[1]).text.splitlines()[-1], line)


def test_the_lines_of_the_readme_are_known_kinds():
    assert len(CONVOHOUSE) >= 9
    others = set(LINES) - set(CONVOHOUSE)
    assert {line.split()[0] for line in others} == {"make", "export"}


def test_every_make_target_of_the_readme_exists():
    for target in {line.split()[1] for line in LINES if line.startswith("make")}:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)  # noqa: S603, S607


def test_make_clean_removes_whole_folders_that_git_ignores():
    command = ["make", "--no-print-directory", "--dry-run", "clean"]
    told = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    removed = set(told.stdout.split()) - {"rm", "-rf"}
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    assert {".venv", ".dagster", "demo"} < removed <= ignored


def test_every_convohouse_command_of_the_readme_runs(tmp_path):
    assert run(tmp_path, "demo", "--conversations", "60", "--days", "3").code == 0
    until = datetime(2026, 11, 22, tzinfo=UTC)
    with running(create_app(World(conversations=60, days=3, until=until), clock=lambda: until)) as url:

        def run_line(line):
            ended = run(tmp_path, *words(line), ELEVENLABS_API_KEY="demo", ELEVENLABS_BASE_URL=url)
            assert ended.code == 0, (line, ended.err)
            return ended

        for line in CONVOHOUSE:
            run_line(filled(line, run_line))


@pytest.mark.parametrize("command", list(cli.commands))
def test_every_command_is_in_the_readme(command):
    assert f"| `{command}" in README
