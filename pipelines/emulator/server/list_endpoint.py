"""The conversation list: its nine query parameters, its filters and its cursor.

A cursor names the last row of its page, nothing else: rows that arrive above it change no page below.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from pipelines.emulator.generator.blueprint import Blueprint
from pipelines.emulator.generator.transcript import Json
from pipelines.emulator.generator.world import Place, World
from pipelines.emulator.server.error_responses import validation_error

_PAGE_SIZE = (1, 100, 30)


@dataclass(frozen=True, slots=True)
class Query:
    """A list request; ``start_after`` is inclusive, ``start_before`` exclusive (clients must not depend on it)."""

    cursor: str | None
    agent_id: str | None
    call_successful: str | None
    start_before: int | None
    start_after: int | None
    user_id: str | None
    page_size: int
    with_summary: bool
    search: str | None


def read_query(parameters: Mapping[str, str]) -> Query:
    """Read the query string; unknown parameters are ignored.

    Raises:
        ErrorResponse: 422, a parameter is not of its type or out of its range.
    """
    return Query(
        cursor=parameters.get("cursor") or None,
        agent_id=parameters.get("agent_id") or None,
        call_successful=_one_of(parameters, "call_successful", ("success", "failure", "unknown")),
        start_before=_integer(parameters, "call_start_before_unix"),
        start_after=_integer(parameters, "call_start_after_unix"),
        user_id=parameters.get("user_id") or None,
        page_size=read_page_size(parameters),
        with_summary=_one_of(parameters, "summary_mode", ("exclude", "include")) == "include",
        search=parameters.get("search") or None,
    )


def read_page_size(parameters: Mapping[str, str]) -> int:
    """Read ``page_size``: 1 to 100, 30 where it is not given.

    Raises:
        ErrorResponse: 422.
    """
    least, most, usual = _PAGE_SIZE
    size = _integer(parameters, "page_size")
    if size is None:
        return usual
    if size < least:
        raise validation_error(
            "query", "page_size", "greater_than_equal", f"Input should be at least {least}", str(size)
        )
    if size > most:
        raise validation_error("query", "page_size", "less_than_equal", f"Input should be at most {most}", str(size))
    return size


def page(world: World, query: Query, now: datetime, after: Place | None) -> Json:
    """A page of the list below ``after``."""
    matches = list(islice(_matching(world, query, now, after), query.page_size + 1))
    rows = [row if query.with_summary else row | {"transcript_summary": None} for _, row in matches[: query.page_size]]
    has_more = len(matches) > query.page_size
    cursor = write_cursor(rows[-1]["conversation_id"], query.user_id) if has_more else None
    return {"conversations": rows, "next_cursor": cursor, "has_more": has_more}


def write_cursor(conversation_id: str, user_id: str | None) -> str:
    """The cursor that continues below a conversation: base64 of JSON, like the real one."""
    anchor = {
        "last_conversation_id": conversation_id,
        "offset": None,
        "order_by": "start_time_unix_secs",
        "order_direction": "desc",
        "user_id": user_id,
    }
    return base64.b64encode(json.dumps(anchor, separators=(",", ":")).encode()).decode()


def read_cursor(cursor: str) -> str | None:
    """The conversation id that a cursor names, None where it is garbage."""
    try:
        anchor = json.loads(base64.b64decode(cursor, validate=True))
    except (binascii.Error, ValueError):
        return None
    conversation_id = anchor.get("last_conversation_id") if isinstance(anchor, dict) else None
    return conversation_id if isinstance(conversation_id, str) else None


def _matching(world: World, query: Query, now: datetime, after: Place | None) -> Iterator[tuple[Blueprint, Json]]:
    if query.start_before is not None:
        bound = (query.start_before, "")
        after = bound if after is None else min(after, bound)
    for blueprint, row in world.rows(now, after=after, agent_id=query.agent_id):
        if query.start_after is not None and blueprint.start < query.start_after:
            return
        if query.user_id not in (None, blueprint.user_id):
            continue
        if query.call_successful not in (None, row["call_successful"]):
            continue
        if query.search and not _mentions(world, blueprint, row, query.search.lower(), now):
            continue
        yield blueprint, row


def _mentions(world: World, blueprint: Blueprint, row: Json, words: str, now: datetime) -> bool:
    if words in f"{row['call_summary_title']} {row['transcript_summary']}".lower():
        return True
    document = world.detail(blueprint.conversation_id, now) or {"transcript": []}
    return any(words in (entry["message"] or "").lower() for entry in document["transcript"])


def _integer(parameters: Mapping[str, str], name: str) -> int | None:
    text = parameters.get(name)
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise validation_error("query", name, "int_parsing", "Input should be a valid integer", text) from None


def _one_of(parameters: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str | None:
    text = parameters.get(name)
    if not text:
        return None
    if text not in allowed:
        raise validation_error("query", name, "enum", f"Input should be one of {', '.join(allowed)}", text)
    return text
