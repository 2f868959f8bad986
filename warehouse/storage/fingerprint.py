"""Hashes by which it is noticed that texts or files have changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path


def digest(parts: Iterable[object]) -> str:
    """Hash of the texts of some values, in their order."""
    sha256 = hashlib.sha256()
    for part in parts:
        text = str(part).encode()
        sha256.update(b"%d:%b" % (len(text), text))
    return sha256.hexdigest()


def file_sha256(file: Path) -> str:
    """SHA-256 of a file's bytes, as hex."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def digest_code(*folders: Path) -> str:
    """Hash of the text of all Python files of some folders and of the folders below them."""
    return digest(file.read_text(encoding="utf-8") for folder in folders for file in sorted(folder.rglob("*.py")))


def digest_files(files: Iterable[Path]) -> str:
    """Hash of the names, sizes, times and inodes of files, without those that are missing.

    The lake never writes into a file but renames a new one in, so new content has another inode or time.
    """
    return digest(text for file in files for text in _identity(file))


def _identity(file: Path) -> Iterator[str]:
    with suppress(FileNotFoundError):
        stat = file.stat()
        yield f"{file.name} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"
