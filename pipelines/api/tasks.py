"""Run coroutines concurrently, and fail with the error of the first that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")


async def run_concurrently(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Await all. The first failure cancels the others and is raised itself, not as an ``ExceptionGroup``."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in coroutines:
                group.create_task(coroutine)
    except BaseExceptionGroup as failures:
        first = failures.exceptions[0]
    else:
        return
    raise first


async def run_beside(main: Coroutine[Any, Any, None], other: Coroutine[Any, Any, None]) -> None:
    """Await ``main`` in this task and ``other`` in a second one, which is cancelled if ``main`` fails.

    Not two tasks: Ctrl-C is raised inside the running task, and only this one is awaited to its end after that.
    """
    other_task = asyncio.create_task(other)
    try:
        await main
        await other_task
    finally:
        other_task.cancel()
        await asyncio.wait([other_task])


async def run_workers(items: Iterable[Item], n_workers: int, handle: Callable[[Item], Awaitable[None]]) -> None:
    """Await ``handle`` for every item, ``n_workers`` at a time; fails as ``run_concurrently``."""
    # All workers take their items from one iterator: a slow item delays one worker, not a fixed share of the items.
    # It needs no lock, as the event loop switches workers only at an await.
    shared = iter(items)
    await run_concurrently(_work(shared, handle) for _ in range(n_workers))


async def _work(shared: Iterator[Item], handle: Callable[[Item], Awaitable[None]]) -> None:
    for item in shared:
        await handle(item)
