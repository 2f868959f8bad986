"""Where Dagster's own data is: the folder of ``DAGSTER_HOME``, or ``.dagster`` where the command runs.

Dagster, which takes seconds to import, is not needed here: a command looks before it says that it begins.
"""

from __future__ import annotations

from pathlib import Path

import pipelines
from pipelines.environment import dagster_home
from pipelines.errors import SettingsError

FOLDER, FILE = ".dagster", "dagster.yaml"
_PACKAGE = Path(pipelines.__file__).parent
_INSTALLED_FILES = (_PACKAGE / FILE, _PACKAGE.parent / FILE)
"""Dagster's settings as they are installed: in the package by a wheel, in the project's folder by a clone."""


def named_folder() -> Path | None:
    """The folder that ``DAGSTER_HOME`` names; None where it is not set.

    Raises:
        SettingsError: it names no folder, or not by its whole path, which Dagster refuses.
    """
    home = dagster_home()
    if home and not (home.is_absolute() and home.is_dir()):
        raise SettingsError(
            f"DAGSTER_HOME is {home}, which is not the absolute path of an existing folder.",
            "Create the folder, or unset the variable.",
        )
    return home


def instance_folder(folder: Path) -> Path:
    """The folder of Dagster's data: that of ``DAGSTER_HOME``, or ``.dagster`` in ``folder``, which is created.

    Its settings are the ``dagster.yaml`` in ``folder``, or, if there is none, the one of this package.

    Args:
        folder: Where the command runs.

    Raises:
        SettingsError: see ``named_folder``.
    """
    if home := named_folder():
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
