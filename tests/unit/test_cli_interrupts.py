from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest

from pipelines.cli.interrupts import defer_interrupts, run_in_thread
from pipelines.usecases import sync_steps
from warehouse.errors import ConvohouseError


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


def test_a_run_that_fails_early_waits_for_the_thread_that_reads_the_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends while DuckDB works in a thread is aborted: exit code 134 for a wrong key, not 3."""
    read: list[Path] = []

    def read_slowly(user_seeds: Path) -> None:
        threading.Event().wait(0.05)
        read.append(user_seeds)

    monkeypatch.setattr(sync_steps, "read_project", read_slowly)
    context: Any = SimpleNamespace(home=SimpleNamespace(seeds=Path("seeds")))
    with pytest.raises(ConvohouseError, match="the key is wrong"), sync_steps.project_read_ahead(context):
        raise ConvohouseError("the key is wrong")
    assert read == [Path("seeds")]
