"""One logical request with all its attempts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO, Generic, TypeVar

from pipelines.errors import ApiError

T = TypeVar("T")

MAX_PERSISTENT_FAILURES = 4
"""Attempts with a failure that more retries rarely cure: a malformed body, a host that never responded."""


@dataclass
class ApiRequest(Generic[T]):
    """One logical request and the state of its attempts.

    ``into``, where given, is the file that takes the body of a success, which is then not kept in memory, up to
    ``max_bytes``. ``deadline`` is on the monotonic clock, set for the first attempt. ``n_cuts`` is the limiter's count
    at the latest attempt.
    """

    path: str
    decode: Callable[[bytes], T]
    params: Mapping[str, str | int] = field(default_factory=dict)
    method: str = "GET"
    body: Mapping[str, object] | None = None
    into: BinaryIO | None = None
    max_bytes: float = math.inf
    deadline: float = math.inf
    persistent_failures: int = 0
    n_cuts: int = 0

    @property
    def endpoint(self) -> str:
        """Method and path, for messages; without the query, which can name a person."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class ConnectionFailure:
    """An attempt without a response, and why.

    ``is_timeout`` where no complete response came in time, ``is_malformed`` where its body cannot be used.
    """

    reason: str
    is_timeout: bool = False
    is_malformed: bool = False


@dataclass(frozen=True)
class RetryableFailure:
    """A failed attempt that may be retried; ``error`` is raised where it is not, ``retry_after`` is in seconds."""

    error: ApiError
    retry_after: float | None = None


def record_failure(request: ApiRequest[T], error: ApiError) -> RetryableFailure:
    """Count a persistent failure, which is worth only a few attempts.

    Raises:
        ApiError: ``error``, when those are used up.
    """
    request.persistent_failures += 1
    if request.persistent_failures >= MAX_PERSISTENT_FAILURES:
        raise error
    return RetryableFailure(error)
