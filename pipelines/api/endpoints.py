"""The API's endpoints for conversations, agents' access and prices, one function each."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import BinaryIO
from urllib.parse import quote

from pipelines.api.client import ApiClient
from pipelines.api.error_mapping import CHECK_HOST
from pipelines.api.mp3 import check_mp3
from pipelines.api.responses import (
    ListPage,
    check_conversation,
    check_prices,
    has_field,
    parse_page,
)
from pipelines.errors import ApiError, NotFoundError, UsageError

CONVERSATIONS = "/v1/convai/conversations"
CONVERSATION = "/v1/convai/conversation"
AGENT = "/v1/convai/agent"
MAX_PAGES_WITHOUT_NEWS = 50
"""Pages in a row without a new conversation after which a list is taken to be endless."""


@dataclass(frozen=True, kw_only=True)
class ListQuery:
    """Query parameters of the list of conversations, except the cursor; ``None`` leaves one out.

    No public source says whether the two bounds on the start time (Unix seconds) are inclusive: let windows overlap by
    a second.
    """

    page_size: int = 100
    call_start_after_unix: int | None = None
    call_start_before_unix: int | None = None
    agent_id: str | None = None
    search: str | None = None

    def params(self, cursor: str | None) -> dict[str, str | int]:
        """The query string; a cursor does not include the filters, so they are sent with every page."""
        return {name: value for name, value in {**asdict(self), "cursor": cursor}.items() if value is not None}


async def list_page(client: ApiClient, query: ListQuery, cursor: str | None) -> ListPage:
    """Get one page, newest conversations first; ``cursor`` is the previous page's ``next_cursor``.

    Raises:
        ApiError: as ``ApiClient.get``; a 404 means that this host has no such endpoint.
    """
    try:
        return await client.get(CONVERSATIONS, query.params(cursor), parse_page)
    except NotFoundError as error:
        message, status, code = error.message, error.status, error.code
    raise ApiError(message, CHECK_HOST, status=status, code=code)


async def iterate_list(client: ApiClient, query: ListQuery, cursor: str | None = None) -> AsyncIterator[ListPage]:
    """Yield the pages of ``query`` until the last, from the first or from that of a ``cursor``.

    Conversations that start meanwhile can make rows repeat.

    Raises:
        ApiError: as ``list_page``, and when a cursor repeats or many pages have nothing new: the list would never end.
    """
    cursors = set() if cursor is None else {cursor}
    ids: set[str] = set()
    n_without_news = 0
    while True:
        page = await list_page(client, query, cursor)
        n_known = len(ids)
        ids.update(row.conversation_id for row in page.conversations)
        n_without_news = 0 if len(ids) > n_known else n_without_news + 1
        if n_without_news == MAX_PAGES_WITHOUT_NEWS:
            message = f"The list does not end: {n_without_news} pages in a row have nothing new."
            raise ApiError(message, "Run again later.")
        yield page
        cursor = page.next_cursor
        if cursor is None:
            return
        if cursor in cursors:
            message = f"The list loops: the same cursor came twice in {len(cursors) + 1} pages."
            raise ApiError(message, "Run again later.")
        cursors.add(cursor)


async def get_conversation(client: ApiClient, conversation_id: str, *, max_secs: float | None = None) -> bytes:
    """Get one conversation; return the unchanged body, checked to be complete JSON and to have this id.

    ``max_secs`` limits the time of all attempts, where it is less than that of the client.

    Raises:
        UsageError: the id cannot be part of a path.
        ApiError: as ``ApiClient.get``; ``NotFoundError`` where it is deleted, ``MalformedResponseError`` where the body
            fails the check.
    """
    check = partial(check_conversation, conversation_id=conversation_id)
    return await client.get(_conversation_path(conversation_id), {}, check, max_secs=max_secs)


async def delete_conversation(client: ApiClient, conversation_id: str) -> bool:
    """Delete one conversation at the API; return False where there was none (404), which is not an error.

    Raises:
        UsageError: the id cannot be part of a path.
        ApiError: as ``ApiClient.delete``.
    """
    try:
        await client.delete(_conversation_path(conversation_id))
    except NotFoundError:
        return False
    return True


async def get_audio(client: ApiClient, conversation_id: str, into: BinaryIO, *, max_bytes: float = math.inf) -> None:
    """Stream the recording of a conversation into a file, checked to start like an MP3.

    Raises:
        TooLargeError: it has more than ``max_bytes``.
        UsageError: the id cannot be part of a path.
        ApiError: as ``ApiClient.download``; for a conversation without a recording, the API answers 404 or 422.
    """
    await client.download(f"{_conversation_path(conversation_id)}/audio", into, check_mp3, max_bytes=max_bytes)


async def send_feedback(client: ApiClient, conversation_id: str, score: str | None) -> None:
    """Set the feedback on a conversation to ``like`` or ``dislike``, or clear it (None); idempotent.

    Raises:
        UsageError: the id cannot be part of a path.
        ApiError: as ``ApiClient.post``; the key needs the scope convai_write.
    """
    await client.post(f"{_conversation_path(conversation_id)}/feedback", {"feedback": score}, lambda _body: None)


async def has_signed_url(client: ApiClient, agent_id: str) -> bool:
    """Request a signed URL for an agent; return only whether one came, as the URL is a secret.

    Raises:
        ApiError: as ``ApiClient.get``; the key needs the scope convai_write.
    """
    return await client.get(f"{CONVERSATION}/get-signed-url", {"agent_id": agent_id}, partial(has_field, "signed_url"))


async def has_token(client: ApiClient, agent_id: str) -> bool:
    """Request a conversation token for an agent; return only whether one came, as the token is a secret.

    Raises:
        ApiError: as ``ApiClient.get``; the key needs the scope convai_write.
    """
    return await client.get(f"{CONVERSATION}/token", {"agent_id": agent_id}, partial(has_field, "token"))


async def calculate_llm_usage(
    client: ApiClient,
    agent_id: str,
    *,
    prompt_length: int | None = None,
    number_of_pages: int | None = None,
    rag_enabled: bool | None = None,
) -> bytes:
    """Get the price of a minute of an agent with each language model; return the body, checked to list prices.

    Args:
        client: The API.
        agent_id: The agent.
        prompt_length: Characters of the prompt; None leaves it to the API, as for the next two.
        number_of_pages: Pages of documents in the prompt or the knowledge base.
        rag_enabled: Whether chunks are retrieved, instead of entire documents in the prompt.

    Raises:
        UsageError: the id cannot be part of a path.
        ApiError: as ``ApiClient.post``; ``NotFoundError`` where there is no such agent.
    """
    parameters = {"prompt_length": prompt_length, "number_of_pages": number_of_pages, "rag_enabled": rag_enabled}
    body = {name: value for name, value in parameters.items() if value is not None}
    return await client.post(f"{AGENT}/{path_segment(agent_id, 'agent')}/llm-usage/calculate", body, check_prices)


def _conversation_path(conversation_id: str) -> str:
    return f"{CONVERSATIONS}/{path_segment(conversation_id, 'conversation')}"


def path_segment(identifier: str, kind: str) -> str:
    """An id, percent-encoded as a segment of a path.

    Raises:
        UsageError: URL normalization would drop the segment, and another resource would answer.
    """
    if identifier in {"", ".", ".."}:
        raise UsageError(f"{identifier!r} is not a valid {kind} id.")
    return quote(identifier, safe="")
