"""Folders into which DuckDB spills, one per process: those of killed processes differ from those in use.

A process holds a shared lock on its folder, which the system releases when the process ends, however it ends. All
connections of a process have the same folder: DuckDB refuses two configurations of one database.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

PREFIX = "spill-"

_folders: dict[Path, _Folder] = {}
_folders_lock = Lock()


@dataclass(slots=True)
class _Folder:
    """A folder of this process; ``descriptor`` holds its lock, None if it could not be created or locked."""

    path: Path
    descriptor: int | None
    n_users: int = 0


@contextmanager
def spill_folder(parent: Path) -> Iterator[Path]:
    """The folder of this process below ``parent``, removed after its last use; it is missing if nobody can write."""
    with _folders_lock:
        folder = _folders.get(parent) or _create(parent)
        _folders[parent] = folder
        folder.n_users += 1
    try:
        yield folder.path
    finally:
        with _folders_lock:
            folder.n_users -= 1
            if not folder.n_users:
                del _folders[parent]
                shutil.rmtree(folder.path, ignore_errors=True)
                if folder.descriptor is not None:
                    os.close(folder.descriptor)


def remove_stale_spills(parent: Path) -> None:
    """Remove the folders whose processes have ended."""
    for path in parent.glob(f"{PREFIX}*"):
        with suppress(OSError):  # BlockingIOError: its process is alive; others: the disk has no locks
            descriptor = os.open(path, os.O_RDONLY)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(descriptor)


def _create(parent: Path) -> _Folder:
    path = parent / f"{PREFIX}{uuid.uuid4().hex}"
    try:
        path.mkdir()
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return _Folder(path, None)
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return _Folder(path, descriptor)
