"""The stages behind the reading: answers become batches, batches readings that are landed, whole days rows of the lake.

Stages run in threads or, once they are ready, in the processes of a crew. A conversation has a place from before it is
asked for until it is landed, and there are only so many: a slow disk slows the reading, memory stays flat, and a kill
costs no more than the places.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pipelines.extract.completed_days import CompletedDays
from pipelines.extract.land_responses import LandResult, Response, land_responses
from pipelines.privacy.pseudonyms import Pseudonymizer
from pipelines.transform.merge_days import FlattenedDay, reflatten_days
from pipelines.transform.worker_pool import WorkerPool
from warehouse.storage.home import Home

FLUSH_SECS = 2.0
FLUSH_SHARE = 0.04
MIN_FLUSH_ROWS = 10
MAX_FLUSH_ROWS = 400
"""Fewer rows a file make many files, more cost memory."""
SLOTS_SHARE = 0.1
MIN_SLOTS = 32
MAX_SLOTS = 1200
"""Places, as a share of what was handed over to be landed: always more than a batch, so that one comes to be full."""


@dataclass(slots=True)
class FetchStats:
    """What came of a run's readings; ``failed`` names those that could not be read and why.

    Of the conversations that were landed, ``n_flattened`` are in the lake already.
    """

    n_fetched: int = 0
    n_landed: int = 0
    n_unchanged: int = 0
    n_gone: int = 0
    n_flattened: int = 0
    failed: dict[str, str] = field(default_factory=dict)


class LandingPipeline:
    """Takes answers and brings them to the landing, and to the lake where they can go there ``ahead``."""

    def __init__(
        self,
        home: Home,
        stats: FetchStats,
        *,
        worker_pool: WorkerPool,
        monotonic: Callable[[], float],
        pseudonyms: Pseudonymizer | None = None,
        completed_days: CompletedDays | None = None,
    ) -> None:
        """What comes of the answers is counted in ``done``."""
        self.home = home
        self.stats = stats
        self._worker_pool = worker_pool
        self._monotonic = monotonic
        self._pseudonyms = pseudonyms
        self._completed_days = completed_days
        self._batch: list[Response] = []
        self._n_flushed = 0
        self._flushed_at = monotonic()
        self._n_slots = MIN_SLOTS
        self._slots = asyncio.Semaphore(MIN_SLOTS)
        self._in_progress: set[asyncio.Future[Any]] = set()
        self._failures: list[BaseException] = []

    async def acquire_slot(self) -> None:
        """Wait for a place, before a conversation is asked for; ``add`` or ``leave`` follows.

        Raises:
            OSError: one before it could not be landed.
        """
        await self._slots.acquire()
        if self._failures:
            raise self._failures[0]

    def release_slot(self) -> None:
        """Give up the place of a conversation to which there was no answer."""
        self._slots.release()

    def submit(self, answer: Response) -> None:
        """Take an answer; what waits is handed over to be landed when it is much, or old."""
        self._batch.append(answer)
        if self._is_due():
            self._flush()

    async def drain(self) -> None:
        """Land what waits, and wait for all that is under way.

        Raises:
            OSError: something could not be landed or flattened.
        """
        self._flush()
        while self._in_progress:
            await asyncio.wait(self._in_progress)
        if self._failures:
            raise self._failures[0]

    def _is_due(self) -> bool:
        share = (self._n_flushed + len(self._batch)) * FLUSH_SHARE
        is_full = len(self._batch) >= min(max(share, MIN_FLUSH_ROWS), MAX_FLUSH_ROWS)
        return is_full or self._monotonic() - self._flushed_at >= FLUSH_SECS

    def _flush(self) -> None:
        """Hand over what waits; it waits no longer. Places are free again when it is landed, or could not be."""
        answers, self._batch = self._batch, []
        self._n_flushed += len(answers)
        self._flushed_at = self._monotonic()
        landed = partial(self._on_landed, answers)
        self._start(landed, land_responses, self.home, answers, self._pseudonyms, places=len(answers))
        n_places = min(max(int(self._n_flushed * SLOTS_SHARE), MIN_SLOTS), MAX_SLOTS)
        self._release_slots(n_places - self._n_slots)
        self._n_slots = n_places

    def _release_slots(self, number: int) -> None:
        for _ in range(number):
            self._slots.release()

    def _on_landed(self, answers: Sequence[Response], landed: LandResult) -> None:
        """Count what was landed, and flatten the days that are whole now."""
        kinds = landed.snapshots["kind"].to_list()
        n_landed, n_gone = int(landed.snapshots["has_payload"].sum()), kinds.count("gone")
        self.stats.n_landed += n_landed
        self.stats.n_gone += n_gone
        self.stats.n_unchanged += len(kinds) - n_landed - n_gone
        self.stats.n_fetched -= len(landed.unreadable)
        self.stats.failed |= landed.unreadable
        if self._completed_days is not None and (days := self._completed_days.on_landed(answers, landed.snapshots)):
            self._start(self._on_flattened, reflatten_days, self.home, days, self._completed_days.reread_days)

    def _on_flattened(self, made: Sequence[FlattenedDay]) -> None:
        self.stats.n_flattened += sum(each.n_flattened for each in made)

    def _start(
        self, then: Callable[[Any], None], work: Callable[..., Any], *arguments: object, places: int = 0
    ) -> None:
        """Have work done in a process of the crew or, before one is ready, in a thread; its end frees ``places``.

        The loop holds a future of it and no task: a run that is stopped cancels its tasks, and what was read would
        not be landed.
        """
        future = asyncio.get_running_loop().run_in_executor(self._worker_pool.executor, work, *arguments)
        self._in_progress.add(future)
        future.add_done_callback(partial(self._on_finished, then, places))

    def _on_finished(self, then: Callable[[Any], None], places: int, future: asyncio.Future[Any]) -> None:
        self._in_progress.discard(future)
        self._release_slots(places)
        try:
            then(future.result())
        except BaseException as error:  # noqa: BLE001 - it is raised to whoever asks for the next place
            self._failures.append(error)
