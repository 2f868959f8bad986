"""How many requests may be in flight: slow start, then AIMD (additive increase, multiplicative decrease).

The same idea as TCP congestion control and Netflix's concurrency-limits library. The API limits concurrency, but the
limits are unpublished and differ by plan, so the client has to find them out. The limit doubles with each round of
responses until the first failure; from then on it rises by one a round, and it is halved when the API is overloaded.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

INITIAL_LIMIT = 8
"""Requests in flight before anything is known about the API: small plans allow this many."""


class AdaptiveLimiter:
    """Lets ``limit`` requests in at a time, first come first served; ``limit`` moves between 1 and ``max_limit``.

    One overload makes many requests fail, but must halve the limit only once. So each request remembers ``n_cuts`` from
    when it was sent, and its failure counts only if the limit was not cut since.
    """

    def __init__(self, max_limit: int, initial_limit: int = INITIAL_LIMIT) -> None:
        self.max_limit = max_limit
        self.n_cuts = 0
        self._is_slow_start = True
        self._limit = float(min(initial_limit, max_limit))
        self._in_flight = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """Requests that may be in flight now."""
        return int(self._limit)

    def on_success(self) -> None:
        """Raise the limit: by 1 for every success in slow start, later by about 1 for every ``limit`` successes.

        Only while the limit is used up: the success of a few requests does not show that the API can take many.
        """
        if self._in_flight >= self.limit:
            increase = 1.0 if self._is_slow_start else 1 / self._limit
            self._limit = min(self._limit + increase, float(self.max_limit))

    def on_failure(self) -> None:
        """End the slow start after any failure of the API, also one that does not show an overload."""
        self._is_slow_start = False

    def on_overload(self, n_cuts: int) -> None:
        """Multiplicative decrease after a 429 or a timeout, for a request that was sent when there were ``n_cuts``."""
        self.on_failure()
        if n_cuts == self.n_cuts:
            self.n_cuts += 1
            self._limit = max(self.limit // 2, 1)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot for one request; waits while all are in use."""
        # With a queue, newcomers wait at its end even if a slot is free: otherwise they would overtake.
        if self._in_flight < self.limit and not self._queue:
            self._in_flight += 1
        else:
            await self._wait_for_slot()
        try:
            yield
        finally:
            self._release()

    async def _wait_for_slot(self) -> None:
        """Wait in the queue until ``_release`` hands a slot over.

        A semaphore would not do: its size cannot shrink. ``_release`` counts the slot as in use before this coroutine
        wakes up, so that no other request can take it in between.
        """
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():  # the slot was handed over before the cancellation arrived: pass it on
                self._release()
            raise

    def _release(self) -> None:
        self._in_flight -= 1
        while self._queue and self._in_flight < self.limit:
            turn = self._queue.popleft()
            if not turn.done():  # done: cancelled while it waited
                self._in_flight += 1
                turn.set_result(None)
