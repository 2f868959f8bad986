"""Limit the rate of requests, evenly spread over time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable


class RateLimiter:
    """Spaces requests ``1 / per_sec`` seconds apart, without bursts."""

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
        """Wait until the caller may start; first come first served."""
        now = self._monotonic()
        start = max(now, self._next_start)
        # Reserved before the sleep, so that no other coroutine gets the same start.
        self._next_start = start + self._interval_secs
        if start > now:
            await self._sleep(start - now)
