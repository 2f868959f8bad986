"""Group commit of webhooks: those that arrive while files are being written share the next ones.

The writer takes no lock, because files are only ever added to the landing, each under a unique name. A run beside it
can do two things that matter here. It removes the temporary files of killed writers and may take one of ours for such a
file: then the segment is written again. And it may erase a conversation: from then on no snapshot of it may land.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import polars as pl

from warehouse.schema.activity import WEBHOOK_EVENTS
from warehouse.schema.landing import LANDED_DOCUMENTS
from warehouse.schema.operations import QUARANTINE
from warehouse.schema.types import Table
from warehouse.storage import activity_log, landing, landing_files, landing_sequence, parquet, quarantine
from warehouse.storage.home import Home

T = TypeVar("T")

MAX_ATTEMPTS = 5

Rows = tuple[tuple[Table, Mapping[str, object]], ...]
"""What lands of one webhook: rows with their tables."""


@dataclass(slots=True)
class _Batch:
    """Webhooks that land together; ``outcomes`` has that of each, in order, once all were tried."""

    webhooks: list[tuple[str, Rows]] = field(default_factory=list)
    outcomes: list[bool | Exception] = field(default_factory=list)


class BatchWriter:
    """Lands the rows of webhooks of one workspace; what is landed survives a power cut."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._tombstones = TombstoneIndex(home)
        self._batch = _Batch()
        self._write_lock = asyncio.Lock()
        landing_sequence.catch_up(home)

    async def land(self, conversation_id: str, rows: Rows) -> bool:
        """Return once the rows of a webhook are on the disk; False if its conversation was erased, and nothing landed.

        Raises:
            OSError: one of them could not be written. Other webhooks of the batch may have landed.
        """
        # No await between taking the batch and joining it: the batch cannot be closed in between.
        batch, position = self._batch, len(self._batch.webhooks)
        batch.webhooks.append((conversation_id, rows))
        async with self._write_lock:
            # The first of a batch to get the lock writes it; the others wait for the lock and find it written. A new
            # batch is opened before the write, so that whoever arrives during the write joins the next one.
            if batch is self._batch:
                self._batch = _Batch()
                batch.outcomes = await asyncio.to_thread(self._write, batch.webhooks)
        # A writer that was cancelled leaves no outcomes, and its batch may not be on the disk.
        outcome = batch.outcomes[position] if batch.outcomes else None
        if not isinstance(outcome, bool):
            raise OSError("The webhook could not be written.") from outcome
        return outcome

    def _write(self, webhooks: list[tuple[str, Rows]]) -> list[bool | Exception]:
        """Write the files of a batch; the outcome of a webhook is that of the files that have its rows."""
        # Asked as late as possible, as a run beside this may erase one at any time; the next run removes what slips in.
        try:
            erased_ids = self._tombstones.erased_ids()
        except Exception as error:  # noqa: BLE001 - of any kind: without the tombstones, nothing may land
            return [error] * len(webhooks)
        rows_by_file: dict[tuple[str, object], list[Mapping[str, object]]] = {}
        for conversation_id, rows in webhooks:
            for table, row in () if conversation_id in erased_ids else rows:
                rows_by_file.setdefault(_file_key(table, row), []).append(row)
        errors: dict[tuple[str, object], Exception] = {}
        for key, file_rows in rows_by_file.items():
            try:
                self._write_file(key[0], file_rows)
            except Exception as error:  # noqa: BLE001 - of any kind: what is in this file may not be confirmed
                errors[key] = error
        return [
            conversation_id not in erased_ids
            and next((errors[key] for table, row in rows if (key := _file_key(table, row)) in errors), True)
            for conversation_id, rows in webhooks
        ]

    def _write_file(self, table_name: str, rows: list[Mapping[str, object]]) -> None:
        folder = _retry(partial(self._land, table_name, rows))
        # ``write_file`` syncs the file's content; its name is safe only once its folder is synced as well, which may be
        # new itself. Both happen before the webhook is answered, because the sender forgets what was answered with 200.
        parquet.sync_folder(folder)
        parquet.sync_folder(self._home.landing)

    def _land(self, table_name: str, rows: list[Mapping[str, object]]) -> Path:
        """Write rows of one table, of documents of one day, and return their folder."""
        if table_name == LANDED_DOCUMENTS.name:
            landing.land_documents(self._home, rows)
            return self._home.landing / f"start_date={rows[0]['start_date']}"
        if table_name == QUARANTINE.name:
            quarantine.land(self._home, parquet.frame(QUARANTINE, rows))
            return self._home.quarantine
        activity_log.append(self._home, WEBHOOK_EVENTS, rows)
        return activity_log.folder(self._home, WEBHOOK_EVENTS)


def _file_key(table: Table, row: Mapping[str, object]) -> tuple[str, object]:
    return table.name, row["start_date"] if table is LANDED_DOCUMENTS else None


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
        self.erased_ids()  # builds the index, so that the first webhook does not wait for it

    def erased_ids(self) -> AbstractSet[str]:
        """The ids of the conversations whose tombstones have landed by now."""
        for folder in self._home.landing.glob(landing.DAY_FOLDERS):
            # The time is read before the files are: a file that lands in between changes it, and is read next time.
            mtime = folder.stat().st_mtime_ns
            if self._folder_mtimes.get(folder) != mtime:
                _retry(partial(self._index_new_files, folder))
                self._folder_mtimes[folder] = mtime
        return self._ids

    def _index_new_files(self, folder: Path) -> None:
        def new_files() -> list[Path]:
            return [file for file in landing_files.list_files(self._home, folder) if file not in self._indexed_files]

        def index(files: list[Path]) -> None:
            rows = parquet.read_files(LANDED_DOCUMENTS, files, ["conversation_id", "kind"])
            self._ids |= set(rows.filter(pl.col("kind") == landing.ERASED)["conversation_id"])
            self._indexed_files |= set(files)

        parquet.read_consistently(new_files, index)  # a run beside it may merge the files meanwhile


def _retry(step: Callable[[], T]) -> T:
    """Do a step again if a file is gone: a run beside this removes temporary files, and may replace segments."""
    for _ in range(MAX_ATTEMPTS - 1):
        with suppress(FileNotFoundError):
            return step()
    return step()
