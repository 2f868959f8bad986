"""Group commit of webhook documents: those that arrive while a segment file is being written share the next one.

The writer takes no lock, because files are only ever added to the landing, each under a unique name. A run beside it
can do two things that matter here. It removes the temporary files of killed writers and may take one of ours for such a
file: then the segment is written again. And it may erase a conversation: from then on no snapshot of it may land.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from warehouse.schema.landing import LANDED_DOCUMENTS
from warehouse.storage import landing, parquet
from warehouse.storage.home import Home

MAX_ATTEMPTS = 5


@dataclass(slots=True)
class _Batch:
    """Snapshots that land together; ``is_landed`` is set once all of them are on the disk."""

    rows: list[Mapping[str, object]] = field(default_factory=list)
    is_landed: bool = False
    error: Exception | None = None


class BatchWriter:
    """Lands snapshots of one workspace; a landed one survives a power cut."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._tombstones = TombstoneIndex(home)
        self._batch = _Batch()
        self._write_lock = asyncio.Lock()

    def is_erased(self, conversation_id: str) -> bool:
        """Whether a conversation was erased here."""
        return self._tombstones.contains(conversation_id)

    async def land(self, row: Mapping[str, object]) -> None:
        """Return once the snapshot (a row of ``LANDED_DOCUMENTS``) is on the disk.

        Raises:
            OSError: it could not be written; neither could any other of its batch.
        """
        # No await between taking the batch and joining it: the batch cannot be closed in between.
        batch = self._batch
        batch.rows.append(row)
        async with self._write_lock:
            # The first of a batch to get the lock writes it; the others wait for the lock and find it written. A new
            # batch is opened before the write, so that whoever arrives during the write joins the next one.
            if batch is self._batch:
                self._batch = _Batch()
                try:
                    await asyncio.to_thread(self._write, batch.rows)
                    batch.is_landed = True
                except Exception as error:  # noqa: BLE001 - of any kind: none of the batch may be confirmed
                    batch.error = error
        # Not ``if batch.error``: a writer that was cancelled leaves no error, and its batch may not be on the disk.
        if not batch.is_landed:
            raise OSError("The batch could not be written.") from batch.error

    def _write(self, rows: list[Mapping[str, object]]) -> None:
        rows_by_day: dict[object, list[Mapping[str, object]]] = {}
        for row in rows:
            rows_by_day.setdefault(row["start_date"], []).append(row)
        for day, day_rows in rows_by_day.items():
            self._write_day(day_rows)
            # ``write_file`` syncs the file's content; its name is safe only once its folder is synced as well. Both
            # happen before the webhook is answered, because the sender forgets what was answered with 200.
            parquet.sync_folder(self._home.landing / f"start_date={day}")
        parquet.sync_folder(self._home.landing)  # the folder of a day may be new itself

    def _write_day(self, rows: list[Mapping[str, object]]) -> None:
        for attempt in range(1, MAX_ATTEMPTS + 1):
            try:
                landing.land_documents(self._home, rows)
            except FileNotFoundError:  # a run that started just now removed the temporary file as a killed writer's
                if attempt == MAX_ATTEMPTS:
                    raise
            else:
                return


class TombstoneIndex:
    """The ids of erased conversations, from the tombstones in the landing.

    A file is read once, because a tombstone is never removed and never added to an existing file. A folder is listed
    again only if its modification time has changed.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._folder_mtimes: dict[Path, int] = {}
        self._indexed_files: set[Path] = set()
        self._ids: set[str] = set()
        self.contains("")  # builds the index, so that the first webhook does not wait for it

    def contains(self, conversation_id: str) -> bool:
        """Whether a tombstone of the conversation has landed by now."""
        for folder in self._home.landing.glob(landing.DAY_FOLDERS):
            # The time is read before the files are: a file that lands in between changes it, and is read next time.
            mtime = folder.stat().st_mtime_ns
            if self._folder_mtimes.get(folder) != mtime:
                self._index_new_files(folder)
                self._folder_mtimes[folder] = mtime
        return conversation_id in self._ids

    def _index_new_files(self, folder: Path) -> None:
        files = [file for file in self._home.files(folder) if file not in self._indexed_files]
        rows = parquet.read_files(LANDED_DOCUMENTS, files, ["conversation_id", "kind"])
        self._ids |= set(rows.filter(pl.col("kind") == landing.ERASED)["conversation_id"])
        self._indexed_files |= set(files)
