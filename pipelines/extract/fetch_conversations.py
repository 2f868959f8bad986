"""Fetch many conversations concurrently and hand the responses to the landing pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.api.circuit_breaker import CircuitBreaker
from pipelines.api.client import ApiClient
from pipelines.api.endpoints import get_conversation
from pipelines.api.tasks import run_workers
from pipelines.errors import ApiUnavailableError, MalformedResponseError, NotFoundError
from pipelines.extract.land_responses import Response, quarantine
from pipelines.extract.landing_pipeline import FetchStats, LandingPipeline


async def fetch_conversations(
    client: ApiClient,
    plan: pl.DataFrame,
    pipeline: LandingPipeline,
    *,
    n_workers: int,
    clock: Callable[[], datetime],
    on_fetched: Callable[[FetchStats], None],
) -> None:
    """Fetch every conversation of ``plan`` (rows of ``plan_fetches``); ``pipeline`` lands and counts the responses.

    A malformed document goes to quarantine, and a conversation without a response is counted as failed; the others
    continue.

    Raises:
        CredentialsError: the key is rejected; all responses before are landed.
        OSError: a response could not be landed.
        ApiUnavailableError: the API is down; all responses before are landed.
    """
    fetcher = _Fetcher(client, pipeline, clock, on_fetched)
    try:
        await run_workers(plan.iter_rows(named=True), n_workers, fetcher.fetch)
    finally:
        # After an error as well: every response that came before it is landed.
        await pipeline.drain()


class _Fetcher:
    """What the workers share: the client, the pipeline and one count of consecutive failures."""

    def __init__(
        self,
        client: ApiClient,
        pipeline: LandingPipeline,
        clock: Callable[[], datetime],
        on_fetched: Callable[[FetchStats], None],
    ) -> None:
        self._client = client
        self._pipeline = pipeline
        self._stats = pipeline.stats
        self._clock = clock
        self._on_fetched = on_fetched
        self._breaker = CircuitBreaker()

    async def fetch(self, row: Mapping[str, Any]) -> None:
        """Fetch one conversation and submit the response."""
        # Back-pressure: no request without a slot, so a slow disk slows the fetching down.
        await self._pipeline.acquire_slot()
        response = await self._request(row)
        if response is None:
            self._pipeline.release_slot()
        else:
            self._submit(response)

    async def _request(self, row: Mapping[str, Any]) -> Response | None:
        """The response to land; None where there is none, which is then counted as failed."""
        try:
            body = await get_conversation(self._client, row["conversation_id"])
        except (NotFoundError, MalformedResponseError, RecursionError, ApiUnavailableError) as error:
            return self._classify(row, error)
        return Response(row, body, self._clock())

    def _classify(self, row: Mapping[str, Any], error: Exception) -> Response | None:
        """A 404 is landed as a deletion, a malformed document goes to quarantine, an outage opens the breaker."""
        conversation_id = row["conversation_id"]
        match error:
            case NotFoundError():
                return Response(row, None, self._clock())
            case ApiUnavailableError():
                self._stats.failed[conversation_id] = error.message
                self._breaker.on_error(error)
            case _:
                self._stats.failed[conversation_id] = str(error)
                quarantine(self._pipeline.home, conversation_id, error, self._clock())
        return None

    def _submit(self, response: Response) -> None:
        self._breaker.on_response()
        self._stats.n_fetched += 1
        self._pipeline.submit(response)
        self._on_fetched(self._stats)
