"""Read the details of many conversations at once; ``line`` lands them beside the reading.

Readings are landed every two seconds, and before that when they are a 25th of what was read, so that a kill costs
little: the next run reads only what is not landed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import get_conversation
from pipelines.api.tasks import run_concurrently
from pipelines.errors import ApiUnavailableError, MalformedResponseError, NotFoundError
from pipelines.extract.land_responses import Response, quarantine
from pipelines.extract.landing_pipeline import FetchStats, LandingPipeline

BREAK_AFTER = 5
"""Conversations in a row that could not be read after all retries: then the API is taken to be down."""


async def fetch_conversations(
    client: ApiClient,
    wanted: pl.DataFrame,
    line: LandingPipeline,
    *,
    readers: int,
    clock: Callable[[], datetime],
    on_read: Callable[[FetchStats], None],
) -> None:
    """Read every wanted conversation (rows of ``settle.decide``) and put what came on the line, which counts it.

    A document that stays unreadable is set aside in quarantine, and one that cannot be had is named as failed; the
    others go on.

    Raises:
        CredentialsError: the key is refused; what came before is landed.
        OSError: something could not be landed.
        UnreachableError: the API is down; what came before is landed.
    """
    done = line.stats
    in_a_row: list[ApiUnavailableError] = []

    async def answer_to(row: Mapping[str, Any]) -> Response | None:
        conversation_id = row["conversation_id"]
        try:
            return Response(row, await get_conversation(client, conversation_id), clock())
        except NotFoundError:
            return Response(row, None, clock())
        except (MalformedResponseError, RecursionError) as error:
            done.failed[conversation_id] = str(error)
            quarantine(line.home, conversation_id, error, clock())
        except ApiUnavailableError as error:
            done.failed[conversation_id] = error.message
            in_a_row.append(error)
            if len(in_a_row) >= BREAK_AFTER:
                raise
        return None

    async def read(share: Iterator[Mapping[str, Any]]) -> None:
        for row in share:
            await line.acquire_slot()
            answer = await answer_to(row)
            if answer is None:
                line.release_slot()
                continue
            in_a_row.clear()
            done.n_fetched += 1
            line.submit(answer)
            on_read(done)

    waiting = wanted.iter_rows(named=True)
    try:
        await run_concurrently(read(waiting) for _ in range(readers))
    finally:
        await line.drain()
