"""Where Dagster's own data is: the folder of ``DAGSTER_HOME``, or ``.dagster`` in the project's folder."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from dagster._core.instance import InstanceRef

from pipelines.environment import dagster_home

PROJECT_FILE = Path("dagster.yaml")
"""Dagster's settings as the project has them."""
FOLDER, FILE = ".dagster", "dagster.yaml"
_TO_THE_TERMINAL = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
        "config": {},
    }
}
"""Steps that run in a command's own process write to its terminal, not into files."""


def instance_folder(folder: Path) -> Path | None:
    """The folder of Dagster's data, which is created with the project's settings; None outside of a project.

    Args:
        folder: Where the command runs.
    """
    if home := dagster_home():
        return home
    if not (folder / PROJECT_FILE).is_file():
        return None
    home = folder.absolute() / FOLDER
    home.mkdir(exist_ok=True)
    text = (folder / PROJECT_FILE).read_text(encoding="utf-8")
    if not (home / FILE).is_file() or (home / FILE).read_text(encoding="utf-8") != text:
        temporary = home / f".{FILE}"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(home / FILE)
    return home


def open_instance(folder: Path) -> dg.DagsterInstance:
    """Dagster's data as a command in ``folder`` uses it; outside of a project, nothing is stored."""
    home = instance_folder(folder)
    if home is None:
        return dg.DagsterInstance.ephemeral()
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=_TO_THE_TERMINAL))
