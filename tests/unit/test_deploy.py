"""What ``deploy/`` names is there: files, programs, settings and ports of the containers and of systemd's units."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import AliasChoices

from pipelines.settings import Settings

PROJECT = Path(__file__).parents[2]
DEPLOY = PROJECT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
COMMANDS = {name: service["command"] for name, service in SERVICES.items() if "command" in service}
OF_DAGSTER = ("code", "daemon", "page")
DOCKERFILE = (DEPLOY / "compose" / "Dockerfile").read_text().splitlines()
LOCK = "requirements-server.lock"
NO_SYSTEMD = "systemd-analyze, which reads the units as systemd does, is not installed: apt-get install systemd"


def settings_names() -> set[str]:
    """Names of all settings in the environment."""
    aliases = {name: field.validation_alias for name, field in Settings.model_fields.items()}
    return {
        str(alias.choices[0]) if isinstance(alias, AliasChoices) else f"CONVOHOUSE_{name.upper()}"
        for name, alias in aliases.items()
    }


def unit(name: str) -> str:
    """The text of the unit that starts the same process as a service."""
    (file,) = DEPLOY.glob(f"systemd/convohouse-{name}*.service")
    return file.read_text()


def words_of(text: str) -> list[str]:
    """The command line of a unit."""
    (line,) = re.findall(r"^ExecStart=(.*)$", text, flags=re.MULTILINE)
    return line.split()


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def entries(file: Path) -> dict[str, str]:
    """Entries of a workspace file's only server."""
    (server,) = yaml.safe_load(file.read_text())["load_from"]
    return server["grpc_server"]


def versions(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (PROJECT / lock).read_text(), flags=re.MULTILINE))


def test_the_services_start_what_the_units_start():
    assert set(SERVICES) == {"postgres", *COMMANDS} == {"postgres", "webhook", *OF_DAGSTER}
    programs = {script.name for script in entry_points(group="console_scripts")}
    for name, command in COMMANDS.items():
        words = words_of(unit(name))
        assert Path(words[0]).name == command[0]
        assert command[0] in programs
        assert [word for word in command if word.startswith("--")] == [w for w in words if w.startswith("--")]


