"""The calls of the API that we make: the list of conversations, one conversation whole, and its deletion."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from functools import partial
from urllib.parse import quote

from pipelines.api.client import ApiClient
from pipelines.api.models import ListPage, check_conversation, parse_page
from pipelines.api.refusals import CHECK_HOST
from pipelines.errors import ApiError, GoneError, UsageError

CONVERSATIONS = "/v1/convai/conversations"


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    """What to list: the reference's query parameters but the cursor; ``None`` leaves one out.

    Whether the two bounds on the call's start (Unix seconds) are inclusive is settled by no public source: let windows
    overlap by a second.
    """

    page_size: int = 100
    call_start_after_unix: int | None = None
    call_start_before_unix: int | None = None
    agent_id: str | None = None
    call_successful: str | None = None
    user_id: str | None = None
    summary_mode: str | None = None
    search: str | None = None

    def params(self, cursor: str | None) -> dict[str, str | int]:
        """The query string's parts; a cursor holds no filters, so they go with every page."""
        return {name: value for name, value in {**asdict(self), "cursor": cursor}.items() if value is not None}


async def list_page(client: ApiClient, query: ListQuery, cursor: str | None) -> ListPage:
    """Ask for one page, newest calls first; ``cursor`` is the previous page's ``next_cursor``.

    Raises:
        ApiError: as ``ApiClient.get``; a 404 means that this host has no such list.
    """
    try:
        return await client.get(CONVERSATIONS, query.params(cursor), parse_page)
    except GoneError as error:
        message, status, code = error.message, error.status, error.code
    raise ApiError(message, CHECK_HOST, status=status, code=code)


async def iterate_list(client: ApiClient, query: ListQuery) -> AsyncIterator[ListPage]:
    """Yield the pages of ``query`` until the last; calls that arrive meanwhile can repeat rows.

    Raises:
        ApiError: as ``list_page``, and when a cursor comes a second time: the list would never end.
    """
    seen: set[str] = set()
    cursor: str | None = None
    while True:
        page = await list_page(client, query, cursor)
        yield page
        cursor = page.next_cursor
        if cursor is None:
            return
        if cursor in seen:
            raise ApiError(f"The list loops: the same cursor came twice in {len(seen) + 1} pages.", "Run again later.")
        seen.add(cursor)


async def get_conversation(client: ApiClient, conversation_id: str) -> bytes:
    """Ask for one conversation; return the body as it came, checked to be whole and to be of this conversation.

    Raises:
        UsageError: the id cannot be part of a path.
        ApiError: as ``ApiClient.get``; ``GoneError`` where it is deleted, ``GarbledError`` with the body where it
            cannot be read.
    """
    return await client.get(_path(conversation_id), {}, partial(check_conversation, conversation_id=conversation_id))


async def delete_conversation(client: ApiClient, conversation_id: str) -> bool:
    """Delete one conversation at the API; say whether there was one, as a 404 is as good as a success.

    Raises:
        UsageError: the id cannot be part of a path.
        ApiError: as ``ApiClient.delete``.
    """
    try:
        await client.delete(_path(conversation_id))
    except GoneError:
        return False
    return True


def _path(conversation_id: str) -> str:
    if conversation_id in {"", ".", ".."}:  # a URL's path drops these, and another resource would answer
        raise UsageError(f"{conversation_id!r} is no conversation id.")
    return f"{CONVERSATIONS}/{quote(conversation_id, safe='')}"
