"""What the client itself reads in answers: the page of a list, the head of a conversation, the body of an error.

Everything else in a document is the business of ``flatten``. The vendor's documents grow and drift, so only ids, status
and start time are required; an optional field that does not fit is ``None``, and unknown keys pass.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

UnixSecs = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
"""Seconds since 1970, up to the end of the year 9999: what a timestamp column can hold."""

MESSAGE_LENGTH = 300


class RowFields(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a list row that decide what to fetch."""

    conversation_id: str
    start_time_unix_secs: UnixSecs
    status: str
    agent_id: str | None = None
    agent_name: str | None = None
    call_duration_secs: int | None = None
    message_count: int | None = None
    call_successful: str | None = None


class ListRow(RowFields, frozen=True, kw_only=True):
    """One row of the list; ``raw`` is the whole row's JSON as it came, for a fingerprint."""

    raw: bytes


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the list; ``next_cursor`` is set exactly when ``has_more`` is true."""

    conversations: list[ListRow]
    next_cursor: str | None
    has_more: bool


class ErrorBody(msgspec.Struct, frozen=True):
    """The vendor's word for an error and its text; both empty where the body is none of the vendor's."""

    code: str | None = None
    message: str = ""


class _PageFields(msgspec.Struct):
    conversations: list[dict[str, Any]]
    next_cursor: str | None = None
    has_more: bool | None = None


class _RawRows(msgspec.Struct):
    conversations: list[msgspec.Raw]


class _MetadataFields(msgspec.Struct):
    start_time_unix_secs: UnixSecs


class _ConversationFields(msgspec.Struct):
    metadata: _MetadataFields
    conversation_id: str | None = None


def parse_page(body: bytes) -> ListPage:
    """Read the body of a list answer.

    Raises:
        ValueError: it is no JSON, or a page or row without what every one must have.
    """
    document = _parse(body)
    page = msgspec.convert(document, _PageFields)
    next_cursor = page.next_cursor or None
    has_more = next_cursor is not None if page.has_more is None else page.has_more
    if has_more and next_cursor is None:
        message = "has_more is true, but there is no next_cursor"  # taken as the end, it would hide conversations
        raise ValueError(message)
    rows = [
        ListRow(**msgspec.structs.asdict(_row_fields(row)), raw=raw)
        for row, raw in zip(page.conversations, _raw_rows(body, page.conversations), strict=True)
    ]
    return ListPage(conversations=rows, next_cursor=next_cursor if has_more else None, has_more=has_more)


def check_conversation(body: bytes, conversation_id: str) -> bytes:
    """Return ``body`` when it is a whole JSON object with a start time, and of the conversation that was asked for.

    Raises:
        ValueError: it is not.
    """
    found = msgspec.convert(_parse(body), _ConversationFields, strict=False)
    if found.conversation_id not in {None, conversation_id}:
        message = "it is another conversation's"
        raise ValueError(message)
    return body


def parse_error(body: bytes) -> ErrorBody:
    """Read an error's body in any of the vendor's forms, never failing: a gateway's HTML gives an empty ``ErrorBody``.

    The forms: ``detail`` as an object with ``code`` (today) or ``status`` (2025), as a list of validation errors, or as
    a text. What was sent (``input``) is left out of the message.
    """
    try:
        document = _parse(body)
    except (ValueError, RecursionError):
        return ErrorBody()
    detail = document.get("detail") if isinstance(document, dict) else None
    if isinstance(detail, dict):
        return ErrorBody(_text(detail.get("code")) or _text(detail.get("status")) or None, _text(detail.get("message")))
    if isinstance(detail, list):
        return ErrorBody(None, _text("; ".join(_complaint(item) for item in detail if isinstance(item, dict))))
    return ErrorBody(None, _text(detail))


def _complaint(item: Mapping[str, Any]) -> str:
    loc = item.get("loc")
    place = ".".join(map(str, loc)) if isinstance(loc, list) else ""
    return f"{place}: {_text(item.get('msg'))}".removeprefix(": ")


def _text(value: object) -> str:
    return " ".join(value.split())[:MESSAGE_LENGTH] if isinstance(value, str) else ""


def _parse(body: bytes) -> Any:
    """Decode all of ``body``: typed decoding would skip what it does not know, unchecked.

    msgspec refuses a lone surrogate, which the standard library keeps.
    """
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return json.loads(body)


def _raw_rows(body: bytes, rows: list[dict[str, Any]]) -> list[bytes]:
    """Cut each row's own bytes out of the page; where msgspec cannot read it, write the row anew."""
    try:
        return [bytes(raw) for raw in msgspec.json.decode(body, type=_RawRows).conversations]
    except msgspec.DecodeError:
        return [json.dumps(row).encode() for row in rows]


def _row_fields(row: dict[str, Any]) -> RowFields:
    try:
        return msgspec.convert(row, RowFields)
    except msgspec.ValidationError:
        return msgspec.convert({**row, **_optional_fields(row)}, RowFields, strict=False)


def _optional_fields(row: dict[str, Any]) -> dict[str, Any]:
    """Convert each optional field by itself (12.0 and "12" become 12), or give it up as ``None``."""
    fields = {}
    for field in msgspec.structs.fields(RowFields):
        if not field.required:
            try:
                fields[field.name] = msgspec.convert(row.get(field.name), field.type, strict=False)
            except msgspec.ValidationError:
                fields[field.name] = None
    return fields
