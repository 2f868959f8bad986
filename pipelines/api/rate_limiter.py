"""At most so many requests a second, evenly spread."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class RateLimiter:
    """Lets ``per_sec`` begin a second; time and sleep can be others in a test."""

    def __init__(
        self,
        per_sec: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._interval_secs = 1 / per_sec
        self._monotonic = monotonic
        self._sleep = sleep
        self._next_start = monotonic()

    async def acquire(self) -> None:
        """Wait for the next turn; turns are given in the order in which they are asked for."""
        now = self._monotonic()
        at = max(now, self._next_start)
        self._next_start = at + self._interval_secs
        if at > now:
            await self._sleep(at - now)
