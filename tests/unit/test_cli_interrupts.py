from __future__ import annotations

import os
import signal
import threading

import polars as pl
import pytest

from pipelines.cli.interrupts import defer_interrupts, run_in_thread


def interrupt(values: pl.Series | None = None) -> pl.Series | None:
    os.kill(os.getpid(), signal.SIGINT)
    return values


def test_an_interrupt_waits_until_polars_is_done() -> None:
    done: list[list[int]] = []

    def work() -> None:
        done.append(pl.DataFrame({"a": [1, 2]}).select(pl.col("a").map_batches(interrupt))["a"].to_list())
        threading.Event().wait(60)

    with pytest.raises(KeyboardInterrupt), defer_interrupts():
        work()
    assert done == [[1, 2]]


def test_an_interrupt_elsewhere_is_raised_at_once_and_the_handlers_are_restored() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)
    with pytest.raises(KeyboardInterrupt), defer_interrupts():
        interrupt()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)) == before


def test_work_in_a_thread_gives_its_result_or_its_error() -> None:
    assert run_in_thread(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        run_in_thread(lambda: 1 // 0)


def test_work_in_a_thread_is_abandoned_on_an_interrupt() -> None:
    can_finish = threading.Event()

    def work() -> None:
        interrupt()
        can_finish.wait(60)

    with pytest.raises(KeyboardInterrupt), defer_interrupts():
        run_in_thread(work)
    assert not can_finish.is_set()
    can_finish.set()
