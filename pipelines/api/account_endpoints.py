"""The API's endpoints for what belongs to the workspace: tools, agents' configurations, batches, tags, the bill.

Source: the vendor's SDK 2.78.0; of them, the API reference of November 2025 has only the tools, without pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from functools import partial
from typing import Any, Literal, NamedTuple

import msgspec

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import path_segment
from pipelines.api.error_mapping import CHECK_HOST
from pipelines.api.responses import cursor_of_next, hashed_name, is_usable_id, parse_body
from pipelines.errors import ApiError, NotFoundError
from warehouse.schema.operations import AGENT_PREFIX, BATCH_PREFIX, BRANCH_PREFIX, TAG_PREFIX, TOOL_PREFIX

AGENTS = "/v1/convai/agents"
BATCHES = "/v1/convai/batch-calling"
TAGS = "/v1/convai/tags"
TOOLS = "/v1/convai/tools"
Basis = Literal["cost", "credits"]
Document = dict[str, Any]

BILLS: Mapping[Basis, str] = {
    "cost": "/v1/workspace/analytics/usage",
    "credits": "/v1/workspace/analytics/query/usage-by-product-over-time",
}
"""Where the bill of a workspace is that is billed by cost, and of one that is billed in credits."""
PAGE_SIZE = 100
"""The API's maximum page size."""
MAX_BRANCHES = 100
DAY_SECS = 86_400


class ItemList(NamedTuple):
    """The entries of a list by id, in the order of the API, and why others cannot be used, by a name made of a hash."""

    entries: dict[str, Document]
    errors: dict[str, str]


async def list_tools(client: ApiClient) -> ItemList:
    """All tools of the workspace.

    Raises:
        ApiError: as ``_list_all``.
    """
    rows = await _list_all(client, TOOLS, {"page_size": PAGE_SIZE}, key="tools")
    return _by_id(rows, "id", TOOL_PREFIX)


async def list_agents(client: ApiClient) -> ItemList:
    """All agents of the workspace.

    Raises:
        ApiError: as ``_list_all``.
    """
    rows = await _list_all(client, AGENTS, {"page_size": PAGE_SIZE}, key="agents")
    return _by_id(rows, "agent_id", AGENT_PREFIX)


async def list_batches(client: ApiClient) -> ItemList:
    """All batches of calls of the workspace, without their recipients.

    Raises:
        ApiError: as ``_list_all``.
    """
    rows = await _list_all(
        client,
        f"{BATCHES}/workspace",
        {"limit": PAGE_SIZE},
        key="batch_calls",
        next_key="next_doc",
        cursor_key="last_doc",
    )
    return _by_id(rows, "id", BATCH_PREFIX)


async def list_tags(client: ApiClient) -> ItemList:
    """All tags of conversations of the workspace, with their titles.

    Raises:
        ApiError: as ``_list_all``.
    """
    rows = await _list_all(client, TAGS, {"page_size": PAGE_SIZE}, key="conversation_tags")
    return _by_id(rows, "tag_id", TAG_PREFIX)


async def get_agent(client: ApiClient, agent_id: str, version_id: str | None = None) -> Document:
    """The configuration of an agent: as it is, or of one of its versions.

    Raises:
        ApiError: as ``ApiClient.get``; ``NotFoundError`` where there is no such agent or version.
    """
    params: dict[str, str | int] = {} if version_id is None else {"version_id": version_id}
    return await client.get(_agent_path(agent_id), params, _parse_object)


async def get_agent_version(client: ApiClient, agent_id: str, version_id: str) -> Document:
    """What the API says about a version of an agent: branch, author, time, parents.

    Raises:
        ApiError: as ``get_agent``.
    """
    path = f"{_agent_path(agent_id)}/versions/{path_segment(version_id, 'version')}"
    return await client.get(path, {}, _parse_object)


async def list_branches(client: ApiClient, agent_id: str) -> ItemList:
    """The branches of an agent, archived ones too.

    Raises:
        ApiError: as ``get_agent``.
    """
    params: dict[str, str | int] = {"include_archived": "true", "limit": MAX_BRANCHES}
    rows = await client.get(f"{_agent_path(agent_id)}/branches", params, _parse_branches)
    return _by_id(rows, "id", BRANCH_PREFIX)


