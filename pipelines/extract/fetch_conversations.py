"""Fetch many conversations concurrently and hand the responses to the landing pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import polars as pl

from pipelines.api.circuit_breaker import N_PROBES, CircuitBreaker, is_answered
from pipelines.api.client import ApiClient
from pipelines.api.endpoints import get_conversation
from pipelines.api.tasks import run_workers
from pipelines.errors import ApiError, MalformedResponseError, NotFoundError
from pipelines.extract.land_responses import Response
from pipelines.extract.landing_pipeline import FetchStats, LandingPipeline
from pipelines.privacy.messages import hide_message
from warehouse.errors import ConvohouseError
from warehouse.schema.operations import UNFETCHABLE, UNREADABLE
from warehouse.storage import landing, quarantine

SECS_IF_QUARANTINED = 20.0
"""Time for a conversation that already failed in an earlier run: it usually fails again, and must not delay the run."""
LISTED_BUT_NOT_FOUND = "The list shows it again, but the API answers 404, as it has before."


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

    A conversation without a usable response goes to quarantine with the reason, and the others continue.

    Raises:
        ApiError: the key is rejected, the host is another one, or the API is down, as ``CircuitBreaker`` decides; all
            responses before are landed.
        OSError: a response could not be landed.
    """
    fetcher = _Fetcher(client, plan, pipeline, clock, on_fetched)
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
        plan: pl.DataFrame,
        pipeline: LandingPipeline,
        clock: Callable[[], datetime],
        on_fetched: Callable[[FetchStats], None],
    ) -> None:
        self._client = client
        self._planned_ids = plan["conversation_id"]
        self._pipeline = pipeline
        self._stats = pipeline.stats
        self._clock = clock
        self._on_fetched = on_fetched
        self._breaker = CircuitBreaker()
        self._answered_id: str | None = None
        self._quarantined_ids = frozenset(quarantine.current(pipeline.home)["conversation_id"])

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
        """The response to land, where a 404 is a deletion; None where the conversation is quarantined.

        A 404 to a conversation that the list shows again after a 404 is no deletion: one of the two answers is wrong.

        Raises:
            ConvohouseError: it is not the conversation that fails, but the key, the host or the API.
        """
        conversation_id = row["conversation_id"]
        try:
            max_secs = SECS_IF_QUARANTINED if conversation_id in self._quarantined_ids else None
            body = await get_conversation(self._client, conversation_id, max_secs=max_secs)
        except NotFoundError as error:
            if row["is_listed_again"]:
                self._quarantine(conversation_id, ApiError(LISTED_BUT_NOT_FOUND, status=error.status))
                return None
            return Response(row, None, self._clock())
        except ConvohouseError as error:
            await self._breaker.on_item_error(error, self._is_api_answering)
            self._quarantine(conversation_id, error)
            return None
        return Response(row, body, self._clock())

    def _quarantine(self, conversation_id: str, error: ConvohouseError) -> None:
        self._stats.failed[conversation_id] = str(error)
        reason = UNREADABLE if isinstance(error, MalformedResponseError) else UNFETCHABLE
        text = hide_message(str(error))
        quarantine.add(self._pipeline.home, conversation_id, at=self._clock(), reason=reason, error=text)

    async def _is_api_answering(self) -> bool:
        """Whether the API answers for any conversation that has not failed in this run, so far as one is known."""
        probes = (partial(get_conversation, self._client, probe_id) for probe_id in self._probe_ids())
        return any(await asyncio.gather(*map(is_answered, probes)))

    def _probe_ids(self) -> list[str]:
        """The conversation that was answered last; before the first, the one landed last and some of the plan."""
        if self._answered_id is not None:
            return [self._answered_id]
        landed_snapshots = landing.latest_snapshots(self._pipeline.home).filter(
            pl.col("content_at").is_not_null(), ~pl.col("conversation_id").is_in(self._planned_ids.to_list())
        )
        planned_ids = self._planned_ids.reverse().gather_every(max(self._planned_ids.len() // N_PROBES, 1))
        return [*landed_snapshots.sort("fetched_at")["conversation_id"].tail(1), *planned_ids.head(N_PROBES)]

    def _submit(self, response: Response) -> None:
        self._answered_id = response.plan_row["conversation_id"]
        self._breaker.on_response()
        self._stats.n_fetched += 1
        self._pipeline.submit(response)
        self._on_fetched(self._stats)
