"""One logical request on its way through its attempts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Generic, TypeVar

from pipelines.errors import ApiError

T = TypeVar("T")

MAX_PERSISTENT_FAILURES = 4
"""Attempts where more would hardly help: a garbled body, a host that never answered."""


@dataclass
class ApiRequest(Generic[T]):
    """One logical request; ``deadline`` is on the monotonic clock, ``strikes`` counts failures that tend to stay.

    ``cuts`` is the gate's count when the latest attempt was sent; a success's body goes ``into`` a file, where one is
    given, and is not kept in memory.
    """

    path: str
    params: Mapping[str, str | int]
    decode: Callable[[bytes], T]
    deadline: float
    method: str = "GET"
    body: Mapping[str, object] | None = None
    into: BinaryIO | None = None
    persistent_failures: int = 0
    n_cuts: int = 0

    @property
    def endpoint(self) -> str:
        """Method and path, without the query: it can name a person."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class ConnectionFailure:
    """An attempt that brought no answer, and why; ``is_late`` where nothing complete came in time."""

    reason: str
    is_timeout: bool = False


@dataclass(frozen=True)
class RetryableFailure:
    """A failed attempt that may be repeated; ``error`` is what to raise if it is not."""

    error: ApiError
    retry_after: float | None = None


def record_failure(call: ApiRequest[T], error: ApiError) -> RetryableFailure:
    """A failure that tends to stay: worth few attempts.

    Raises:
        ApiError: ``error``, when those are used up.
    """
    call.persistent_failures += 1
    if call.persistent_failures >= MAX_PERSISTENT_FAILURES:
        raise error
    return RetryableFailure(error)
