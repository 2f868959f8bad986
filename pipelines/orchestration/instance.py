"""Where Dagster's own data is: the folder of ``DAGSTER_HOME``, or ``.dagster`` where the command runs."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
from dagster._core.instance import InstanceRef

import pipelines
from pipelines.environment import dagster_home
from pipelines.errors import SettingsError

FOLDER, FILE = ".dagster", "dagster.yaml"
_PACKAGE = Path(pipelines.__file__).parent
_INSTALLED_FILES = (_PACKAGE / FILE, _PACKAGE.parent / FILE)
"""Dagster's settings as they are installed: in the package by a wheel, in the project's folder by a clone."""
_TO_THE_TERMINAL = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
        "config": {},
    }
}
"""Steps that run in a command's own process write to its terminal, not into files."""


def instance_folder(folder: Path) -> Path:
    """The folder of Dagster's data: that of ``DAGSTER_HOME``, or ``.dagster`` in ``folder``, which is created.

    Its settings are the ``dagster.yaml`` in ``folder``, or, if there is none, the one of this package.

    Args:
        folder: Where the command runs.

    Raises:
        SettingsError: ``DAGSTER_HOME`` names no folder, or not by its whole path, which Dagster refuses.
    """
    if home := dagster_home():
        if not home.is_absolute() or not home.is_dir():
            raise SettingsError(
                f"DAGSTER_HOME is {home}, which is not the absolute path of an existing folder.",
                "Create the folder, or unset the variable.",
            )
        return home
    home = folder.absolute() / FOLDER
    home.mkdir(exist_ok=True)
    file = next(path for path in (folder / FILE, *_INSTALLED_FILES) if path.is_file())
    text = file.read_text(encoding="utf-8")
    if not (home / FILE).is_file() or (home / FILE).read_text(encoding="utf-8") != text:
        temporary = home / f".{FILE}"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(home / FILE)
    return home


def open_instance(folder: Path) -> dg.DagsterInstance:
    """Dagster's data as a command in ``folder`` uses it."""
    home = instance_folder(folder)
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=_TO_THE_TERMINAL))
