from __future__ import annotations

import os
import signal
import threading

import polars as pl
import pytest

from pipelines.cli.interrupts import aside, gentle


def interrupt(values: pl.Series | None = None) -> pl.Series | None:
    os.kill(os.getpid(), signal.SIGINT)
    return values


def test_an_interrupt_waits_until_polars_is_done() -> None:
    done: list[list[int]] = []

    def work() -> None:
        done.append(pl.DataFrame({"a": [1, 2]}).select(pl.col("a").map_batches(interrupt))["a"].to_list())
        threading.Event().wait(60)

    with pytest.raises(KeyboardInterrupt), gentle():
        work()
    assert done == [[1, 2]]


def test_an_interrupt_elsewhere_is_one_at_once_and_the_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)
    with pytest.raises(KeyboardInterrupt), gentle():
        interrupt()
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)) == before


def test_work_aside_gives_its_answer_or_its_error() -> None:
    assert aside(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        aside(lambda: 1 // 0)


def test_work_aside_is_left_behind_on_an_interrupt() -> None:
    goes_on = threading.Event()

    def work() -> None:
        interrupt()
        goes_on.wait(60)

    with pytest.raises(KeyboardInterrupt), gentle():
        aside(work)
    assert not goes_on.is_set()
    goes_on.set()
