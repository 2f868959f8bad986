"""The processes of ``deploy/systemd`` without systemd: their command lines and environments, as the units have them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.listener import listening

PROJECT = Path(__file__).parents[2]
DEPLOY = PROJECT / "deploy"
ROOT, SETTINGS = "/srv/convohouse", "/etc/convohouse"
"""Where the project and the settings are on a server, according to the units."""
PAGE_PORT, CODE_PORT = "3000", "4000"


def free_port() -> str:
    with listening("127.0.0.1", 0) as socket:
        return str(socket.getsockname()[1])


@dataclass
class Server:
    """A folder as the disk of a server, and the processes that run on it."""

    folder: Path
    page_port: str = field(default_factory=free_port)
    processes: list[subprocess.Popen] = field(default_factory=list)

    def path(self, text: str) -> str:
        """A path of a server in this folder; programs are those of this Python."""
        text = text.replace(f"{ROOT}/.venv/bin", str(Path(sys.executable).parent))
        return re.sub(rf"({ROOT}|{SETTINGS})(?=[/ ]|$)", lambda match: f"{self.folder}{match.group()}", text)

    def create_instance(self) -> None:
        """Create Dagster's databases, as docs/operations.md does before it starts the units."""
        environment = os.environ | {"DAGSTER_HOME": self.path(f"{ROOT}/dagster")}  # noqa: TID251 - for a process
        command = [self.path(f"{ROOT}/.venv/bin/dagster"), "instance", "migrate"]
        subprocess.run(command, env=environment, check=True, capture_output=True)  # noqa: S603 - of Dagster

    def start(self, unit: str, instance: str = "") -> None:
        """Start the process of a unit, of an instance of it if it is a template."""
        lines = (DEPLOY / "systemd" / f"{unit}.service").read_text().replace("%i", instance).splitlines()
        values = [line.partition("=")[::2] for line in lines if "=" in line and not line.startswith("#")]
        variables: dict[str, str] = {}
        for name, value in values:
            if name == "EnvironmentFile":
                entries = Path(self.path(value)).read_text().splitlines()
                variables |= dict(entry.partition("=")[::2] for entry in entries if entry and not entry.startswith("#"))
        (command,) = (self.path(value) for name, value in values if name == "ExecStart")
        command = re.sub(r"\$\{(\w+)\}", lambda match: variables[match[1]], command)
        command = re.sub(rf"--port {PAGE_PORT}$", f"--port {self.page_port}", command)
        (folder,) = (self.path(value) for name, value in values if name == "WorkingDirectory")
        names = ("PATH", "HOME", "TMPDIR", "LANG", "CONVOHOUSE_NOW")
        passed = {name: os.environ[name] for name in names if name in os.environ}  # noqa: TID251 - for a process
        with (self.folder / f"{unit}{instance}.log").open("w") as log:
            process = subprocess.Popen(  # noqa: S603 - of the unit
                command.split(),
                env={**passed, "PYTHONPATH": str(PROJECT), "PYTHONWARNINGS": "ignore", **variables},
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.processes.append(process)

    def launch_nightly(self, location: str) -> None:
        """Queue a nightly run by the command of docs/operations.md, which has no key: the code location has it."""
        text = (PROJECT / "docs" / "operations.md").read_text()
        (command,) = re.findall(r"`(dagster job launch -w .*?)`", text)
        environment = {"DAGSTER_HOME": self.path(f"{ROOT}/dagster"), "PATH": os.environ["PATH"]}  # noqa: TID251
        words = command.replace("-l main", f"-l {location}").split()
        program = Path(sys.executable).parent / words[0]
        folder = self.path(ROOT)
        subprocess.run([program, *words[1:]], env=environment, cwd=folder, check=True, capture_output=True)  # noqa: S603

    def write_settings(self, name: str, **variables: str) -> None:
        """A settings file of the units, with other values for some lines."""
        text = self.path((DEPLOY / "systemd" / ("dagster" if name == "dagster" else "main")).read_text())
        for variable, value in variables.items():
            text = re.sub(rf"^#?{variable}=.*\n", "", text, flags=re.MULTILINE) + f"{variable}={value}\n"
        (self.folder / SETTINGS[1:] / name).write_text(text)

    def logs(self) -> str:
        return "\n".join(f"{file.name}\n{file.read_text()[-3000:]}" for file in sorted(self.folder.glob("*.log")))


@contextmanager
def server(folder: Path, locations: dict[str, str], dagster_yaml: Path = PROJECT / "dagster.yaml") -> Iterator[Server]:
    """A server with the folders that docs/operations.md creates; at the end, all its processes are killed.

    Args:
        folder: An empty folder.
        locations: The port of each code location, by its name.
        dagster_yaml: Dagster's settings.
    """
    for path in ("dagster", "deploy", *(f"data/{name}" for name in locations)):
        (folder / ROOT[1:] / path).mkdir(parents=True)
    (folder / SETTINGS[1:]).mkdir(parents=True)
    shutil.copy(dagster_yaml, folder / ROOT[1:] / "dagster" / "dagster.yaml")
    head, entry = (DEPLOY / "workspace.yaml").read_text().split("load_from:\n")
    entries = (entry.replace(CODE_PORT, port).replace("main", name) for name, port in locations.items())
    (folder / ROOT[1:] / "deploy" / "workspace.yaml").write_text(f"{head}load_from:\n{''.join(entries)}")
    started = Server(folder)
    started.create_instance()
    try:
        yield started
    finally:
        for process in started.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
