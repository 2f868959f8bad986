"""Ctrl-C, without the panics and tracebacks of libraries that it meets in the middle of their work."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

T = TypeVar("T")

AGAIN_SECS = 0.01


@contextmanager
def gentle() -> Iterator[None]:
    """Raise ``KeyboardInterrupt`` between calls of polars, never within one.

    Its Rust calls back into Python for small things, and an exception there is a panic. So the signal waits, looking
    again every hundredth of a second, until the call is over.
    """
    before = {each: signal.signal(each, _interrupt) for each in (signal.SIGINT, signal.SIGALRM)}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for each, handler in before.items():
            signal.signal(each, handler)


def _interrupt(_signal: int, frame: FrameType | None) -> None:
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith("polars."):
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECS)
            return
        frame = frame.f_back
    raise KeyboardInterrupt


def aside(work: Callable[[], T]) -> T:
    """Do the work in a thread and wait for it: for work that would take the signals of the main thread for itself.

    On Ctrl-C the thread is left behind; whoever handles that ends the process, as a kill does no harm to the data.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # noqa: BLE001 - it is raised again where it is waited for
            failed.append(error)

    thread = threading.Thread(target=run, name="work", daemon=True)
    thread.start()
    while thread.is_alive():  # in short waits: polars sets SIGINT so that a signal does not end a long one
        thread.join(AGAIN_SECS)
    if failed:
        raise failed[0]
    return done[0]
