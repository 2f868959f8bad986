"""Documents that arrive one by one land together: whoever waits while a segment is written shares the next.

The landing needs no lock, as its files are only ever added, under names of their own. Two things of a run beside it
concern us: it clears away temporary files of killed writers, perhaps one of ours, which is then written again; and it
may erase a conversation, of which nothing lands from then on.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from warehouse.schema.landing import LANDED_DOCUMENTS
from warehouse.storage import lake, landing, parquet
from warehouse.storage.home import Home

MAX_ATTEMPTS = 5


@dataclass(slots=True)
class _Batch:
    """Readings that land together."""

    rows: list[Mapping[str, object]] = field(default_factory=list)
    error: OSError | None = None


class BatchWriter:
    """Lands readings of one workspace; what it says is landed survives a power cut."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._tombs = TombstoneIndex(home)
        self._batch = _Batch()
        self._writing = asyncio.Lock()

    def is_erased(self, conversation_id: str) -> bool:
        """Whether a conversation was erased here."""
        return self._tombs.contains(conversation_id)

    async def land(self, row: Mapping[str, object]) -> None:
        """Return once the reading is on the disk.

        Raises:
            OSError: it is not: the disk is full, or the folder cannot be written.
        """
        batch = self._batch
        batch.rows.append(row)
        async with self._writing:
            if batch is self._batch:
                self._batch = _Batch()
                try:
                    await asyncio.to_thread(self._write, batch.rows)
                except OSError as error:
                    batch.error = error
        if batch.error is not None:
            raise batch.error

    def _write(self, rows: list[Mapping[str, object]]) -> None:
        days: dict[object, list[Mapping[str, object]]] = {}
        for row in rows:
            days.setdefault(row["start_date"], []).append(row)
        for day, own in days.items():
            self._write_day(own)
            _sync_folder(self._home.landing / f"start_date={day}")
        _sync_folder(self._home.landing)

    def _write_day(self, rows: list[Mapping[str, object]]) -> None:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                landing.land_documents(self._home, rows)
            except FileNotFoundError:  # a run that began just now took the temporary file for a killed one's
                if attempt == MAX_ATTEMPTS:
                    raise
            else:
                return


class TombstoneIndex:
    """The erased conversations, by the tombstones in the landing; a folder is read again when it has changed.

    A tombstone is never taken back nor written into a file that was there before, so a file is read once.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._changed: dict[Path, int] = {}
        self._read: set[Path] = set()
        self._ids: set[str] = set()
        self.contains("")  # reads what is there, so that the first webhook does not wait for it

    def contains(self, conversation_id: str) -> bool:
        """Whether there is a tombstone of the conversation now."""
        for folder in self._home.landing.glob(lake.DAYS):
            changed = folder.stat().st_mtime_ns
            if self._changed.get(folder) != changed:
                self._look(folder)
                self._changed[folder] = changed
        return conversation_id in self._ids

    def _look(self, folder: Path) -> None:
        new = [file for file in self._home.files(folder) if file not in self._read]
        rows = parquet.read_files(LANDED_DOCUMENTS, new, ["conversation_id", "kind"])
        self._ids |= set(rows.filter(pl.col("kind") == landing.ERASED)["conversation_id"])
        self._read |= set(new)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a power cut, as ``fsync`` of a file does its content."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
