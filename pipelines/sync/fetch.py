"""Read the details of many conversations at once and land them as they come.

Readings are landed every two seconds, and before that when they are a 25th of what was read, so that a kill costs
little: the next run reads only what is not landed. While a full buffer is being written, no worker reads on: a slow
disk slows the reading, and memory stays flat.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import get_conversation
from pipelines.errors import GarbledError, GoneError, UnreachableError
from pipelines.sync.documents import gone_row, read_row
from pipelines.sync.pii import Pseudonyms
from pipelines.sync.together import together
from warehouse import landing
from warehouse.home import Home

FLUSH_SECS = 2.0
FLUSH_SHARE = 0.04
LEAST_FLUSH_ROWS = 10
MOST_FLUSH_ROWS = 400
"""Fewer rows a file make many files, more cost memory."""
BREAK_AFTER = 5
"""Conversations in a row that could not be read after all retries: then the API is taken to be down."""


@dataclass(slots=True)
class Fetched:
    """What came of a run's readings; ``failed`` names those that could not be read and why."""

    n_fetched: int = 0
    n_landed: int = 0
    n_unchanged: int = 0
    n_gone: int = 0
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Buffer:
    """Readings that wait to be landed."""

    home: Home
    monotonic: Callable[[], float]
    flushed_at: float
    rows: list[dict[str, object]] = field(default_factory=list)
    n_taken: int = 0
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def is_due(self) -> bool:
        share = (self.n_taken + len(self.rows)) * FLUSH_SHARE
        is_full = len(self.rows) >= min(max(share, LEAST_FLUSH_ROWS), MOST_FLUSH_ROWS)
        return is_full or self.monotonic() - self.flushed_at >= FLUSH_SECS

    async def add(self, row: dict[str, object]) -> None:
        self.rows.append(row)
        if self.is_due():
            async with self.writing:
                if self.is_due():
                    await asyncio.to_thread(landing.land_documents, self.home, self.take())

    def take(self) -> list[dict[str, object]]:
        """The waiting readings; they wait no longer. Called in the event loop alone, so no row slips in between."""
        rows, self.rows = self.rows, []
        self.n_taken += len(rows)
        self.flushed_at = self.monotonic()
        return rows


async def fetch(
    client: ApiClient,
    home: Home,
    wanted: Iterable[Mapping[str, Any]],
    *,
    workers: int,
    clock: Callable[[], datetime],
    monotonic: Callable[[], float],
    on_read: Callable[[Fetched], None],
    pseudonyms: Pseudonyms | None = None,
) -> Fetched:
    """Read and land every wanted conversation (rows of ``settle.decide``).

    A document that stays unreadable is set aside in quarantine, and one that cannot be had is named in ``failed``; the
    others go on.

    Raises:
        CredentialsError: the key is refused; what came before is landed.
        UnreachableError: the API is down; what came before is landed.
    """
    done = Fetched()
    buffer = _Buffer(home, monotonic, monotonic())
    waiting = iter(wanted)
    in_a_row: list[UnreachableError] = []

    async def work(share: Iterator[Mapping[str, Any]]) -> None:
        for row in share:
            conversation_id = row["conversation_id"]
            try:
                raw = await get_conversation(client, conversation_id)
                reading = read_row(row, raw, clock(), pseudonyms)
            except GoneError:
                reading = gone_row(row, clock())
            except (GarbledError, RecursionError) as error:
                done.failed[conversation_id] = str(error)
                landing.land_quarantine(home, _set_aside(conversation_id, error, clock()))
                continue
            except UnreachableError as error:
                done.failed[conversation_id] = error.message
                in_a_row.append(error)
                if len(in_a_row) >= BREAK_AFTER:
                    raise
                continue
            in_a_row.clear()
            done.n_fetched += 1
            is_gone, has_payload = reading["kind"] == "gone", reading["payload"] is not None
            done.n_landed += has_payload
            done.n_unchanged += not is_gone and not has_payload
            done.n_gone += is_gone
            await buffer.add(reading)
            on_read(done)

    try:
        await together(work(waiting) for _ in range(workers))
    finally:
        landing.land_documents(home, buffer.take())
    return done


def _set_aside(conversation_id: str, error: Exception, at: datetime) -> dict[str, object]:
    return {"conversation_id": conversation_id, "fetched_at": at, "reason": "unreadable", "error": str(error)}
