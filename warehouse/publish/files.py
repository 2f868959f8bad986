"""Publishes plain files: ``<schema>.<table>.parquet`` or ``.csv`` in one folder, for spreadsheets and scripts.

Each file is replaced as a whole. ``convohouse.json`` beside them has the fingerprints of what they hold, with their
sizes, times and hashes: a file that somebody has deleted or changed is written again. One whose time alone has changed,
as by a copy of the folder, is read once and stays.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from pathlib import Path

import polars as pl

from warehouse.errors import PublishError
from warehouse.publish.source import Source, SourceTable
from warehouse.publish.target import (
    CSV,
    PARQUET,
    REMOVED,
    RESTORED,
    UNCHANGED,
    WRITTEN,
    Outcome,
    Progress,
    Publication,
    Target,
)
from warehouse.storage.fingerprint import file_sha256
from warehouse.text_formats import to_csv

STATE_FILE = "convohouse.json"
TEMPORARY_FILES = ".convohouse-*"


def check(target: Target, publication: Publication) -> None:
    """Check that the folder has no files of the same names from somebody else.

    Raises:
        PublishError: it has one.
    """
    with target.reporting(OSError):
        entries = _read_state(target.folder)
        for file in (_file(target, key) for key in publication.new):
            if file.name not in entries and file.exists():
                raise PublishError(f"{file} is not of convohouse.", "Choose another folder, or move it.")


def publish(target: Target, source: Source, publication: Publication, progress: Progress) -> list[Outcome]:
    """Bring the tables of a publication to a folder, a file each.

    Raises:
        PublishError: the folder cannot be written.
    """
    folder, outcomes = target.folder, []
    with target.reporting(OSError):
        entries = _read_state(folder)
        if not publication.is_dry_run:
            folder.mkdir(parents=True, exist_ok=True)
            for leftover in folder.glob(TEMPORARY_FILES):  # of a publication that was killed
                leftover.unlink()
        for name in publication.obsolete:
            outcomes.append(Outcome(name, REMOVED, 0))
            if not publication.is_dry_run:
                file = _file(target, name)
                entries.pop(file.name, None)
                file.unlink(missing_ok=True)
        for number, table in enumerate(publication.tables, 1):
            file = _file(target, table.key)
            change = _change(file, table, entries.get(file.name), publication)
            if change != UNCHANGED and not publication.is_dry_run:
                # Without its fingerprint first: a file must never be newer than what the state says of it.
                entries.pop(file.name, None)
                _write_state(folder, entries)
                _write_table(target, source, table)
                entries[file.name] = _entry(file, table, file_sha256(file))
            elif change == UNCHANGED:  # its time may be another
                entries[file.name] = _entry(file, table, entries[file.name].rpartition(" ")[2])
            outcomes.append(Outcome(table.key, change, table.n_rows, int(change != UNCHANGED)))
            progress(number, len(publication.tables))
        if not publication.is_dry_run:
            _write_state(folder, entries)
    return outcomes


def _change(file: Path, table: SourceTable, entry: str | None, publication: Publication) -> str:
    """What there is to do with a table, whose state says ``entry``."""
    if entry is None:
        return RESTORED if table.key in publication.published and not file.exists() else WRITTEN
    if not entry.startswith(table.fingerprint):
        return WRITTEN
    return UNCHANGED if file.exists() and _is_as_written(file, table, entry) else RESTORED


def _is_as_written(file: Path, table: SourceTable, entry: str) -> bool:
    """Whether a file has what was written into it; one of the size that was written is read if its time differs."""
    content_hash = entry.rpartition(" ")[2]
    if entry == _entry(file, table, content_hash):
        return True
    size = entry.removeprefix(table.fingerprint).split()[0]
    return size == str(file.stat().st_size) and content_hash == file_sha256(file)


def _entry(file: Path, table: SourceTable, content_hash: str) -> str:
    """What the state says of a table: the fingerprint of its rows, and size, time and hash of its file."""
    status = file.stat()
    return f"{table.fingerprint} {status.st_size} {status.st_mtime_ns} {content_hash}"


def _file(target: Target, key: str) -> Path:
    return target.folder / f"{key}.{target.format}"


def _read_state(folder: Path) -> dict[str, str]:
    """Fingerprint by file: a folder can have a table in both formats."""
    try:
        state = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        state = None
    if not isinstance(state, dict) or not isinstance(state.get("tables"), dict):
        raise PublishError(f"{folder / STATE_FILE} is not of convohouse.", "Choose another folder.")
    fingerprints = {str(name): str(fingerprint) for name, fingerprint in state["tables"].items()}
    # A state from before 27 November 2026 names tables, not files: their files are ours, and are written again.
    files = {f"{table}.{suffix}" for table in fingerprints for suffix in (CSV, PARQUET)}
    old_files = {file: "" for file in files if (folder / file).exists()}
    return old_files | {file: text for file, text in fingerprints.items() if Path(file).suffix[1:] in (CSV, PARQUET)}


def _write_state(folder: Path, fingerprints: dict[str, str]) -> None:
    text = json.dumps({"tables": dict(sorted(fingerprints.items()))}, indent=1) + "\n"
    _write(folder / STATE_FILE, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def _write_table(target: Target, source: Source, table: SourceTable) -> None:
    def write(temporary: Path) -> None:
        if target.format == CSV:
            _write_csv(source, table, temporary)
        else:
            source.export_all(table, temporary)

    _write(_file(target, table.key), write)


def _write_csv(source: Source, table: SourceTable, temporary: Path) -> None:
    with temporary.open("wb") as file:
        file.write(to_csv(pl.DataFrame(table.schema.empty_table())))
        for batch in source.batches(table):
            file.write(to_csv(pl.DataFrame(batch), has_header=False))


def _write(file: Path, write: Callable[[Path], object]) -> None:
    """Write a file by way of a temporary one, so that it is complete or as it was."""
    temporary = file.with_name(f".convohouse-{uuid.uuid4().hex}")
    try:
        write(temporary)
        seconds = int(temporary.stat().st_mtime)  # a whole second: any disk can store it
        os.utime(temporary, (seconds, seconds))
        with temporary.open("rb") as content:
            os.fsync(content.fileno())
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
