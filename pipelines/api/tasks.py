"""Run coroutines side by side, and fail as one of them would alone."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any


async def run_concurrently(coroutines: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Await all; the first failure ends the others and is raised itself, not a group of one."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in coroutines:
                group.create_task(coroutine)
    except BaseExceptionGroup as failures:
        first = failures.exceptions[0]
    else:
        return
    raise first
