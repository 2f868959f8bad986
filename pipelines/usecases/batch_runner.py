"""Run one API request per item of a batch, with several workers, and log each outcome in the activity log.

The activity log is what makes a batch resumable: the caller leaves out the items that are logged as done, so after an
interruption the next run continues where this one stopped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

from pipelines.api.circuit_breaker import CircuitBreaker
from pipelines.api.client import ApiClient
from pipelines.api.tasks import run_workers
from pipelines.usecases.context import Context, Progress, run_with_client
from warehouse.schema.types import Table
from warehouse.storage import activity_log

Item = TypeVar("Item")


class BatchRunner:
    """Runs the items of a batch; the caller holds the write lock.

    Args:
        context: The workspace.
        table: The activity table of the entries.
        stage: The name of the batch for ``progress``.
        n_workers: Items in progress at once.
        entries_per_file: Entries that are kept in memory before they are written: a kill loses fewer than this.
        progress: Receives the number of finished items.
    """

    def __init__(
        self, context: Context, table: Table, *, stage: str, n_workers: int, entries_per_file: int, progress: Progress
    ) -> None:
        self.breaker = CircuitBreaker()
        """For the handler to report responses and errors to: one count for all workers."""
        self._context = context
        self._table = table
        self._stage = stage
        self._n_workers = n_workers
        self._entries_per_file = entries_per_file
        self._progress = progress
        self._entries: list[Mapping[str, object]] = []
        self._n_done = 0

    def run(self, items: Iterable[Item], total: int, handle: Callable[[ApiClient, Item], Awaitable[None]]) -> None:
        """Handle each of the ``total`` items once; ``handle`` calls ``log`` with its outcome.

        An exception of ``handle`` ends the batch and is raised; every entry logged before is written first.
        """

        async def run_all(client: ApiClient) -> None:
            self._progress(self._stage, 0, total)
            await run_workers(items, self._n_workers, partial(self._handle, client, total, handle))

        try:
            run_with_client(self._context, run_all)
        finally:
            self._write_entries()
            activity_log.refresh_lake(self._context.home)

    def log(self, entry: Mapping[str, object]) -> None:
        """Add an entry, a row of the table, and write the entries when there are enough for a file."""
        self._entries.append(entry)
        if len(self._entries) >= self._entries_per_file:
            self._write_entries()

    async def _handle(
        self, client: ApiClient, total: int, handle: Callable[[ApiClient, Item], Awaitable[None]], item: Item
    ) -> None:
        await handle(client, item)
        self._n_done += 1
        self._progress(self._stage, self._n_done, total)

    def _write_entries(self) -> None:
        # Cleared only after the write: if that fails, the entries are written again at the end of the run.
        activity_log.append(self._context.home, self._table, self._entries)
        self._entries = []
