"""A PostgreSQL server of a test: its own data folder and port, started with the programs of Debian's package."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import psycopg

from pipelines.listener import listening

PROGRAMS = Path("/usr/lib/postgresql")
USER = "convohouse"
CREDENTIALS = {"password": "s3cret pass"}
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "autovacuum": "off"}


def program(name: str) -> Path:
    """A program of the newest installed version, or of the path.

    Raises:
        FileNotFoundError: PostgreSQL is not installed.
    """
    installed = sorted(PROGRAMS.glob(f"*/bin/{name}"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which(name)
    if not installed and on_path is None:
        message = "PostgreSQL is not installed: on Debian, apt-get install postgresql."
        raise FileNotFoundError(message)
    return installed[-1] if installed else Path(str(on_path))


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The URL of a running server whose data are in a folder; its user has the password above."""
    account = _account()
    folder.mkdir()
    if account:
        shutil.chown(folder, account["user"], account["group"])
        for parent in folder.parents:  # pytest's folders are only root's
            if parent.stat().st_uid == 0 and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)
    password = folder.parent / f"{folder.name}.password"
    password.write_text(CREDENTIALS["password"] + "\n")
    password.chmod(0o644)
    data = folder / "data"
    # md5: to check a password of SCRAM takes as long as all that a short connection does
    create = [program("initdb"), "-D", data, "-U", USER, "--auth", "md5", "--pwfile", password]
    _run([*create, "--encoding", "UTF8", "--no-sync"], account)
    log = (folder.parent / f"{folder.name}.log").open("wb")
    process, port = _start(data, log, account)
    try:
        yield f"postgresql://{USER}@127.0.0.1:{port}/postgres"
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()


def _start(data: Path, log: BinaryIO, account: dict[str, Any]) -> tuple[subprocess.Popen[bytes], int]:
    """A server that accepts connections, and its port: another one where the server of another worker took it first.

    It says so itself: another server on its port would answer as well.
    """
    status = data / "postmaster.pid"
    for _ in range(5):
        with listening("127.0.0.1", 0) as socket:
            port = socket.getsockname()[1]
        # no socket in a folder: its path may be longer than the 107 bytes that a socket can have
        settings = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": ""} | FAST
        command = [program("postgres"), "-D", data, *(f"--{name}={value}" for name, value in settings.items())]
        process = subprocess.Popen(command, stdout=log, stderr=log, **account)  # noqa: S603 - Debian's program
        while process.poll() is None:
            if status.exists() and status.read_text().rstrip().endswith("ready"):
                return process, port
            time.sleep(0.05)
    message = f"PostgreSQL does not start: see {log.name}."
    raise RuntimeError(message)


def connect(url: str) -> psycopg.Connection[Any]:
    """A connection as the owner, each statement of which is committed."""
    return psycopg.connect(url, autocommit=True, **CREDENTIALS)


def _account() -> dict[str, Any]:
    """The account of the server: PostgreSQL refuses to run as root."""
    if os.getuid():
        return {}
    name = next(entry.pw_name for entry in pwd.getpwall() if entry.pw_name in {"postgres", "nobody"})
    return {"user": name, "group": pwd.getpwnam(name).pw_gid}


def _run(command: list[Any], account: dict[str, Any]) -> None:
    ended = subprocess.run(command, capture_output=True, check=False, **account)  # noqa: S603 - Debian's programs
    if ended.returncode:
        raise RuntimeError((ended.stdout + ended.stderr).decode())
