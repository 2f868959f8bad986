"""Small files beside the tables of an engine, in a folder or an object store."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from pyarrow import ArrowException, fs

from warehouse.errors import EngineError, StoreError

GCS_RETRY_SECS = 5
"""How long a request to gs:// is repeated: without a network, the library would otherwise go on for minutes."""
MAX_ERROR_LENGTH = 300
REMEDY = "Check the URL, the network and the credentials of this environment."


@contextmanager
def open_folder(url: str) -> Iterator[tuple[fs.FileSystem, str]]:
    """File system and path of a folder or a URL such as ``s3://bucket/warehouse``; credentials are the environment's.

    Raises:
        EngineError: the URL is wrong, or its scheme unknown.
        StoreError: the object store cannot be reached, or refuses what the block asks of it.
    """
    parts = urlsplit(url)
    if not parts.scheme:
        yield fs.LocalFileSystem(), str(Path(url).absolute())
        return
    if parts.scheme in {"gs", "gcs"} and not parts.query:
        url = f"{url}?retry_limit_seconds={GCS_RETRY_SECS}"
    try:
        filesystem, path = fs.FileSystem.from_uri(url)
    except ValueError as error:
        raise EngineError(_message(parts, error), "Give a folder, or a URL such as s3://….") from error
    except (OSError, ArrowException) as error:
        raise StoreError(_message(parts, error), REMEDY) from error
    try:
        yield filesystem, path
    except (OSError, ArrowException) as error:
        if isinstance(filesystem, fs.LocalFileSystem):
            raise
        raise StoreError(_message(parts, error), REMEDY) from error


def _message(parts: SplitResult, error: Exception) -> str:
    text = " ".join(str(error).split())[:MAX_ERROR_LENGTH].rstrip(".")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path} cannot be reached: {text}."


def write_text(url: str, name: str, text: str) -> None:
    """Write a file at once: readers see the old one or the new one, never a part."""
    with open_folder(url) as (filesystem, path):
        filesystem.create_dir(path, recursive=True)
        if not isinstance(filesystem, fs.LocalFileSystem):
            with filesystem.open_output_stream(f"{path}/{name}") as stream:  # one put, which is atomic
                stream.write(text.encode())
            return
        temporary = Path(path) / f".{uuid.uuid4().hex}.tmp"
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(Path(path) / name)


def read_text(url: str, name: str) -> str | None:
    """The content of a file; None if there is none."""
    with open_folder(url) as (filesystem, path):
        if filesystem.get_file_info(f"{path}/{name}").type != fs.FileType.File:
            return None
    return read_bytes(url, name).decode()


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file below a folder: its path from there, and what says whether it is still the same."""

    path: str
    size: int
    mtime_ns: int | None


def list_files(url: str) -> list[StoredFile]:
    """The Parquet files below a folder by path; none if there is no folder.

    Raises:
        StoreError, OSError: this process cannot list it.
    """
    with open_folder(url) as (filesystem, path):
        infos = filesystem.get_file_info(fs.FileSelector(path, allow_not_found=True, recursive=True))
    files = [info for info in infos if info.type == fs.FileType.File and info.extension == "parquet"]
    return sorted(
        (StoredFile(info.path.removeprefix(path).lstrip("/"), info.size, info.mtime_ns) for info in files),
        key=lambda file: file.path,
    )


def list_folders(url: str) -> list[str]:
    """Names of the folders in a folder; none if there is no such folder."""
    with open_folder(url) as (filesystem, path):
        infos = filesystem.get_file_info(fs.FileSelector(path, allow_not_found=True))
    return sorted(info.base_name for info in infos if info.type == fs.FileType.Directory)


def read_bytes(url: str, name: str) -> bytes:
    """The content of a file."""
    with open_folder(url) as (filesystem, path), filesystem.open_input_stream(f"{path}/{name}") as stream:
        return bytes(stream.read())


def remove_folder(url: str) -> None:
    """Remove a folder with all that it has; nothing if there is none."""
    with open_folder(url) as (filesystem, path):
        if filesystem.get_file_info(path).type == fs.FileType.Directory:
            filesystem.delete_dir(path)
