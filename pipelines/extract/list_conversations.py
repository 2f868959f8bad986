"""List the conversations of a window, several cursors at once; the caller lands the listing once it is complete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import polars as pl

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import ListQuery, iterate_list, list_page
from pipelines.api.responses import ListPage, ListRow, MalformedRow
from pipelines.api.tasks import run_concurrently
from pipelines.errors import CursorRefusedError
from pipelines.extract.landing_rows import list_row
from pipelines.extract.time_window import Window
from pipelines.privacy.messages import describe_error
from pipelines.privacy.pseudonyms import Pseudonymizer
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.schema.operations import MALFORMED_ROW, QUARANTINE, ROW_PREFIX
from warehouse.storage import parquet, quarantine
from warehouse.storage.landing import BEGINNING

MAX_PARTS = 8
"""Parts of a window that are listed concurrently, each with its own cursor."""
MIN_PAGES_PER_PART = 4
"""Fewer pages are not worth a cursor of their own."""
MAX_AHEAD = timedelta(days=1)
"""A start later than this after the time of the listing is quarantined: the row is wrong, or our clock."""
MAX_RESTARTS = 2
"""How often a part is listed again from its start after the API rejected its cursor."""
SECOND_PAGE_SIZE = 83
"""Rows per page when a part is listed a second time. No page but every 8,300th row ends where one of 100 rows does."""


@dataclass(frozen=True, slots=True)
class ListedRows:
    """The rows of a window: ``rows`` of ``LANDED_LISTINGS``, and those in quarantine as rows of ``QUARANTINE``.

    ``skipped_ids`` are the conversations that only a repeated request showed.
    """

    rows: pl.DataFrame
    malformed: pl.DataFrame
    skipped_ids: frozenset[str]


async def list_rows(
    client: ApiClient,
    window: Window,
    listed_at: datetime,
    on_rows: Callable[[int], None],
    pseudonyms: Pseudonymizer | None = None,
) -> ListedRows:
    """The latest row of every conversation in the window; opens and closes the client.

    A row that cannot be used is quarantined, and the others are listed.

    That the API ends a list proves nothing. A list of several pages is listed twice at the same time, in pages of
    different sizes: an API that counts rows instead of naming the last one skips some between two pages when
    conversations are deleted. And whatever was listed, the time before its oldest conversation is listed once more,
    until there is nothing older.

    Args:
        client: The API.
        window: What to list; other rows that the API returns are left out.
        listed_at: When the listing started.
        on_rows: Receives the number of conversations so far, after each page.
        pseudonyms: Replaces personal data, where given.

    Raises:
        ApiError: a page failed; an incomplete list is never returned.
    """
    lister = _Lister(client, window, listed_at, on_rows, pseudonyms)
    async with client:
        await lister.list_window()
    rows = pl.concat(lister.pages).unique("conversation_id", keep="last", maintain_order=True)
    malformed = [
        {"conversation_id": row.name, "fetched_at": listed_at, "reason": MALFORMED_ROW, "error": _describe(row, window)}
        for row in {row.name: row for row in lister.malformed}.values()
    ]
    return ListedRows(rows, parquet.frame(QUARANTINE, malformed), lister.skipped_ids())


class _Lister:
    """What the concurrent parts of a window share: the pages so far, in the order of their arrival."""

    def __init__(
        self,
        client: ApiClient,
        window: Window,
        listed_at: datetime,
        on_rows: Callable[[int], None],
        pseudonyms: Pseudonymizer | None,
    ) -> None:
        self.pages = [parquet.frame(LANDED_LISTINGS, [])]
        self.malformed: list[MalformedRow] = []
        self._client = client
        self._window = window
        self._listed_at = listed_at
        self._on_rows = on_rows
        self._pseudonyms = pseudonyms
        self._ids: set[str] = set()
        self._first_ids: set[str] = set()

    def skipped_ids(self) -> frozenset[str]:
        """The conversations that only a repeated request showed."""
        rows = pl.concat(self.pages).filter(pl.col("start_time_at") < self._listed_at)
        return frozenset(rows["conversation_id"]) - self._first_ids

    async def list_window(self) -> None:
        """List the window with the cursor of its first page, or in parts if many pages would follow.

        The parts cover the whole window again, so the list is complete whatever the first page has.
        """
        page = await self._list_first_page(self._window)
        n_parts = min(MAX_PARTS, _estimate_pages(page, self._window) // MIN_PAGES_PER_PART)
        if page.next_cursor is not None and n_parts > 1:
            await run_concurrently(self._list_part(part) for part in self._window.split(n_parts))
        else:
            await self._list_rest(self._window, page)

    async def _list_part(self, part: Window) -> None:
        await self._list_rest(part, await self._list_first_page(part))

    async def _list_first_page(self, part: Window) -> ListPage:
        page = await list_page(self._client, _query(part), None)
        self._add(page)
        return page

    async def _list_rest(self, part: Window, first_page: ListPage) -> None:
        """List a part from its second page on, beside it the whole part in other pages, then what may be older."""
        if first_page.next_cursor is not None:
            await run_concurrently(
                (
                    self._list_pages(_query(part), first_page.next_cursor),
                    self._list_again(_query(part, SECOND_PAGE_SIZE)),
                )
            )
        await self._list_older(part)

    async def _list_older(self, part: Window) -> None:
        """List a part up to the oldest conversation listed in it, until that is still the oldest afterwards."""
        previous_start, oldest_start = None, self._oldest_in(part)
        while oldest_start is not None and oldest_start != previous_start:
            await self._list_again(_query(Window(part.since, oldest_start + timedelta(seconds=1), part.agent_id)))
            previous_start, oldest_start = oldest_start, self._oldest_in(part)

    async def _list_again(self, query: ListQuery) -> None:
        """List what is known already, or about to be; of a row that is known, nothing is kept."""
        await self._list_pages(query, is_repeated=True)

    async def _list_pages(self, query: ListQuery, cursor: str | None = None, *, is_repeated: bool = False) -> None:
        """List from a page on; if the API rejects the cursor, from the start, as a cursor cannot be renewed."""
        for restart in range(MAX_RESTARTS + 1):
            try:
                async for page in iterate_list(self._client, query, cursor):
                    self._add(page, is_repeated=is_repeated)
            except CursorRefusedError:
                if restart == MAX_RESTARTS:
                    raise
                cursor = None
            else:
                break

    def _oldest_in(self, part: Window) -> datetime | None:
        """Start of the oldest conversation listed in a part."""
        starts = pl.concat([page["start_time_at"] for page in self.pages])
        oldest = starts.filter((starts >= (part.since or BEGINNING)) & ((starts < part.until) | part.is_open)).min()
        return oldest if isinstance(oldest, datetime) else None

    def _add(self, page: ListPage, *, is_repeated: bool = False) -> None:
        """Turn a page into a frame at once: this takes a third of the memory of keeping its rows as objects."""
        latest = self._listed_at + MAX_AHEAD
        rows = [row for row in page.conversations if self._window.contains(_start(row), row.agent_id)]
        rows = [row for row in rows if _start(row) <= latest]
        if is_repeated:
            rows = [row for row in rows if row.conversation_id not in self._ids]
        self.malformed += page.malformed
        self.malformed += [
            MalformedRow(
                name=row.conversation_id, error="the start of a list row is in the future, or our clock behind"
            )
            for row in page.conversations
            if _start(row) > latest
        ]
        self.pages.append(self._frame(rows))
        ids = self.pages[-1]["conversation_id"]
        self._ids.update(ids)
        if not is_repeated:
            self._first_ids.update(ids)
        self._on_rows(len(self._ids))

    def _frame(self, rows: Sequence[ListRow]) -> pl.DataFrame:
        """The rows to land; a row with a value that no column can hold is quarantined."""
        try:
            return parquet.frame(LANDED_LISTINGS, [list_row(row, self._listed_at, self._pseudonyms) for row in rows])
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one row, the others are listed
            if len(rows) > 1:
                return pl.concat([self._frame([row]) for row in rows])
            reason = f"the list row cannot be landed: {describe_error(error)}"
            self.malformed += [MalformedRow(name=row.conversation_id, error=reason) for row in rows]
            return parquet.frame(LANDED_LISTINGS, [])


def _estimate_pages(first: ListPage, window: Window) -> int:
    """How many pages the window has, if the first page has its newest conversations and the others are as dense."""
    starts = [start for row in first.conversations if window.contains(start := _start(row), None)]
    if window.since is None or not starts:
        return 1
    return int((window.until - window.since) / max(window.until - min(starts), timedelta(seconds=1)))


def _describe(row: MalformedRow, window: Window) -> str:
    """Why a row was quarantined, and what becomes of its conversation: without an id, it has to be listed again."""
    if not row.name.startswith(ROW_PREFIX):
        return f"{row.error}; the conversation is read by its id"
    since = window.since or quarantine.BEGINNING
    return f"{row.error}; `convohouse sync --since {since:%Y-%m-%d}` lists it again"


def _query(window: Window, page_size: int = 100) -> ListQuery:
    """The window in Unix seconds, a second wider on both sides: whether the API's bounds are inclusive is unknown."""
    return ListQuery(
        page_size=page_size,
        call_start_after_unix=_unix(window.since) - 1 if window.since else None,
        call_start_before_unix=None if window.is_open else _unix(window.until) + 1,
        agent_id=window.agent_id,
    )


def _start(row: ListRow) -> datetime:
    return datetime.fromtimestamp(row.start_time_unix_secs, UTC)


def _unix(time: datetime) -> int:
    return int(time.timestamp())
