"""How many requests may be in flight: one more while the API keeps up, half as many when it does not.

Additive up and multiplicative down, as TCP does it: the API's limits are on concurrency, unpublished, and other ones on
every plan, so the one way to know them is to feel for them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

INITIAL_LIMIT = 8
"""Requests in flight before anything is known of the API: what small plans bear."""


class AdaptiveLimiter:
    """Lets ``limit`` requests in at a time, first come first served; ``limit`` moves between 1 and ``bound``.

    A cut holds for all that was in flight when it was made: their failures are one sign of pressure, not many, so each
    tells how many ``cuts`` there were when it was sent.
    """

    def __init__(self, max_limit: int, start: int = INITIAL_LIMIT) -> None:
        self.bound = max_limit
        self.n_cuts = 0
        self._limit = float(min(start, max_limit))
        self._in_flight = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """Requests that may be in flight now."""
        return int(self._limit)

    def on_success(self) -> None:
        """A request was answered: about one more is let in for every ``limit`` of these.

        Only while the limit is used up: answers to a few requests do not show that the API bears many.
        """
        if self._in_flight >= self.limit:
            self._limit = min(self._limit + 1 / self._limit, float(self.bound))

    def on_overload(self, cuts: int) -> None:
        """A request that was sent after so many ``cuts`` met a 429 or a time-out: half as many are let in."""
        if cuts == self.n_cuts:
            self.n_cuts += 1
            self._limit = max(self.limit // 2, 1)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """A place among those in flight, waited for where all are taken."""
        if self._in_flight < self.limit and not self._queue:
            self._in_flight += 1
        else:
            await self._wait_for_slot()
        try:
            yield
        finally:
            self._release()

    async def _wait_for_slot(self) -> None:
        """Wait until a place is handed over; it is counted as taken before this wakes, so that nobody slips in."""
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # handed over in the same moment
                self._release()
            raise

    def _release(self) -> None:
        self._in_flight -= 1
        while self._queue and self._in_flight < self.limit:
            turn = self._queue.popleft()
            if not turn.done():
                self._in_flight += 1
                turn.set_result(None)
