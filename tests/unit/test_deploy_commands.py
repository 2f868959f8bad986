"""What docs/operations.md says to type on a server, and the units, as far as no systemd and no container is needed.

The processes of the units are started by their command lines in ``tests/dagster/test_dagster_server.py``.
"""

from __future__ import annotations

import re
import shlex
from importlib.metadata import entry_points
from itertools import pairwise, takewhile
from pathlib import Path

import pytest
import yaml

from tests.helpers.run_cli import parse

PROJECT = Path(__file__).parents[2]
UNITS = {file.name.removesuffix(".service"): file.read_text() for file in PROJECT.glob("deploy/systemd/*.service")}
SERVICES = yaml.safe_load((PROJECT / "deploy" / "compose" / "compose.yaml").read_text())["services"]
OPERATIONS = (PROJECT / "docs" / "operations.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", OPERATIONS, flags=re.DOTALL | re.MULTILINE)
COMMANDS = [
    line.split("   #")[0] for block in BLOCKS for line in block.replace("\\\n", " ").splitlines() if line[0] != "#"
]
PROGRAMS = {script.name for script in entry_points(group="console_scripts")}
ROOT, SETTINGS = "/srv/convohouse", "/etc/convohouse"
DIRECTIVES = {
    "Unit": {"Description", "After", "Wants"},
    "Service": {
        *("User", "WorkingDirectory", "EnvironmentFile", "ExecStart", "Restart", "RestartSec", "KillMode"),
        *("TimeoutStopSec", "UMask", "NoNewPrivileges", "ProtectSystem", "ReadWritePaths", "PrivateTmp"),
    },
    "Install": {"WantedBy"},
}
"""Those of systemd.unit(5), systemd.service(5) and systemd.exec(5) that the units have."""
FOR_COMPOSE = ("build", "exec", "logs", "run", "stop", "up")


def commands(program: str) -> list[list[str]]:
    """The words of the command lines that begin with a program, in the blocks and in the tables."""
    spans = [
        span for line in OPERATIONS.splitlines() if line.startswith("|") for span in re.findall(r"`([^`]+)`", line)
    ]
    lines = list[list[str]]()
    for text in (*COMMANDS, *spans):
        if f"{program} " in text:
            lexer = shlex.shlex(text, posix=True, punctuation_chars="&;<>")
            lexer.whitespace_split = True
            words = list(lexer)
            ends = [place for place, word in enumerate(words) if word in ("&&", ";")]
            parts = [words[begin + 1 : end] for begin, end in pairwise([-1, *ends, len(words)])]
            lines += [list(takewhile(lambda word: word not in ("<", ">"), part)) for part in parts]
    return [words for words in lines if words[0] == program]


def created_paths() -> set[str]:
    """Folders and files of a server once the commands of "With systemd" have been typed."""
    paths = {ROOT}
    for words in commands("install"):
        names = [word for word in words[1:] if not word.startswith("-") and word not in ("convohouse", "0600")]
        if "-d" in words:
            paths |= set(names)
        else:
            assert [name for name in names[:-1] if not (PROJECT / name).exists()] == []
            paths |= {f"{names[-1].rstrip('/')}/{Path(name).name}" for name in names[:-1]}
    return paths


def is_there(path: str) -> bool:
    """Whether a path of a server is in the project, a program of ours, or was created."""
    below = path.removeprefix(f"{ROOT}/")
    if below.startswith(".venv/bin/"):
        return below.rpartition("/")[2] in PROGRAMS
    return path in created_paths() or (path != below and (PROJECT / below).exists())


def test_the_paths_are_those_of_the_commands() -> None:
    assert created_paths() >= {ROOT, SETTINGS, f"{ROOT}/data/main", f"{ROOT}/dagster", f"{SETTINGS}/main"}
    assert not is_there(f"{ROOT}/.venv/bin/dagsterd")
    assert not is_there(f"{ROOT}/deploy/workspaces.yaml")


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_has_directives_that_exist_and_names_what_is_there(name: str) -> None:
    section, directives = "", list[tuple[str, str, str]]()
    for line in filter(None, UNITS[name].splitlines()):
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header[1]
        elif not line.startswith("#"):
            directive, equals, value = line.partition("=")
            assert (equals, bool(value)) == ("=", True), line
            directives.append((section, directive, value))
    assert list(dict.fromkeys(section for section, _, _ in directives)) == list(DIRECTIVES)
    assert [directive for section, directive, _ in directives if directive not in DIRECTIVES[section]] == []
    values = {directive: value for _, directive, value in directives}
    assert ("%i" in UNITS[name]) == name.endswith("@")
    paths = re.findall(rf"(?:{ROOT}|{SETTINGS})[\w./-]*", UNITS[name].replace("%i", "main"))
    assert [path for path in paths if not is_there(path)] == []
    others = [*values["After"].split(), *values.get("Wants", "").split()]
    names = [re.sub(r"@\w+$", "@", other.removesuffix(".service")) for other in others if not other.endswith(".target")]
    assert set(names) <= set(UNITS)
    assert [words[-1] for words in commands("useradd")] == [values["User"]]


def test_the_commands_name_the_units() -> None:
    lines = commands("systemctl")
    assert {words[1] for words in lines} == {"enable", "start", "stop"}
    names = {word for words in lines for word in words[2:] if not word.startswith("-")}
    assert {re.sub(r"@(\w+|\*)$", "@", name) for name in names} == set(UNITS)


def test_a_command_with_the_settings_of_the_code_location() -> None:
    (words,) = commands("systemd-run")
    options = dict(word.removeprefix("--").split("=", 1) for word in words if word.startswith("--") and "=" in word)
    assert options == {
        "uid": "convohouse",
        "working-directory": ROOT,
        "property": f"EnvironmentFile={SETTINGS}/main",
    }
    program = words.index(f"{ROOT}/.venv/bin/convohouse")
    assert [word for word in words[1:program] if "=" not in word] == ["--pipe", "--wait"]
    parse(words[program + 1 :])


@pytest.mark.parametrize("words", commands("docker"), ids=" ".join)
def test_a_command_for_containers_names_services_and_programs_of_them(words: list[str]) -> None:
    assert words[:2] == ["docker", "compose"]
    action, *rest = words[2:]
    assert action in FOR_COMPOSE
    while rest and rest[0].startswith("-"):
        rest.pop(0)
    if action not in ("exec", "run"):
        assert set(rest) <= set(SERVICES)
        return
    service, program, *arguments = rest
    assert service in SERVICES
    if program == "convohouse":
        parse(arguments)
    else:
        assert program in {"dagster", "sh", "tar"} if service == "code" else {"pg_dump", "pg_restore"}
