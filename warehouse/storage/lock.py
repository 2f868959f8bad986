"""One writer at a time: a file lock that says who holds it and since when.

The operating system frees the lock when its holder dies, so a lock is never stale; the note beside it only tells.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from filelock import FileLock, Timeout

from warehouse.errors import LockedError
from warehouse.storage.home import Home


@contextmanager
def write_lock(home: Home, *, what: str, now: datetime) -> Iterator[None]:
    """Hold the home folder for writing, rid of what a killed run left half-written.

    Raises:
        LockedError: at once, naming the process that holds it.
    """
    note = home.lock.with_suffix(".owner")
    lock = FileLock(home.lock, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise LockedError(
            f"Another run is writing to {home.root}: {_owner(note)}.", "Wait until it ends, then run again."
        ) from None
    try:
        home.remove_stale_temp_files()
        note.write_text(json.dumps({"pid": os.getpid(), "what": what, "since": now.isoformat(timespec="seconds")}))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def _owner(note: os.PathLike[str]) -> str:
    try:
        with open(note, encoding="utf-8") as file:  # noqa: PTH123 - a path-like
            owner = json.load(file)
        return f"{owner['what']}, process {owner['pid']}, since {owner['since']}"
    except (OSError, ValueError, KeyError):
        return "its name is not written yet"
