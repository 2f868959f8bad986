"""A circuit breaker: stop a run when the API is down, instead of waiting for every request to time out."""

from __future__ import annotations

from pipelines.errors import ApiError, ApiUnavailableError

MAX_CONSECUTIVE_FAILURES = 5
"""Requests in a row without a usable response, each after all its retries: then the API is taken to be down."""


class CircuitBreaker:
    """Counts consecutive ``ApiUnavailableError`` over all workers of a run.

    It never closes again (there is no half-open state): the run ends, and the next run continues where it stopped.
    """

    def __init__(self, max_failures: int = MAX_CONSECUTIVE_FAILURES) -> None:
        self._max_failures = max_failures
        self._n_failures = 0

    def on_response(self) -> None:
        """The API responded: the count starts again at 0."""
        self._n_failures = 0

    def on_error(self, error: ApiError) -> None:
        """Count an ``ApiUnavailableError``; any other error is a response.

        Raises:
            ApiUnavailableError: ``error``, when it is the last of too many in a row.
        """
        if not isinstance(error, ApiUnavailableError):
            self.on_response()
            return
        self._n_failures += 1
        if self._n_failures >= self._max_failures:
            raise error
