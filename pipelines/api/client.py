"""One request to the API, tried until it succeeds, is refused or has used up its time.

No error of this module has a cause: what fails below could hold the request's headers, and with them the key.
"""

from __future__ import annotations

import asyncio
import logging
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
from pipelines.api.error_mapping import CHECK_HOST, ErrorResponse
from pipelines.api.request import ApiRequest, ConnectionFailure, RetryableFailure, record_failure
from pipelines.api.responses import parse_error
from pipelines.api.retry import ResponseClass, backoff_secs, classify_response, retry_after_secs
from pipelines.clock import utc_now
from pipelines.errors import ApiUnavailableError, CredentialsError, MalformedResponseError

if TYPE_CHECKING:
    import httpx

logger = logging.getLogger(__name__)

T = TypeVar("T")

OVERLOAD_STATUSES = frozenset({408, 429, 504})
"""Statuses of an API that gets more than it bears; other failures say nothing of how much that is."""


@dataclass
class Stats:
    """What a client has done so far: attempts sent, those that were repeats, bytes of bodies on the wire."""

    requests: int = 0
    retries: int = 0
    bytes_received: int = 0


class ApiClient:
    """An async context manager that asks the API with the key; ``gate`` says how many requests at once.

    Redirects are never followed. The key goes into the header ``xi-api-key`` and into no error, log line or ``repr``.
    A request keeps its place at the gate while it waits for its next attempt. Were it freed, another request would go
    out at once to an API that has just asked to be left alone.

    Args:
        base_url: Scheme and host, with a path where a gateway needs one.
        key: The API key.
        timeout_secs: Time for one attempt, from connecting to the last byte.
        deadline_secs: Time for one request with all its attempts.
        concurrency: Requests in flight at most, up to which the gate may open.
        transport: Replaces the network, for tests.
        sleep: Waits between attempts.
        random: A number in [0, 1) for the jitter.
        clock: The time now, aware, to read a ``Retry-After`` date; that of servers, so by default the real one.
        monotonic: Seconds that never run backwards, for the deadline.

    Raises:
        CredentialsError: the key holds characters that no header can carry.
        SettingsError: ``base_url`` is no URL.
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
        from pipelines.api.transport import Transport  # noqa: PLC0415 - 0.2 s of imports, which only who asks the API need pay

        self.stats = Stats()
        self.limiter = AdaptiveLimiter(concurrency)
        self._key = _validated_key(key)
        self._transport = Transport(
            base_url, key, connect_secs=timeout_secs, connections=self.limiter.bound, transport=transport
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

    async def get(self, path: str, params: Mapping[str, str | int], decode: Callable[[bytes], T]) -> T:
        """Ask for ``path`` and return what ``decode`` makes of the body, with as many attempts as it takes.

        Args:
            path: Absolute path with its variable parts percent-encoded.
            params: The query; a ``cursor`` in it changes what a refusal means.
            decode: Reads the body; a ``ValueError`` of it is a garbled answer.

        Raises:
            CredentialsError: the key, its scope or quota is refused.
            GoneError: there is nothing at this path.
            CursorRefusedError: the request held a cursor and was refused.
            GarbledError: the body cannot be decoded, several times over.
            UnreachableError: no usable answer until the deadline, or soon where the host never answered at all.
            ApiError: any other refusal, redirects among them.
        """
        return await self._request(path, decode, params=params)

    async def post(self, path: str, body: Mapping[str, object], decode: Callable[[bytes], T]) -> T:
        """Send ``body`` as JSON to ``path`` and return what ``decode`` makes of the answer; repeats must do no harm.

        Raises:
            ApiError: as ``get``.
        """
        return await self._request(path, decode, method="POST", body=body)

    async def download(self, path: str, into: BinaryIO, check: Callable[[BinaryIO], T]) -> T:
        """Stream ``path`` into a file, anew at each attempt, and return what ``check`` makes of it.

        The time-out of an attempt is one of silence here: a recording may take as long as it comes.

        Raises:
            ApiError: as ``get``; a ``ValueError`` of ``check`` is a garbled answer.
        """
        return await self._request(path, lambda _body: check(into), into=into)

    async def delete(self, path: str) -> None:
        """Delete what is at ``path``, with as many attempts as it takes; whatever a success says in its body is fine.

        Raises:
            GoneError: there is nothing at this path (any more).
            ApiError: as ``get``.
        """
        return await self._request(path, lambda _body: None, method="DELETE")

    async def _request(
        self,
        path: str,
        decode: Callable[[bytes], T],
        *,
        params: Mapping[str, str | int] | None = None,
        method: str = "GET",
        body: Mapping[str, object] | None = None,
        into: BinaryIO | None = None,
    ) -> T:
        async with self.limiter.slot():
            deadline = self._monotonic() + self._deadline_secs
            call = ApiRequest(path, params or {}, decode, deadline, method, body, into)
            outcome = await self._attempt(call)
            if isinstance(outcome, RetryableFailure):
                outcome = await self._retry(call, outcome)
        if isinstance(outcome, RetryableFailure):
            raise outcome.error
        return outcome

    async def _retry(self, call: ApiRequest[T], first: RetryableFailure) -> T | RetryableFailure:
        """Repeat after ``first``. tenacity's bookkeeping is a sixth of a request's CPU (measured), so only now."""
        before = [first]

        async def attempt() -> T | RetryableFailure:
            if before:
                return before.pop()
            return await self._attempt(call)

        retrying = AsyncRetrying(
            sleep=self._sleep,
            retry=retry_if_result(lambda outcome: isinstance(outcome, RetryableFailure)),
            wait=self._wait,
            stop=lambda state: self._monotonic() + state.upcoming_sleep >= call.deadline,
            before_sleep=self._before_sleep,
            retry_error_callback=_outcome,
        )
        return await retrying(attempt)

    async def _attempt(self, call: ApiRequest[T]) -> T | RetryableFailure:
        self.stats.requests += 1
        call.n_cuts = self.limiter.n_cuts
        answer = await self._transport.handle_request(call, min(self._timeout_secs, call.deadline - self._monotonic()))
        if isinstance(answer, ConnectionFailure):
            return self._on_no_response(call, answer)
        self._has_responded = True
        self.stats.bytes_received += answer.num_bytes_downloaded
        if answer.is_success:
            self.limiter.on_success()
            return self._on_success(call, answer)
        return self._on_error_response(call, answer)

    def _on_no_response(self, call: ApiRequest[T], none: ConnectionFailure) -> RetryableFailure:
        if none.is_timeout:
            self.limiter.on_overload(call.n_cuts)
        message = self._without_key(f"{call.endpoint} got no answer from {self._transport.host}: {none.reason}.")
        unreachable = ApiUnavailableError(message, f"Check the network. {CHECK_HOST}")
        return RetryableFailure(unreachable) if self._has_responded else record_failure(call, unreachable)

    def _on_success(self, call: ApiRequest[T], answer: httpx.Response) -> T | RetryableFailure:
        body = answer.content if call.into is None else b""
        try:
            return call.decode(body)
        except (ValueError, RecursionError) as error:
            why = str(error)
        kind = answer.headers.get("content-type", "no content type")
        if "json" not in kind and call.into is None:
            why = f"{kind} instead of JSON: this does not look like the ElevenLabs API"
        message = self._without_key(
            f"{call.endpoint} answered {answer.status_code} with a body that cannot be read: {why}."
        )
        return record_failure(call, MalformedResponseError(message, CHECK_HOST, body=body, status=answer.status_code))

    def _on_error_response(self, call: ApiRequest[T], answer: httpx.Response) -> RetryableFailure:
        refusal = ErrorResponse(
            endpoint=call.endpoint,
            status=answer.status_code,
            body=parse_error(answer.content.replace(self._key.encode(), b"***")),
            trace_id=self._without_key(answer.headers.get("x-trace-id", "")),
            location=self._without_key(answer.headers.get("location", "")),
        )
        if refusal.status in OVERLOAD_STATUSES:
            self.limiter.on_overload(call.n_cuts)
        judged = classify_response(refusal.status, refusal.body.code, had_cursor="cursor" in call.params)
        error = refusal.to_error(judged)
        if judged is not ResponseClass.RETRY:
            raise error
        return RetryableFailure(error, retry_after_secs(answer.headers.get("retry-after"), self._clock()))

    def _wait(self, state: RetryCallState) -> float:
        return backoff_secs(state.attempt_number, _outcome(state).retry_after, self._random)

    def _before_sleep(self, state: RetryCallState) -> None:
        self.stats.retries += 1
        logger.info("%s Trying again in %.1f s.", _outcome(state).error.message, state.upcoming_sleep)

    def _without_key(self, text: str) -> str:
        """``text`` without the key, should a server have sent it back."""
        return text.replace(self._key, "***")


def _outcome(state: RetryCallState) -> Any:
    return state.outcome and state.outcome.result()


def _validated_key(key: str) -> str:
    if not re.fullmatch(r"[!-~]+", key):
        raise CredentialsError(
            "The API key is empty or holds a character that no key has.", "Copy it again into ELEVENLABS_API_KEY."
        )
    return key
