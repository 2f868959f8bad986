"""The stages after the fetching: responses are batched, batches are landed, completed days are flattened to the lake.

Landing and flattening run in threads or, once they have started, in the processes of the worker pool. The number of
conversations between the request and the landing is limited, so a slow disk slows the fetching down, memory use stays
flat, and a kill loses at most that many responses: the next run fetches what is not landed.
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
from warehouse.storage.landing_sequence import next_number

FLUSH_SECS = 2.0
"""A batch is landed after this time, full or not."""
FLUSH_SHARE = 0.04
"""Size of a full batch, as a share of all responses so far: a short run loses little in a kill, a long one writes few
files."""
MIN_FLUSH_ROWS = 10
MAX_FLUSH_ROWS = 400
"""Fewer rows per file make many files, more take too much memory."""
SLOTS_SHARE = 0.1
"""Slots, as a share of all responses so far: always more than a batch, so that a batch can become full."""
MIN_SLOTS = 40
MAX_SLOTS = 1200


@dataclass(slots=True)
class FetchStats:
    """Counts of a run's fetches; ``failed`` has the reason by conversation id.

    ``n_flattened`` of the landed conversations are in the lake already.
    """

    n_fetched: int = 0
    n_landed: int = 0
    n_unchanged: int = 0
    n_gone: int = 0
    n_flattened: int = 0
    failed: dict[str, str] = field(default_factory=dict)


class LandingPipeline:
    """Lands responses in batches, in the background, and flattens the days in ``completed_days``.

    For each conversation: ``acquire_slot``, then the request, then ``submit`` or ``release_slot``. At the end, also
    after an error: ``drain``. All methods and callbacks run in the event loop's thread, so the state needs no lock.
    """

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
        """``stats`` is updated as responses are landed; without ``completed_days`` nothing is flattened."""
        self.home = home
        self.stats = stats
        self._worker_pool = worker_pool
        self._monotonic = monotonic
        self._pseudonyms = pseudonyms
        self._completed_days = completed_days
        self._batch: list[Response] = []
        self._sequence: int | None = None
        self._n_flushed = 0
        self._flushed_at = monotonic()
        self._n_slots = MIN_SLOTS
        # A semaphore and not a bounded queue: a slot is held from before the request until its batch is landed, so it
        # limits all stages together, and the number of slots can grow with the batches.
        self._slots = asyncio.Semaphore(MIN_SLOTS)
        self._in_progress: set[asyncio.Future[Any]] = set()
        self._failures: list[BaseException] = []

    async def acquire_slot(self) -> None:
        """Wait for a slot, before the request for a conversation.

        Raises:
            OSError: an earlier batch could not be landed.
        """
        await self._slots.acquire()
        self._raise_first_failure()

    def release_slot(self) -> None:
        """Give back the slot of a conversation that has no response to land."""
        self._slots.release()

    def submit(self, response: Response) -> None:
        """Add a response to the batch, and start to land the batch when it is full or old enough."""
        if not self._batch:
            # Not when it lands: a webhook that lands meanwhile came after these responses were read, or could have.
            self._sequence = next_number(self.home, is_synced=False)
        self._batch.append(response)
        if self._is_flush_due():
            self._flush()

    async def drain(self) -> None:
        """Land the last batch, and wait until everything is landed and flattened.

        Raises:
            OSError: something could not be landed or flattened.
        """
        self._flush()
        while self._in_progress:  # a loop, as a landing that ends can start a flattening
            await asyncio.wait(self._in_progress)
        self._raise_first_failure()

    def _is_flush_due(self) -> bool:
        share = (self._n_flushed + len(self._batch)) * FLUSH_SHARE
        is_full = len(self._batch) >= min(max(share, MIN_FLUSH_ROWS), MAX_FLUSH_ROWS)
        return is_full or self._monotonic() - self._flushed_at >= FLUSH_SECS

    def _flush(self) -> None:
        """Start to land the batch; its slots are released when it is landed, or has failed."""
        responses, self._batch = self._batch, []
        self._n_flushed += len(responses)
        self._flushed_at = self._monotonic()
        on_landed = partial(self._on_landed, responses)
        work = (land_responses, self.home, responses, self._pseudonyms, self._sequence)
        self._start(on_landed, *work, n_slots=len(responses))
        self._grow_slots()

    def _grow_slots(self) -> None:
        n_slots = min(max(int(self._n_flushed * SLOTS_SHARE), MIN_SLOTS), MAX_SLOTS)
        self._release_slots(n_slots - self._n_slots)
        self._n_slots = n_slots

    def _on_landed(self, responses: Sequence[Response], result: LandResult) -> None:
        """Count what was landed, and start to flatten the days that are completed by it."""
        kinds = result.snapshots["kind"].to_list()
        n_landed, n_gone = int(result.snapshots["has_payload"].sum()), kinds.count("gone")
        self.stats.n_landed += n_landed
        self.stats.n_gone += n_gone
        self.stats.n_unchanged += len(kinds) - n_landed - n_gone
        self.stats.n_fetched -= len(result.unreadable)
        self.stats.failed |= result.unreadable
        if self._completed_days is not None and (days := self._completed_days.on_landed(responses, result.snapshots)):
            self._start(self._on_flattened, reflatten_days, self.home, days, self._completed_days.reread_days)

    def _on_flattened(self, days: Sequence[FlattenedDay]) -> None:
        self.stats.n_flattened += sum(day.n_flattened for day in days)

    def _start(
        self, on_result: Callable[[Any], None], work: Callable[..., Any], *arguments: object, n_slots: int = 0
    ) -> None:
        """Run ``work`` in a worker process or, as long as none is ready, in a thread; then release ``n_slots``.

        A future with a callback, and not a task that awaits it: when a run is stopped, its tasks are cancelled, and
        a response that was fetched would not be landed.
        """
        future = asyncio.get_running_loop().run_in_executor(self._worker_pool.executor, work, *arguments)
        self._in_progress.add(future)
        future.add_done_callback(partial(self._on_finished, on_result, n_slots))

    def _on_finished(self, on_result: Callable[[Any], None], n_slots: int, future: asyncio.Future[Any]) -> None:
        self._in_progress.discard(future)
        self._release_slots(n_slots)  # also after a failure: who waits for a slot gets it, and then the error
        try:
            on_result(future.result())
        except BaseException as error:  # noqa: BLE001 - raised by the next acquire_slot, or by drain
            self._failures.append(error)

    def _release_slots(self, number: int) -> None:
        for _ in range(number):
            self._slots.release()

    def _raise_first_failure(self) -> None:
        if self._failures:
            raise self._failures[0]
