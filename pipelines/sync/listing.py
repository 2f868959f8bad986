"""Page through the list of one window, several cursors side by side; the listing lands only when it is complete."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import ListQuery, iterate_list
from pipelines.api.models import ListRow
from pipelines.errors import CursorRefusedError
from pipelines.sync.documents import list_row
from pipelines.sync.pii import Pseudonyms
from pipelines.sync.together import together
from pipelines.sync.window import Window

PART_DAYS = 7
MOST_PARTS = 4
RESTARTS = 2
"""Times that a part is begun again after the API refused its cursor."""


async def list_rows(
    client: ApiClient,
    window: Window,
    listed_at: datetime,
    on_rows: Callable[[int], None],
    pseudonyms: Pseudonyms | None = None,
) -> list[dict[str, object]]:
    """The rows of the window as they are landed (see ``list_window``); the client is opened and closed here."""
    async with client:
        found = await list_window(client, window, on_rows)
    return [list_row(row, listed_at, pseudonyms) for row in found.values()]


async def list_window(client: ApiClient, window: Window, on_rows: Callable[[int], None]) -> dict[str, ListRow]:
    """Every row of the window by conversation_id, each once, the latest seen; what else the API shows is left out.

    Args:
        client: The API.
        window: What to list.
        on_rows: Told how many rows are known after each page.

    Raises:
        ApiError: a page could not be had; a part of a list is never returned.
    """
    found: dict[str, ListRow] = {}

    async def list_part(part: Window) -> None:
        for restart in range(RESTARTS + 1):
            try:
                async for page in iterate_list(client, _query(part)):
                    found.update({row.conversation_id: row for row in page.conversations})
                    on_rows(len(found))
            except CursorRefusedError:
                if restart == RESTARTS:
                    raise
            else:
                return

    await together(list_part(part) for part in window.split(PART_DAYS, MOST_PARTS))
    return {conversation_id: row for conversation_id, row in found.items() if window.holds(_start(row), row.agent_id)}


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
