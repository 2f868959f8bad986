"""One writer at a time: a file lock, with a file beside it that says who holds it and since when.

Why a lock of the operating system and not a file that is created and deleted: the system frees it when its holder
dies, even by SIGKILL, so it is never stale. The owner file is information for messages alone; nothing depends on it.
Readers take no lock, as every write is a rename: they see the old file or the new one. The webhook receiver takes none
either, as it only adds files to the landing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from warehouse.errors import HomeError, LockedError
from warehouse.storage import landing_merge, landing_sequence, layout
from warehouse.storage.home import Home


@contextmanager
def write_lock(home: Home, *, what: str, now: datetime) -> Iterator[None]:
    """Hold the lock of the home folder; first finish or remove what a killed run left, and upgrade the layout.

    Raises:
        HomeError: this user may not write the folder, or the disk is read-only.
        LockedError: another process has the lock; raised without waiting, and names that process.
    """
    owner_file = home.lock.with_suffix(".owner")
    lock = FileLock(home.lock, timeout=0)  # no waiting: a run may take hours, and the user should decide
    try:
        lock.acquire()
    except Timeout:
        raise LockedError(
            f"Another run is writing to {home.root}: {_describe_owner(owner_file)}.",
            "Wait until it ends, then run again.",
        ) from None
    except PermissionError as error:
        raise HomeError(
            f"{home.root} cannot be written: {error.strerror}.",
            "Run the command as the user whose home folder it is, or make it writable.",
        ) from None
    try:
        # Only under the lock is it certain that no other run is still writing them. The webhook receiver lands without
        # the lock; it writes again if its temporary file disappears.
        home.remove_stale_temp_files()
        landing_merge.finish(home)
        landing_sequence.catch_up(home)
        owner_file.write_text(
            json.dumps({"pid": os.getpid(), "what": what, "since": now.isoformat(timespec="seconds")})
        )
        layout.upgrade(home)
        yield
    finally:
        owner_file.unlink(missing_ok=True)  # before the release, or it could be the file of the next holder
        lock.release()


def holder(home: Home) -> dict[str, str] | None:
    """What a run that is writing says of itself (``what``, ``since``); None if none is. Takes no lock.

    A killed run leaves its file behind, so it counts only while its process exists.
    """
    try:
        owner = json.loads(home.lock.with_suffix(".owner").read_text(encoding="utf-8"))
        os.kill(int(owner["pid"]), 0)
        return {"what": str(owner["what"]), "since": str(owner["since"])}
    except PermissionError:  # another user's process: it exists
        return {"what": str(owner["what"]), "since": str(owner["since"])}
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None


def _describe_owner(owner_file: Path) -> str:
    try:
        owner = json.loads(owner_file.read_text(encoding="utf-8"))
        return f"{owner['what']}, process {owner['pid']}, since {owner['since']}"
    except (OSError, ValueError, KeyError):
        return "it has not written its name yet"
