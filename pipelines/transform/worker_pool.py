"""Worker processes for work that keeps a core busy: decoding, landing and flattening conversations."""

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
"""Processes that one API client can keep busy: landing and flattening take three times as long as fetching."""


class WorkerPool:
    """A context manager that owns the processes of a run.

    They start lazily, when there is first enough work: to start a process costs as much as to flatten a thousand
    conversations. Until they are ready, ``executor`` is None and the caller does the work in its own process.
    """

    def __init__(self, processes: int | None = None) -> None:
        """``processes`` in addition to this one; None means one per core except the first, up to ``MAX_PROCESSES``."""
        self.processes = min((os.cpu_count() or 1) - 1, MAX_PROCESSES) if processes is None else processes
        self._pool: ProcessPoolExecutor | None = None
        self._warm_ups: list[Future[Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for running tasks, drop those that have not begun, and end the processes.

        Raises:
            WorkerError: a process ended before its work was done.
        """
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        if isinstance(error, BrokenExecutor):
            raise WorkerError(
                "A worker process ended before its work was done.",
                "If memory ran out, set CONVOHOUSE_PROCESSES to a smaller number, or to 0 for none, then run again.",
            ) from error

    def prepare(self, n_conversations: int) -> None:
        """Start the processes if there are enough conversations; returns at once, without waiting for them."""
        if self._pool is None and self.processes and n_conversations >= MIN_CONVERSATIONS:
            # spawn and not fork: this process has threads (polars, the event loop). A fork copies their locks as they
            # are at that moment, but not the threads that would release them, and the copy can deadlock.
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.processes, context, _initialize_process)
            # One warm-up task per process: once they are done, the imports are, and real tasks start at once.
            self._warm_ups = [self._pool.submit(flatten, ()) for _ in range(self.processes)]

    @property
    def executor(self) -> ProcessPoolExecutor | None:
        """The processes, once they are ready; None before, and where there are none."""
        return self._pool if all(warm_up.done() for warm_up in self._warm_ups) else None


def _initialize_process() -> None:
    """Tie the lifetime of a worker process to this one: it ends neither earlier nor later.

    A terminal sends Ctrl-C to every process of the command. Workers ignore it: the parent alone decides what is
    finished and what is dropped, and a worker that stopped by itself would look like a crash.

    A parent that is killed (SIGKILL, out of memory) cannot shut its workers down, and they would wait for tasks
    forever. So a thread watches the parent.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, name="exit with parent", daemon=True).start()


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)  # sys.exit would end this thread only
