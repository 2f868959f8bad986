"""Run coroutines concurrently, and fail with the error of the first that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


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
