"""Processes beside this one, for work that keeps a core busy: to read what came, to land it, to flatten it.

They are started when there first is much to do, since to start one costs as much as to flatten a thousand
conversations, and are given work from the moment they are ready; until then it is done here.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from types import TracebackType
from typing import Any, Self

from pipelines.errors import WorkerError
from pipelines.transform.flatten import flatten

MIN_CONVERSATIONS = 2000
"""Conversations from which on processes pay. Measured: at 1,000 they save nothing, at 10,000 a fifth of the time."""
MAX_PROCESSES = 3
"""Processes that one client can keep busy: to land and to flatten takes three times as long as to fetch."""


class WorkerPool:
    """A context manager; ``processes`` beside this one, None for one a core beside the first, up to ``MAX_THREADS``."""

    def __init__(self, processes: int | None = None) -> None:
        self.processes = min((os.cpu_count() or 1) - 1, MAX_PROCESSES) if processes is None else processes
        self._pool: ProcessPoolExecutor | None = None
        self._starting: list[Future[Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the processes go.

        Raises:
            CrewError: one of them ended before its work was done.
        """
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        if isinstance(error, BrokenExecutor):
            raise WorkerError(
                "A process that reads and flattens conversations ended before its work was done.",
                "Where memory ran out, set CONVOHOUSE_PROCESSES to fewer, or 0 for none, then run again.",
            ) from error

    def prepare(self, n_conversations: int) -> None:
        """Begin to start the processes, if so many conversations are much; does not wait for them."""
        if self._pool is None and self.processes and n_conversations >= MIN_CONVERSATIONS:
            self._pool = ProcessPoolExecutor(self.processes, multiprocessing.get_context("spawn"), _begin)
            self._starting = [self._pool.submit(flatten, ()) for _ in range(self.processes)]

    @property
    def executor(self) -> ProcessPoolExecutor | None:
        """The processes, once they are ready; None before, and where there are none."""
        return self._pool if all(each.done() for each in self._starting) else None


def _begin() -> None:
    """Make a process of a crew one that ends when this one ends, however that ends, and not before."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal sends Ctrl-C to all; the parent says what becomes of it
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