def test_the_dockerfile_copies_what_is_there_and_not_ignored():
    copied = [path for line in DOCKERFILE if line.startswith("COPY") for path in line.split()[1:-1] if path != "."]
    rules = [line for line in (PROJECT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    assert rules[0] == "*"
    allowed = [rule[1:].rstrip("/") for rule in rules if rule.startswith("!")]
    assert [path for path in [*allowed, *copied] if not (PROJECT / path).exists()] == []
    assert [path for path in copied if path.split("/")[0] not in allowed] == []
    assert {"pipelines", "warehouse", "sql"} <= set(allowed)  # the packages
    assert "**/.env" in rules[len(allowed) :]
    assert SERVICES["code"]["env_file"] == ".env"


def test_every_package_of_the_image_is_locked():
    installs = [line for line in DOCKERFILE if "pip install" in line]
    assert all("--no-deps" in line for line in installs)
    assert [line.split()[-1] for line in installs if "--require-hashes" in line] == [LOCK]
    locked, product = versions(LOCK), versions("requirements.lock")
    assert set(locked) - set(product) == {"dagster-postgres", "psycopg2-binary"}
    assert {name: locked[name] for name in product} == product
    assert f"-r {LOCK}" in (DEPLOY / "postgres" / "dagster.yaml").read_text()
    development = versions("requirements-dev.lock")
    assert {name: development.get(name) for name in locked} == locked


def test_the_variables_are_settings():
    main = (DEPLOY / "systemd" / "main").read_text()
    composed = SERVICES["code"]["environment"]
    names = {*re.findall(r"^#?([A-Z_]+)=", main, flags=re.MULTILINE), *composed}
    names -= {"CODE_PORT", "WEBHOOK_PORT", "DAGSTER_HOME"}
    assert {name for name in names if not name.startswith("DAGSTER_POSTGRES_")} <= settings_names()
    assert "ELEVENLABS_API_KEY" in names
    mentioned = re.findall(r"\b(?:CONVOHOUSE|ELEVENLABS)_[A-Z_]+\b", (DEPLOY / "compose" / "compose.yaml").read_text())
    assert set(mentioned) <= settings_names()


def test_everybody_has_the_variables_of_the_storage():
    storage = yaml.safe_load((DEPLOY / "postgres" / "dagster.yaml").read_text())["storage"]["postgres"]["postgres_db"]
    names = {value["env"] for value in storage.values() if isinstance(value, dict)}
    for name in OF_DAGSTER:
        environment = SERVICES[name]["environment"]
        assert {variable for variable in environment if variable.startswith("DAGSTER_POSTGRES_")} == names
    commented = re.findall(r"^#(\w+)=", (DEPLOY / "systemd" / "dagster").read_text(), flags=re.MULTILINE)
    assert set(commented) == names
    server = {name: str(value) for name, value in SERVICES["postgres"]["environment"].items()}
    environment = SERVICES["code"]["environment"]
    for ours, theirs in (("USER", "USER"), ("PASSWORD", "PASSWORD"), ("DB", "DB")):
        assert environment[f"DAGSTER_POSTGRES_{ours}"] == server[f"POSTGRES_{theirs}"]
    assert environment["DAGSTER_POSTGRES_HOST"] in SERVICES


def test_dagsters_settings_differ_only_in_the_storage():
    with_postgres = yaml.safe_load((DEPLOY / "postgres" / "dagster.yaml").read_text())
    assert with_postgres.pop("storage")
    assert with_postgres == yaml.safe_load((PROJECT / "dagster.yaml").read_text())


def test_the_ports_and_places_agree():
    code, page = COMMANDS["code"], COMMANDS["page"]
    container = entries(DEPLOY / "compose" / "workspace.yaml")
    assert container == {"host": "code", "port": int(option(code, "--port")), "location_name": "main"}
    assert option(code, "--location-name") == container["location_name"]
    assert f"{container['port']})" in " ".join(SERVICES["code"]["healthcheck"]["test"])
    (published,) = SERVICES["page"]["ports"]
    assert published == f"127.0.0.1:3000:{option(page, '--port')}"
    assert option(words_of(unit("page")), "--port") == "3000"
    machine = entries(DEPLOY / "workspace.yaml")
    main = dict(line.split("=", 1) for line in (DEPLOY / "systemd" / "main").read_text().splitlines() if line[0] != "#")
    assert machine == {"host": "127.0.0.1", "port": int(main["CODE_PORT"]), "location_name": "main"}
    (received,) = SERVICES["webhook"]["ports"]
    assert received == f"127.0.0.1:{main['WEBHOOK_PORT']}:{option(COMMANDS['webhook'], '--port')}"
    for name in ("daemon", "page"):
        place = option(COMMANDS[name], "--workspace")
        assert f"COPY deploy/compose/workspace.yaml {place}" in DOCKERFILE


@pytest.mark.parametrize("name", COMMANDS)
def test_the_folders_of_the_volumes_have_the_owner_of_the_processes(name):
    service = SERVICES[name]
    folders = dict(volume.split(":")[:2] for volume in service["volumes"])
    named = {source: folder for source, folder in folders.items() if not source.startswith(".")}
    assert set(named) <= set(COMPOSE["volumes"])
    (install,) = re.findall(r"install -d -o convohouse (.*)$", "\n".join(DOCKERFILE), flags=re.MULTILINE)
    assert set(named.values()) <= set(install.split())
    assert [file for file in folders if file.startswith(".") and not (DEPLOY / "compose" / file).exists()] == []
    assert service["environment"].get("DAGSTER_HOME") == named.get("dagster")
    assert service["environment"].get("CONVOHOUSE_HOME") == named.get("home")
    assert DOCKERFILE[-1] == "USER convohouse"


def test_systemd_takes_the_units(tmp_path):
    if shutil.which("systemd-analyze") is None:
        if os.environ.get("CI") == "true":  # noqa: TID251 - of the test run, not of the product
            pytest.fail(NO_SYSTEMD)
        pytest.skip(NO_SYSTEMD)
    for file in DEPLOY.glob("systemd/*.service"):
        text = file.read_text().replace("/srv/convohouse/.venv/bin", str(Path(sys.executable).parent))
        (tmp_path / file.name).write_text(text)
    ended = subprocess.run(  # noqa: S603 - systemd's
        ["systemd-analyze", "verify", *sorted(tmp_path.iterdir())],  # noqa: S607 - of the machine
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
