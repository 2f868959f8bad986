"""The API client: one request at a time, retried until it succeeds, is rejected or runs out of time.

The errors raised here have no ``__cause__``: an error of the HTTP library could hold the request's headers, and with
them the key.
"""

from __future__ import annotations

import asyncio
import copy
import logging
import math
import random as randomness
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from pipelines.api.adaptive_limiter import AdaptiveLimiter
from pipelines.api.error_mapping import CHECK_HOST, PROXY_VARIABLES, ErrorResponse
from pipelines.api.request import ApiRequest, ConnectionFailure, RetryableFailure, record_failure
from pipelines.api.responses import parse_error
from pipelines.api.retry import ResponseClass, backoff_secs, classify_response, retry_after_secs
from pipelines.clock import utc_now
from pipelines.errors import ApiUnavailableError, CredentialsError, MalformedResponseError
from pipelines.privacy.messages import hide_message

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

T = TypeVar("T")

OVERLOAD_STATUSES = frozenset({408, 429, 504})
"""Statuses of an overloaded API; other failures say nothing about how many requests it can take."""


@dataclass
class Stats:
    """Counts over all requests of a client: attempts, those that were retries, bytes of bodies on the wire."""

    requests: int = 0
    retries: int = 0
    bytes_received: int = 0


class ApiClient:
    """Sends requests with the key; an async context manager. ``limiter`` decides how many are in flight.

    Redirects are never followed. The key goes into the header ``xi-api-key`` and into no error, log line or ``repr``.

    Args:
        base_url: Scheme and host, with a path where a gateway needs one.
        key: The API key.
        timeout_secs: Time for one attempt, from connecting to the last byte.
        deadline_secs: Time for one request with all its attempts.
        concurrency: The most requests in flight that the limiter may reach.
        transport: Replaces the network, for tests.
        sleep: Waits between attempts.
        random: A number in [0, 1) for the jitter.
        clock: The time now, aware, to read a ``Retry-After`` date. Servers use real time, so the default does as well.
        monotonic: Seconds that never run backwards, for the deadline.

    Raises:
        CredentialsError: the key holds characters that no header can carry.
        SettingsError: ``base_url`` is not a URL.
    """

    def __init__(
        self,
        base_url: str,
        key: str,
        *,
        timeout_secs: float = 30.0,
        deadline_secs: float = 180.0,
        concurrency: int = 8,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = randomness.random,
        clock: Callable[[], datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        from pipelines.api.transport import Transport  # noqa: PLC0415 - 0.2 s of imports, only for runs that send a request

        self.stats = Stats()
        self.limiter = AdaptiveLimiter(concurrency)
        self._key = _validated_key(key)
        self._transport = Transport(
            base_url, key, connect_secs=timeout_secs, connections=self.limiter.max_limit, transport=transport
        )
        self._timeout_secs = timeout_secs
        self._deadline_secs = deadline_secs
        self._random = random
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._has_responded = False

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    def with_own_stats(self) -> Self:
        """This client, open or closed with it, as a second one that counts its requests separately."""
        client = copy.copy(self)
        client.stats = Stats()
        return client

    async def get(
        self,
        path: str,
        params: Mapping[str, str | int],
        decode: Callable[[bytes], T],
        *,
        max_secs: float | None = None,
    ) -> T:
        """Get ``path`` and return the body as decoded by ``decode``, after as many attempts as it takes.

        Args:
            path: Absolute path with its variable parts percent-encoded.
            params: The query; a 4xx means something else where it has a ``cursor``.
            decode: Decodes the body; its ``ValueError`` marks a malformed response, which is retried.
            max_secs: Time for all attempts, where it is less than that of the client.

        Raises:
            CredentialsError: the key, its scope or its quota is rejected.
            NotFoundError: there is nothing at this path.
            CursorRefusedError: the request had a cursor and was rejected.
            MalformedResponseError: the body could not be decoded, several times in a row.
            ApiUnavailableError: no usable response until the deadline, or sooner where the host never responded at all.
            ApiError: any other rejection, redirects included.
        """
        return await self._send(ApiRequest(path, decode, params), max_secs)

    async def post(self, path: str, body: Mapping[str, object], decode: Callable[[bytes], T]) -> T:
        """Post ``body`` as JSON to ``path``, and decode the response; as it is retried, it must be idempotent.

        Raises:
            ApiError: as ``get``.
        """
        return await self._send(ApiRequest(path, decode, method="POST", body=body))

    async def download(
        self, path: str, into: BinaryIO, check: Callable[[BinaryIO], T], *, max_bytes: float = math.inf
    ) -> T:
        """Stream ``path`` into a file, from its start at each attempt, and return the result of ``check``.

        Here ``timeout_secs`` limits how long the server may be silent, not the whole attempt: recordings can be long.

        Raises:
            TooLargeError: there are more than ``max_bytes``; what was read is in the file.
            ApiError: as ``get``; a ``ValueError`` of ``check`` marks a malformed response.
        """
        return await self._send(ApiRequest(path, lambda _body: check(into), into=into, max_bytes=max_bytes))

    async def delete(self, path: str) -> None:
        """Delete the resource at ``path``; the body of a success is ignored.

        Raises:
            NotFoundError: there is nothing at this path, or no longer.
            ApiError: as ``get``.
        """
        return await self._send(ApiRequest(path, lambda _body: None, method="DELETE"))

    async def _send(self, request: ApiRequest[T], max_secs: float | None = None) -> T:
        # The slot is kept over all attempts, also while the request waits for the next one. If it were released,
        # another request would go out at once to an API that has just asked for less.
        async with self.limiter.slot():
            request.deadline = self._monotonic() + min(self._deadline_secs, max_secs or self._deadline_secs)
            outcome = await self._attempt(request)
            if isinstance(outcome, RetryableFailure):
                outcome = await self._retry(request, outcome)
        if isinstance(outcome, RetryableFailure):
            raise outcome.error
        return outcome

    async def _retry(self, request: ApiRequest[T], first: RetryableFailure) -> T | RetryableFailure:
        """Retry after ``first`` until an attempt succeeds or the deadline is near.

        tenacity takes a sixth of a request's CPU time (measured), so it only sees requests whose first attempt failed:
        it gets that attempt's outcome as its own first one.
        """
        outcomes = [first]

        async def attempt() -> T | RetryableFailure:
            if outcomes:
                return outcomes.pop()
            return await self._attempt(request)

        retrying = AsyncRetrying(
            sleep=self._sleep,
            retry=retry_if_result(lambda outcome: isinstance(outcome, RetryableFailure)),
            wait=self._wait,
            stop=lambda state: self._monotonic() + state.upcoming_sleep >= request.deadline,
            before_sleep=self._before_sleep,
            retry_error_callback=_outcome,
        )
        return await retrying(attempt)

    async def _attempt(self, request: ApiRequest[T]) -> T | RetryableFailure:
        self.stats.requests += 1
        request.n_cuts = self.limiter.n_cuts
        timeout_secs = min(self._timeout_secs, request.deadline - self._monotonic())
        response = await self._transport.handle_request(request, timeout_secs)
        if isinstance(response, ConnectionFailure):
            return self._on_no_response(request, response)
        self._has_responded = True
        self.stats.bytes_received += response.num_bytes_downloaded
        if response.is_success:
            self.limiter.on_success()
            return self._on_success(request, response)
        return self._on_error_response(request, response)

    def _on_no_response(self, request: ApiRequest[T], failure: ConnectionFailure) -> RetryableFailure:
        self.limiter.on_failure()
        if failure.is_malformed:
            self._has_responded = True
            message = f"{request.endpoint} answered with a body that cannot be read: {failure.reason}."
            return record_failure(request, MalformedResponseError(message, CHECK_HOST))
        if failure.is_timeout:
            self.limiter.on_overload(request.n_cuts)
        message = self._without_key(f"{request.endpoint} got no answer from {self._transport.host}: {failure.reason}.")
        proxy = f", and the proxy in {PROXY_VARIABLES}" if self._transport.has_proxy else ""
        error = ApiUnavailableError(message, f"Check the network{proxy}. {CHECK_HOST}")
        # A host that never responded is probably the wrong one: give up after a few attempts, not at the deadline.
        return RetryableFailure(error) if self._has_responded else record_failure(request, error)

    def _on_success(self, request: ApiRequest[T], response: httpx.Response) -> T | RetryableFailure:
        body = response.content if request.into is None else b""
        try:
            return request.decode(body)
        except (ValueError, RecursionError) as error:
            reason = hide_message(str(error))
        # The error is raised outside the except block, so that it carries no context: see the top of the module.
        content_type = response.headers.get("content-type", "no content type")
        hint = "Run again later."
        if "json" not in content_type and request.into is None:
            reason = f"{content_type} instead of JSON: this does not look like the ElevenLabs API"
            hint = CHECK_HOST
        message = f"{request.endpoint} answered {response.status_code} with a body that cannot be read: {reason}."
        malformed = MalformedResponseError(self._without_key(message), hint, status=response.status_code)
        return record_failure(request, malformed)

    def _on_error_response(self, request: ApiRequest[T], response: httpx.Response) -> RetryableFailure:
        error_response = ErrorResponse(
            endpoint=request.endpoint,
            status=response.status_code,
            body=parse_error(response.content.replace(self._key.encode(), b"***")),
            trace_id=self._without_key(response.headers.get("x-trace-id", "")),
            location=self._without_key(response.headers.get("location", "")),
        )
        if error_response.status in OVERLOAD_STATUSES:
            self.limiter.on_overload(request.n_cuts)
        response_class = classify_response(
            error_response.status, error_response.body.code, had_cursor="cursor" in request.params
        )
        error = error_response.to_error(response_class)
        if response_class is not ResponseClass.RETRY:
            raise error
        self.limiter.on_failure()
        return RetryableFailure(error, retry_after_secs(response.headers.get("retry-after"), self._clock()))

    def _wait(self, state: RetryCallState) -> float:
        return backoff_secs(state.attempt_number, _outcome(state).retry_after, self._random)

    def _before_sleep(self, state: RetryCallState) -> None:
        self.stats.retries += 1
        logger.info("%s Trying again in %.1f s.", _outcome(state).error.message, state.upcoming_sleep)

    def _without_key(self, text: str) -> str:
        """``text`` with the key replaced: a server may have sent it back."""
        return text.replace(self._key, "***")


def _outcome(state: RetryCallState) -> Any:
    return state.outcome and state.outcome.result()


def _validated_key(key: str) -> str:
    if not re.fullmatch(r"[!-~]+", key):
        raise CredentialsError(
            "The API key is empty or contains an invalid character.", "Copy it again into ELEVENLABS_API_KEY."
        )
    return key