async def get_batch(client: ApiClient, batch_id: str) -> Document:
    """A batch of calls with its recipients.

    Raises:
        ApiError: as ``ApiClient.get``; ``MalformedResponseError`` where the recipients are not a list.
    """
    return await client.get(f"{BATCHES}/{path_segment(batch_id, 'batch')}", {}, _parse_batch)


async def get_bill(client: ApiClient, basis: Basis, since: date, until: date) -> Document:
    """What the workspace used from a UTC day up to another, which is exclusive, by day and product.

    Raises:
        ApiError: as ``ApiClient.post``, also for a 404; the workspace may be billed on the other basis.
    """
    columns = ["product_type", "fiat_currency"] if basis == "cost" else ["product_type"]
    body: dict[str, object] = {
        "start_time": _unix_ms(since),
        "end_time": _unix_ms(until) - 1,  # no public source says whether the end is inclusive
        "interval_seconds": DAY_SECS,
        "group_by": columns,
    }
    try:
        return await client.post(BILLS[basis], body, _parse_bill)
    except NotFoundError as error:
        raise ApiError(error.message, CHECK_HOST, status=error.status, code=error.code) from None


async def _list_all(
    client: ApiClient,
    path: str,
    params: Mapping[str, str | int],
    *,
    key: str,
    next_key: str = "next_cursor",
    cursor_key: str = "cursor",
) -> list[Any]:
    """The rows of all pages; ``key`` holds those of a page, ``next_key`` the cursor that is sent as ``cursor_key``.

    Raises:
        ApiError: as ``ApiClient.get``; also for a 404, as this host has no such endpoint, and when a cursor repeats:
            the list would never end.
    """
    parse = partial(_parse_list, key=key, next_key=next_key)
    rows: list[Any] = []
    cursors: list[str] = []
    while True:
        cursor = {cursor_key: cursors[-1]} if cursors else {}
        try:
            page_rows, next_cursor = await client.get(path, {**params, **cursor}, parse)
        except NotFoundError as error:
            raise ApiError(error.message, CHECK_HOST, status=error.status, code=error.code) from None
        rows += page_rows
        if next_cursor is None:
            return rows
        if next_cursor in cursors:
            raise ApiError(f"GET {path} does not end: the same cursor came twice.", "Run again later.")
        cursors.append(next_cursor)


def _parse_object(body: bytes) -> Document:
    return msgspec.convert(parse_body(body), Document)


def _parse_list(body: bytes, key: str, next_key: str) -> tuple[list[Any], str | None]:
    """The rows of a page, and the cursor of the next one."""
    page = _parse_object(body)
    rows = msgspec.convert(page.get(key), list[Any])
    cursor = msgspec.convert(page.get(next_key), str | None)
    return rows, cursor_of_next(cursor, has_more=msgspec.convert(page.get("has_more"), bool | None))


def _by_id(rows: Iterable[Any], id_key: str, prefix: str) -> ItemList:
    """The rows by id, the last of each; one without an id that can be used costs no other."""
    listing = ItemList({}, {})
    for row in rows:
        if isinstance(row, dict) and is_usable_id(row_id := row.get(id_key)):
            listing.entries[row_id] = row
        else:
            listing.errors[hashed_name(prefix, json.dumps(row).encode())] = f"an entry of the list has no {id_key}"
    return listing


def _parse_branches(body: bytes) -> list[Any]:
    return msgspec.convert(_parse_object(body).get("results"), list[Any])


def _parse_batch(body: bytes) -> Document:
    batch = _parse_object(body)
    return {**batch, "recipients": msgspec.convert(batch.get("recipients"), list[Any])}


def _parse_bill(body: bytes) -> Document:
    """A table: names of columns, rows as long as they are."""
    bill = _parse_object(body)
    n_columns = len(msgspec.convert(bill.get("columns"), list[str]))
    if any(len(row) != n_columns for row in msgspec.convert(bill.get("rows"), list[list[Any]])):
        message = "a row of the bill has not as many values as there are columns"
        raise ValueError(message)
    return bill


def _agent_path(agent_id: str) -> str:
    return f"{AGENTS}/{path_segment(agent_id, 'agent')}"


def _unix_ms(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp()) * 1000
