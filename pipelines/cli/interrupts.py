"""Ctrl-C without panics and tracebacks of libraries that it interrupts."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

POLL_SECS = 0.01


@contextmanager
def defer_interrupts() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` between calls of polars, never inside one.

    Polars' Rust code calls back into Python, and an exception there is a panic. So the signal is checked again every
    hundredth of a second until the call has returned.
    """
    handlers = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGALRM)}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _interrupt(_signal: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("polars."):
            signal.setitimer(signal.ITIMER_REAL, POLL_SECS)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def run_in_thread(work: Callable[[], T]) -> T:
    """Do the work in a thread and wait for it: for libraries that would install signal handlers of their own.

    On Ctrl-C the thread is abandoned; the caller ends the process, which does no harm to the data.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the waiting thread
            errors.append(error)

    thread = threading.Thread(target=run, name="work", daemon=True)
    thread.start()
    while thread.is_alive():  # short waits: polars sets SIGINT so that a signal does not end a long one
        thread.join(POLL_SECS)
    if errors:
        raise errors[0]
    return results[0]
