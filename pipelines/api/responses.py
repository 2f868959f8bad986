"""The few fields that the client itself needs: of list pages, conversations and error bodies.

All other fields of a document are decoded in ``pipelines.transform``. The vendor adds and changes fields, so only ids,
status and start time are required; an optional field of another type becomes ``None``, and unknown keys are ignored.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeGuard

import msgspec

from pipelines.privacy.messages import hide_message
from warehouse.schema.operations import ROW_PREFIX
from warehouse.text_formats import without_surrogates

LAST_SEC = 253_402_300_799
UnixSecs = Annotated[int, msgspec.Meta(gt=0, le=LAST_SEC)]
"""Seconds since 1970, up to the end of the year 9999: what a timestamp column can hold. 0 is not a time."""
FractionalUnixSecs = Annotated[float, msgspec.Meta(gt=0, le=LAST_SEC)]
"""The same, as a number that may have a fraction, which is dropped."""

MESSAGE_LENGTH = 300
MAX_ID_LENGTH = 200


class RowFields(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of a list row that the fetch plan needs."""

    conversation_id: str
    start_time_unix_secs: UnixSecs
    status: str
    agent_id: str | None = None
    agent_name: str | None = None


class ListRow(RowFields, frozen=True, kw_only=True):
    """One row of the list; ``raw`` is the row's unchanged JSON, for a fingerprint."""

    raw: bytes


class MalformedRow(msgspec.Struct, frozen=True, kw_only=True):
    """An entry of a list that cannot be used, and why; ``name`` is the id or, without one, a prefix and a hash."""

    name: str
    error: str


class ListPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the list; ``next_cursor`` is None on the last."""

    conversations: list[ListRow]
    next_cursor: str | None
    malformed: list[MalformedRow] = []


class ErrorBody(msgspec.Struct, frozen=True):
    """The vendor's error code and message; both empty where the body is not in one of the vendor's formats."""

    code: str | None = None
    message: str = ""


class _PageFields(msgspec.Struct):
    conversations: list[Any]
    next_cursor: str | None = None
    has_more: bool | None = None


class _PricesFields(msgspec.Struct):
    llm_prices: list[Any]


class _RawRows(msgspec.Struct):
    conversations: list[msgspec.Raw]


class _MetadataFields(msgspec.Struct):
    start_time_unix_secs: FractionalUnixSecs


class _ConversationFields(msgspec.Struct):
    metadata: _MetadataFields
    conversation_id: str | None = None


_CONVERSATION = msgspec.json.Decoder(_ConversationFields, strict=False)
_SAMPLE_STEP = 1000
_LONG_NUMBER = re.compile(rb"\d{4}")
"""Four digits in a row in a sample of every thousandth byte: any number of more than 4,300 digits, which is the most
that Python can parse, shows up like this."""


def parse_page(body: bytes) -> ListPage:
    """Parse a page of the list of conversations.

    A row that lacks a required field, or has one of another type, is among the malformed.

    Raises:
        ValueError: it is not JSON, or not a page.
    """
    document = parse_body(body)
    page = msgspec.convert(document, _PageFields)
    rows: list[ListRow] = []
    malformed: list[MalformedRow] = []
    for row, raw in zip(page.conversations, _raw_rows(body, page.conversations), strict=True):
        try:
            rows.append(ListRow(**msgspec.structs.asdict(_row_fields(row)), raw=raw))
        except ValueError as error:
            reason = f"the list row cannot be read: {hide_message(str(error))}"
            malformed.append(MalformedRow(name=_row_name(row, raw), error=reason))
    return ListPage(
        conversations=rows, next_cursor=cursor_of_next(page.next_cursor, has_more=page.has_more), malformed=malformed
    )


def is_usable_id(conversation_id: object) -> TypeGuard[str]:
    """Whether it can be stored, and be part of the path of a request."""
    return (
        isinstance(conversation_id, str)
        and conversation_id not in {"", ".", ".."}
        and len(conversation_id) <= MAX_ID_LENGTH
        and conversation_id.isprintable()
        and "\N{REPLACEMENT CHARACTER}" not in conversation_id  # in place of a lone surrogate
    )


def check_prices(body: bytes) -> bytes:
    """Return ``body`` if it is a JSON object with a list of prices, which may be empty.

    Raises:
        ValueError: it is not.
    """
    msgspec.convert(parse_body(body), _PricesFields)
    return body


def check_conversation(body: bytes, conversation_id: str) -> bytes:
    """Return ``body`` if it is a complete JSON object with a start time, and has this id or none.

    Raises:
        ValueError: it is not.
    """
    fields = _conversation_fields(body)
    if fields.conversation_id not in {None, conversation_id}:
        message = "it is another conversation"
        raise ValueError(message)
    return body


def has_field(name: str, body: bytes) -> bool:
    """Whether ``body`` is a JSON object with a non-empty string under ``name``.

    It never raises: an error could hold a part of the body, which is a secret.
    """
    try:
        document = parse_body(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and isinstance(document.get(name), str) and bool(document[name])


def parse_error(body: bytes) -> ErrorBody:
    """Parse an error's body in any of the vendor's formats; anything else, as a gateway's HTML, gives an empty result.

    The formats: ``detail`` as an object with ``code`` (2026) or ``status`` (2025), as a list of validation errors, or
    as a string. The ``input`` of a validation error repeats what was sent, so it is left out of the message.
    """
    try:
        document = parse_body(body)
    except (ValueError, RecursionError):
        return ErrorBody()
    detail = document.get("detail") if isinstance(document, dict) else None
    if isinstance(detail, dict):
        return ErrorBody(_text(detail.get("code")) or _text(detail.get("status")) or None, _text(detail.get("message")))
    if isinstance(detail, list):
        return ErrorBody(None, _text("; ".join(_validation_message(item) for item in detail if isinstance(item, dict))))
    return ErrorBody(None, _text(detail))


def cursor_of_next(cursor: str | None, *, has_more: bool | None) -> str | None:
    """Cursor of the next page, as a page gives it; None on the last.

    Raises:
        ValueError: there are more rows and no cursor; taken as the last page, it would hide them.
    """
    if has_more and not cursor:
        message = "has_more is true, but there is no cursor of the next page"
        raise ValueError(message)
    return None if has_more is False else cursor or None


def _validation_message(item: Mapping[str, Any]) -> str:
    loc = item.get("loc")
    place = ".".join(map(str, loc)) if isinstance(loc, list) else ""
    return f"{place}: {_text(item.get('msg'))}".removeprefix(": ")


def _text(value: object) -> str:
    """A text of the vendor on one line: it may repeat what was sent, so it is masked before it is cut."""
    return hide_message(" ".join(value.split()))[:MESSAGE_LENGTH] if isinstance(value, str) else ""


def parse_body(body: bytes) -> Any:
    """Decode all of ``body``: typed decoding skips unknown keys without checking their values.

    A lone surrogate, which no column can hold and msgspec rejects, becomes U+FFFD, as in a conversation.
    """
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return json.loads(without_surrogates(json.dumps(json.loads(body), ensure_ascii=False)))


def _conversation_fields(body: bytes) -> _ConversationFields:
    """Decode only the required fields, which takes a fifth of the time of decoding the document.

    For what it skips, msgspec checks the syntax, but neither that strings are UTF-8 nor that Python can parse a number.
    Those two are checked here; a document that fails is decoded in full, and that decides.
    """
    try:
        body.decode()
        if not _LONG_NUMBER.search(body[::_SAMPLE_STEP]):
            return _CONVERSATION.decode(body)
    except ValueError:
        pass
    return msgspec.convert(parse_body(body), _ConversationFields, strict=False)


def _raw_rows(body: bytes, rows: list[dict[str, Any]]) -> list[bytes]:
    """The bytes of each row, cut out of the page; where msgspec cannot decode it, the row is serialized again."""
    try:
        return [bytes(raw) for raw in msgspec.json.decode(body, type=_RawRows).conversations]
    except msgspec.DecodeError:
        return [json.dumps(row).encode() for row in rows]


def _row_name(row: Any, raw: bytes) -> str:
    conversation_id = row.get("conversation_id") if isinstance(row, dict) else None
    return conversation_id if is_usable_id(conversation_id) else hashed_name(ROW_PREFIX, raw)


def hashed_name(prefix: str, raw: bytes) -> str:
    """The name of an entry without an id: a prefix, and a hash of its JSON."""
    return f"{prefix}{hashlib.sha256(raw).hexdigest()[:12]}"


def _row_fields(row: Any) -> RowFields:
    """The fields of a list row.

    Raises:
        ValueError: a required one is missing, or has another type.
    """
    if isinstance(row, dict) and not is_usable_id(row.get("conversation_id")):
        message = "its conversation_id is not an id"
        raise ValueError(message)
    try:
        return msgspec.convert(row, RowFields)
    except msgspec.ValidationError:
        if not isinstance(row, dict):
            raise
        start = {"start_time_unix_secs": _whole_secs(row.get("start_time_unix_secs"))}
        return msgspec.convert({**row, **start, **_optional_fields(row)}, RowFields, strict=False)


def _whole_secs(value: Any) -> Any:
    """A time rounded down to seconds where it is a number; anything else unchanged, for the decoder to reject."""
    return math.floor(value) if isinstance(value, float) and math.isfinite(value) else value


def _optional_fields(row: dict[str, Any]) -> dict[str, Any]:
    """Convert each optional field on its own; a value of another type becomes ``None`` and costs no other field."""
    fields = {}
    for field in msgspec.structs.fields(RowFields):
        if not field.required:
            try:
                fields[field.name] = msgspec.convert(row.get(field.name), field.type, strict=False)
            except msgspec.ValidationError:
                fields[field.name] = None
    return fields
