"""What the client itself reads in answers: the page of a list, the head of a conversation, the body of an error.

Everything else in a document is the business of ``flatten``. The vendor's documents grow and drift, so only ids, status
and start time are required; an optional field that does not fit is ``None``, and unknown keys pass.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, BinaryIO

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


class ToolsPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the workspace's tools, or all of them: definitions by id as they came; no cursor on the last."""

    tools: dict[str, dict[str, Any]]
    next_cursor: str | None


class ErrorBody(msgspec.Struct, frozen=True):
    """The vendor's word for an error and its text; both empty where the body is none of the vendor's."""

    code: str | None = None
    message: str = ""


class _PageFields(msgspec.Struct):
    conversations: list[dict[str, Any]]
    next_cursor: str | None = None
    has_more: bool | None = None


class _ToolsFields(msgspec.Struct):
    tools: list[dict[str, Any]]
    next_cursor: str | None = None
    has_more: bool | None = None


class _PricesFields(msgspec.Struct):
    llm_prices: list[dict[str, Any]]


class _RawRows(msgspec.Struct):
    conversations: list[msgspec.Raw]


class _MetadataFields(msgspec.Struct):
    start_time_unix_secs: UnixSecs


class _ConversationFields(msgspec.Struct):
    metadata: _MetadataFields
    conversation_id: str | None = None


_CONVERSATION = msgspec.json.Decoder(_ConversationFields, strict=False)
_SAMPLE_STEP = 1000
_LONG_NUMBER = re.compile(rb"\d{4}")
"""Four digits among every thousandth byte: what no number shows that Python can read, at most 4,300 digits long."""


def parse_page(body: bytes) -> ListPage:
    """Read the body of a list answer.

    Raises:
        ValueError: it is no JSON, or a page or row without what every one must have.
    """
    document = _parse(body)
    page = msgspec.convert(document, _PageFields)
    next_cursor = _cursor_of(page)
    rows = [
        ListRow(**msgspec.structs.asdict(_row_fields(row)), raw=raw)
        for row, raw in zip(page.conversations, _raw_rows(body, page.conversations), strict=True)
    ]
    return ListPage(conversations=rows, next_cursor=next_cursor, has_more=next_cursor is not None)


def parse_tools(body: bytes) -> ToolsPage:
    """Read the body of an answer to the list of tools: the reference's form, which has all of them, or today's pages.

    Raises:
        ValueError: it is no JSON, or a tool has no id.
    """
    page = msgspec.convert(_parse(body), _ToolsFields)
    ids = [tool.get("id") for tool in page.tools]
    if not all(isinstance(each, str) and each for each in ids):
        message = "a tool has no id"
        raise ValueError(message)
    return ToolsPage(tools=dict(zip(map(str, ids), page.tools, strict=True)), next_cursor=_cursor_of(page))


def check_prices(body: bytes) -> bytes:
    """Return ``body`` when it is a JSON object with a list of prices, which may be empty.

    Raises:
        ValueError: it is not.
    """
    msgspec.convert(_parse(body), _PricesFields)
    return body


def check_conversation(body: bytes, conversation_id: str) -> bytes:
    """Return ``body`` when it is a whole JSON object with a start time, and of the conversation that was asked for.

    Raises:
        ValueError: it is not.
    """
    found = _conversation_fields(body)
    if found.conversation_id not in {None, conversation_id}:
        message = "it is another conversation's"
        raise ValueError(message)
    return body


def check_mp3(file: BinaryIO) -> None:
    """Look whether a file begins as an MP3 does: with an ID3 tag, or with the sync word of an MPEG layer III frame.

    Raises:
        ValueError: it does not.
    """
    file.seek(0)
    head = file.read(3)
    is_frame = head[:1] == b"\xff" and head[1:2] != b"" and head[1] & 0xE6 == 0xE2  # noqa: PLR2004 - 11 bits set, layer III
    if head != b"ID3" and not is_frame:
        message = "it is no MP3" if head else "it is empty"
        raise ValueError(message)


def has_field(name: str, body: bytes) -> bool:
    """Whether ``body`` is a JSON object with a text under ``name``; never fails, so that no error can hold the body."""
    try:
        document = _parse(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and isinstance(document.get(name), str) and bool(document[name])


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
        return ErrorBody(None, _text("; ".join(_validation_message(item) for item in detail if isinstance(item, dict))))
    return ErrorBody(None, _text(detail))


def _cursor_of(page: _PageFields | _ToolsFields) -> str | None:
    """Cursor of the page after this one.

    Raises:
        ValueError: there is more and no way to it; taken as the end, it would hide rows.
    """
    next_cursor = page.next_cursor or None
    if page.has_more and next_cursor is None:
        message = "has_more is true, but there is no next_cursor"
        raise ValueError(message)
    return None if page.has_more is False else next_cursor


def _validation_message(item: Mapping[str, Any]) -> str:
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


def _conversation_fields(body: bytes) -> _ConversationFields:
    """Read a document's head and skip the rest, a fifth of the work.

    Skipping, msgspec checks all of the syntax but neither that texts are UTF-8 nor that Python can hold a number. What
    does not pass so is read in full, which decides.
    """
    try:
        body.decode()
        if not _LONG_NUMBER.search(body[::_SAMPLE_STEP]):
            return _CONVERSATION.decode(body)
    except ValueError:
        pass
    return msgspec.convert(_parse(body), _ConversationFields, strict=False)


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
