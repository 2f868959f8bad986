"""The definition of an outage: the API, its host or the key is at fault, and not a single item.

One item may always fail: a conversation with a 403, 422 or 500 every night. That must not stop a run. So
failures in a row are only a suspicion, and a request that has nothing to do with these items, a probe, decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pipelines.errors import ApiError, ApiUnavailableError, CredentialsError, NotFoundError
from warehouse.errors import ConvohouseError

MAX_CONSECUTIVE_FAILURES = 5
"""Items in a row without a usable response, each after all its retries: then the API may be down."""
N_PROBES = 5
"""Requests that decide whether the API is down, as long as none was answered."""


async def is_answered(probe: Callable[[], Awaitable[object]]) -> bool:
    """Whether the API answers a request; a response that it does not have the item counts as well."""
    try:
        await probe()
    except NotFoundError:
        return True
    except ConvohouseError:
        return False
    return True


class CircuitBreaker:
    """Counts consecutive failures over all workers of a run.

    It never closes again (there is no half-open state): the run ends, and the next run continues where it stopped.
    """

    def __init__(self, max_failures: int = MAX_CONSECUTIVE_FAILURES) -> None:
        self._max_failures = max_failures
        self._n_failures = 0
        self._probe_lock = asyncio.Lock()

    def on_response(self) -> None:
        """The API responded: the count starts again at 0."""
        self._n_failures = 0

    def on_error(self, error: ApiError) -> None:
        """Count an outage, or a rejected key or scope, of a batch that has no probe; any other error is a response.

        Raises:
            ApiError: ``error``, when it is the last of too many in a row.
        """
        if not isinstance(error, ApiUnavailableError | CredentialsError):
            self.on_response()
            return
        self._n_failures += 1
        if self._n_failures >= self._max_failures:
            raise error

    async def on_item_error(self, error: ConvohouseError, probe: Callable[[], Awaitable[bool]]) -> None:
        """Count the error of an item, and return if it is only the item's.

        A rejected key or scope is a suspicion at once, any other error when it is the last of too many in a row. Then
        ``probe`` says whether the API still answers other requests.

        Raises:
            ConvohouseError: ``error``, when nothing else is answered either.
        """
        async with self._probe_lock:  # workers that fail meanwhile wait for the result
            self._n_failures += 1
            if self._n_failures < self._max_failures and not isinstance(error, CredentialsError):
                return
            if not await probe():
                raise error
            self._n_failures = 0
