"""Page through the list of one window, several cursors side by side; the listing lands only when it is complete."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import polars as pl

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import ListQuery, iterate_list
from pipelines.api.responses import ListRow
from pipelines.api.tasks import run_concurrently
from pipelines.errors import CursorRefusedError
from pipelines.extract.landing_rows import list_row
from pipelines.extract.time_window import Window
from pipelines.privacy.pseudonyms import Pseudonymizer
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.storage import parquet

PART_DAYS = 7
MAX_PARTS = 4
MAX_RESTARTS = 2
"""Times that a part is begun again after the API refused its cursor."""


async def list_rows(
    client: ApiClient,
    window: Window,
    listed_at: datetime,
    on_rows: Callable[[int], None],
    pseudonyms: Pseudonymizer | None = None,
) -> pl.DataFrame:
    """Every row of the window, each conversation once, the latest seen, as it is landed; the client is opened here.

    A page becomes rows when it comes: so a long list takes the memory of its text and not three times as much.

    Args:
        client: The API.
        window: What to list; what else the API shows is left out.
        listed_at: When the listing began.
        on_rows: Told how many conversations are known after each page.
        pseudonyms: What hides people.

    Returns:
        Columns of ``LANDED_LISTINGS``.

    Raises:
        ApiError: a page could not be had; a part of a list is never returned.
    """
    known: set[str] = set()
    pages = [parquet.frame(LANDED_LISTINGS, [])]

    async def list_part(part: Window) -> None:
        for restart in range(MAX_RESTARTS + 1):
            try:
                async for page in iterate_list(client, _query(part)):
                    shown = [row for row in page.conversations if window.contains(_start(row), row.agent_id)]
                    pages.append(
                        parquet.frame(LANDED_LISTINGS, [list_row(row, listed_at, pseudonyms) for row in shown])
                    )
                    known.update(row.conversation_id for row in shown)
                    on_rows(len(known))
            except CursorRefusedError:
                if restart == MAX_RESTARTS:
                    raise
            else:
                return

    async with client:
        await run_concurrently(list_part(part) for part in window.split(PART_DAYS, MAX_PARTS))
    return pl.concat(pages).unique("conversation_id", keep="last", maintain_order=True)


def _query(window: Window) -> ListQuery:
    """The window in whole Unix seconds, a second wider on both sides: whether bounds are inclusive is not settled."""
    return ListQuery(
        call_start_after_unix=_unix(window.since) - 1 if window.since else None,
        call_start_before_unix=_unix(window.until) + 1,
        agent_id=window.agent_id,
    )


def _start(row: ListRow) -> datetime:
    return datetime.fromtimestamp(row.start_time_unix_secs, UTC)


def _unix(moment: datetime) -> int:
    return int(moment.timestamp())
