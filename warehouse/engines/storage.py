"""Small files beside the tables of an engine, in a folder or an object store."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pyarrow import fs

from warehouse.errors import EngineError


def open_folder(url: str) -> tuple[fs.FileSystem, str]:
    """File system and path of a folder or a URL such as ``s3://bucket/warehouse``; credentials are the environment's.

    Raises:
        EngineError: the scheme is unknown.
    """
    if not urlsplit(url).scheme:
        return fs.LocalFileSystem(), str(Path(url).absolute())
    try:
        return fs.FileSystem.from_uri(url)
    except ValueError as error:
        raise EngineError(f"{url} cannot be reached: {error}", "Give a folder, or a URL such as s3://…") from error


def write_text(url: str, name: str, text: str) -> None:
    """Write a file at once: readers see the old one or the new one, never a part."""
    filesystem, path = open_folder(url)
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
    filesystem, path = open_folder(url)
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
        EngineError, OSError: this process cannot list it.
    """
    filesystem, path = open_folder(url)
    infos = filesystem.get_file_info(fs.FileSelector(path, allow_not_found=True, recursive=True))
    files = [info for info in infos if info.type == fs.FileType.File and info.extension == "parquet"]
    return sorted(
        (StoredFile(info.path.removeprefix(path).lstrip("/"), info.size, info.mtime_ns) for info in files),
        key=lambda file: file.path,
    )


def list_folders(url: str) -> list[str]:
    """Names of the folders in a folder; none if there is no such folder."""
    filesystem, path = open_folder(url)
    infos = filesystem.get_file_info(fs.FileSelector(path, allow_not_found=True))
    return sorted(info.base_name for info in infos if info.type == fs.FileType.Directory)


def read_bytes(url: str, name: str) -> bytes:
    """The content of a file."""
    filesystem, path = open_folder(url)
    with filesystem.open_input_stream(f"{path}/{name}") as stream:
        return bytes(stream.read())


def remove_folder(url: str) -> None:
    """Remove a folder with all that it has; nothing if there is none."""
    filesystem, path = open_folder(url)
    if filesystem.get_file_info(path).type == fs.FileType.Directory:
        filesystem.delete_dir(path)
