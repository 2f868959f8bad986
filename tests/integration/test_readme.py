"""README.md and the pages of docs/: every command is run as it is written, and the output that is shown is real."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.cli.main import cli
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from tests.helpers import day, questions
from tests.helpers.readme_demo import README_FILE, comparable, demo_output, shown_output
from tests.helpers.reference_docs import COMMANDS_FILE
from tests.helpers.run_cli import run
from warehouse.connection import open_warehouse
from warehouse.serve.query import query
from warehouse.storage.home import Home

ROOT = Path(__file__).parents[2]
README = README_FILE.read_text(encoding="utf-8")
PAGES = sorted(page for page in ROOT.glob("docs/*.md") if page != COMMANDS_FILE)
"""The examples of docs/commands.md are parsed and not run (tests/unit/test_docs.py): they name ids of nobody."""


def commands(text):
    """The command lines of a text's console blocks, without prompt and comment."""
    return [
        line.removeprefix("$ ").split(" #")[0].strip()
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("$ ")
    ]


LINES = commands(README)
CONVOHOUSE = [line for line in LINES if "convohouse" in line.split()[0]]
IN_DOCS = [line for page in PAGES for line in commands(page.read_text(encoding="utf-8"))]


def words(line):
    """A line as a shell splits it, without the program and a redirection."""
    arguments = shlex.split(line)
    return arguments[1 : arguments.index(">")] if ">" in arguments else arguments[1:]


def filled(line, run_line):
    """A line with $(… | tail -1) replaced as a shell does: by the last line that the command in it prints."""
    return re.sub(r"\$\((.*) \| tail -1\)", lambda match: run_line(match[1]).text.splitlines()[-1], line)


def test_the_lines_of_the_readme_are_known_kinds():
    assert len(CONVOHOUSE) >= 9
    others = set(LINES) - set(CONVOHOUSE)
    assert {line.split()[0] for line in others} == {"make", "export"}


def test_the_lines_of_the_docs_are_known_kinds():
    assert len(IN_DOCS) >= 6
    assert {line.split()[0] for line in IN_DOCS} == {"convohouse"}


def test_every_make_target_of_the_readme_and_of_make_help_exists():
    targets = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "dev", "superset", "test", "bench"} < targets
    for target in targets | {line.split()[1] for line in LINES if line.startswith("make")}:
        subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)  # noqa: S603, S607


def test_make_clean_removes_whole_folders_that_git_ignores():
    command = ["make", "--no-print-directory", "--dry-run", "clean"]
    ended = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    removed = set(ended.stdout.split()) - {"rm", "-rf"}
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines()}
    assert {".venv", ".dagster", "demo"} < removed <= ignored


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The packages as a wheel installs them, without the rest of the project."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 - ours
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(folder / "packages")
    return folder / "packages"


def test_a_wheel_has_every_file_of_the_packages_and_the_settings_of_dagster(installed):
    (metadata,) = installed.glob("*.dist-info")
    files = {file.relative_to(installed) for file in installed.rglob("*") if file.is_file()}
    expected = {
        file.relative_to(ROOT)
        for package in ("pipelines", "warehouse", "sql")
        for file in (ROOT / package).rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }
    in_packages = {file for file in files if file.parts[0] != metadata.name}
    assert in_packages == expected | {Path("pipelines/dagster.yaml")}


@pytest.fixture(scope="module")
def demo(installed, tmp_path_factory):
    """A demo as `make demo` runs it, from a wheel: what it printed, and its home."""
    folder = tmp_path_factory.mktemp("demo")
    output = demo_output(folder, installed)
    return output, Home(folder / "demo")


@pytest.mark.timeout(400)
def test_every_convohouse_command_of_the_readme_and_the_docs_runs(demo):
    folder = demo[1].root.parent
    until = datetime(2026, 11, 22, tzinfo=UTC)
    with running(create_app(World(conversations=60, days=3, until=until), clock=lambda: until)) as url:

        def run_line(line):
            ended = run(folder, *words(line), ELEVENLABS_API_KEY="demo", ELEVENLABS_BASE_URL=url)
            assert ended.code == 0, (line, ended.err)
            return ended

        for line in dict.fromkeys([*CONVOHOUSE, *IN_DOCS]):
            run_line(filled(line, run_line))


@pytest.mark.timeout(400)
def test_the_output_that_the_readme_shows_is_that_of_the_demo(demo):
    output, _ = demo
    assert comparable(shown_output(README)) == comparable(output), "run `make readme`"


@pytest.mark.timeout(400)
def test_the_answers_that_the_docs_show_are_those_of_the_demo(demo):
    _, home = demo
    shown = questions.questions(questions.QUESTIONS_FILE.read_text(encoding="utf-8"))
    assert len(shown) == 20
    for sql, table in shown:
        answer = questions.answer(home, sql)
        assert answer.count("\n") > 2, sql
        if day.now.start.date() == day.TODAY:  # weeks and weekdays are others on another day
            assert questions.comparable(answer) == questions.comparable(table), "run `make readme`"


@pytest.mark.timeout(400)
def test_the_python_that_docs_connect_shows_reads_the_warehouse_of_the_demo(demo, monkeypatch, capsys):
    _, home = demo
    code = re.findall(r"```python\n(.*?)```", (ROOT / "docs/connect.md").read_text(encoding="utf-8"), re.DOTALL)[0]
    monkeypatch.chdir(home.root.parent)
    exec(code.replace("data/", f"{home.root.name}/"), {})  # noqa: S102 - ours
    first_day = query(home, "select min(start_date) from metrics.agent_daily").item()
    assert str(first_day) in capsys.readouterr().out


@pytest.mark.timeout(400)
def test_no_metric_of_the_catalogue_is_empty_on_the_demo(demo):
    _, home = demo
    empty = set()
    with open_warehouse(home) as connection:
        metrics = connection.execute("select model, list(column_name) from metrics.catalog group by model").fetchall()
        for model, names in metrics:
            counts = ", ".join(f"count({name})" for name in names)
            (row,) = connection.execute(f"select {counts} from {model}").fetchall()  # noqa: S608
            empty |= {f"{model}.{name}" for name, n in zip(names, row, strict=True) if n == 0}
    assert empty == set()


@pytest.mark.parametrize("command", list(cli.commands))
def test_every_command_is_in_the_docs(command):
    assert f"| [`{command}`](#{command}) |" in COMMANDS_FILE.read_text(encoding="utf-8")
