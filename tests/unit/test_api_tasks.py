"""Workers that share their items, and how they fail."""

from __future__ import annotations

import asyncio

import pytest

from pipelines.api.tasks import run_concurrently, run_workers


def test_every_item_is_handled_once_and_a_slow_one_delays_no_other():
    handled, done = [], asyncio.Event()

    async def handle(item):
        handled.append(item)
        if item == 0:
            await done.wait()
        elif item == 9:
            done.set()
        else:
            await asyncio.sleep(0)

    asyncio.run(asyncio.wait_for(run_workers(range(10), 2, handle), timeout=10))
    assert handled == list(range(10))


def test_no_more_are_in_progress_than_there_are_workers():
    peaks, in_progress = [], 0

    async def handle(_item):
        nonlocal in_progress
        in_progress += 1
        peaks.append(in_progress)
        await asyncio.sleep(0)
        in_progress -= 1

    asyncio.run(run_workers(range(20), 3, handle))
    assert max(peaks) == 3


def test_no_items_are_no_work():
    async def handle(_item):
        raise AssertionError

    asyncio.run(run_workers([], 3, handle))


def test_the_first_failure_is_raised_itself_and_the_other_workers_are_cancelled():
    handled, cancelled = [], []

    async def handle(item):
        handled.append(item)
        if item == 1:
            raise OSError("disk full")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise

    with pytest.raises(OSError, match="disk full"):
        asyncio.run(run_workers(range(100), 3, handle))
    assert (handled, sorted(cancelled)) == ([0, 1, 2], [0, 2])  # cancelled in no fixed order


def test_coroutines_run_concurrently():
    async def main():
        first, second = asyncio.Event(), asyncio.Event()

        async def wait_for(event, other):
            event.set()
            await other.wait()

        await run_concurrently([wait_for(first, second), wait_for(second, first)])

    asyncio.run(asyncio.wait_for(main(), timeout=10))
