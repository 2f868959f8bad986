"""The rows to land: the masked document or list row, its fingerprint, and the fields that the fetch policy needs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from pipelines.api.responses import ListRow
from pipelines.privacy.mask_documents import mask
from pipelines.privacy.pseudonyms import Pseudonymizer
from pipelines.transform.canonical_json import dump, fingerprint, load
from pipelines.transform.settle_state import FINISHED

MAX_COUNT = 2**31
"""A larger one is not believed, and no column might hold it."""
MAX_AHEAD = timedelta(days=3650)
"""A start further ahead of our clock is not believed: of each period up to the newest day, it would be all there is."""
MAX_DURATION = timedelta(days=30)
"""A longer one is not believed: the conversation would not be read again after its end."""


def hide(document: Any, pseudonyms: Pseudonymizer | None) -> Any:
    """A document as it may land: without credentials and, where ``pseudonyms`` are given, without personal data.

    It is the same object if nothing had to be hidden.
    """
    masked_document = mask(document)
    return masked_document if pseudonyms is None else pseudonyms.pseudonymize(masked_document)


def list_row(row: ListRow, listed_at: datetime, pseudonyms: Pseudonymizer | None = None) -> dict[str, object]:
    """A row of ``LANDED_LISTINGS``; personal data is replaced where ``pseudonyms`` are given."""
    raw = load(row.raw)
    document = hide(raw, pseudonyms)
    payload = row.raw if document is raw else dump(document)
    agent_name = document.get("agent_name")
    start = datetime.fromtimestamp(row.start_time_unix_secs, UTC)
    return {
        "conversation_id": row.conversation_id,
        "start_date": start.date(),
        "start_time_at": start,
        "agent_id": row.agent_id,
        "agent_name": agent_name if isinstance(agent_name, str) else None,
        "status": row.status,
        "message_count": _count(document.get("message_count")),
        "fingerprint": fingerprint(document),
        "listed_at": listed_at,
        "payload": payload,
    }


def _count(value: object) -> int | None:
    """A count of the list, or None for what is none: a row with an odd one lands all the same."""
    return value if type(value) is int and 0 <= value < MAX_COUNT else None


def snapshot_row(
    plan_row: Mapping[str, Any], body: bytes, fetched_at: datetime, pseudonyms: Pseudonymizer | None = None
) -> dict[str, object]:
    """A row of ``LANDED_DOCUMENTS`` for a fetched document.

    The payload is null where the same content is landed already. A document that retention emptied gets a kind of its
    own, as it must not replace the earlier snapshot that still has the content.

    Args:
        plan_row: The row of ``plan_fetches``.
        body: The document as the API returned it.
        fetched_at: When.
        pseudonyms: Replaces personal data, where given.

    Raises:
        Exception: of any kind, as the document may hold anything, such as lists that are nested too deep.
    """
    raw = load(body)
    document = hide(raw, pseudonyms)
    # An unmasked document is landed byte for byte, as the API returned it.
    payload = body if document is raw else dump(document)
    content = fingerprint(document)
    is_unchanged = content == plan_row["content_sha256"]
    texts = n_texts(document)
    is_emptied = is_emptied_upstream(document.get("status"), texts, plan_row.get("shown_texts"))
    metadata = document["metadata"]
    start = datetime.fromtimestamp(math.floor(float(metadata["start_time_unix_secs"])), UTC)
    status, agent_id = document.get("status"), document.get("agent_id")
    return {
        "conversation_id": plan_row["conversation_id"],
        "start_date": start.date(),
        "start_time_at": start,
        "ended_at": _end(start, metadata.get("call_duration_secs")),
        "agent_id": agent_id if isinstance(agent_id, str) else plan_row["agent_id"],
        "status": status if isinstance(status, str) else None,
        "kind": "blanked" if is_emptied else "unchanged" if is_unchanged else "document",
        "list_fingerprint": plan_row["fingerprint"],
        "fetched_at": fetched_at,
        "content_sha256": content,
        "n_texts": texts,
        "payload": None if is_unchanged else payload,
    }


def check_start(row: Mapping[str, Any], now: datetime) -> None:
    """Refuse a row from ``snapshot_row`` that starts in another decade.

    Raises:
        ValidationError: it does. Its text quotes nothing of the document, so it is shown.
    """
    if row["start_time_at"] > now + MAX_AHEAD:
        message = "its start is more than ten years in the future, or our clock behind"
        raise msgspec.ValidationError(message)


def _end(start: datetime, duration: Any) -> datetime:
    """The end of a conversation; its start if the duration is none."""
    try:
        length = timedelta(seconds=float(duration))
    except (TypeError, ValueError, OverflowError):
        return start
    return start + length if timedelta() <= length <= MAX_DURATION else start


def deleted_row(plan_row: Mapping[str, Any], fetched_at: datetime) -> dict[str, object]:
    """A row of ``LANDED_DOCUMENTS`` for a conversation that the API answered with 404."""
    return {
        "conversation_id": plan_row["conversation_id"],
        "start_date": plan_row["start_time_at"].astimezone(UTC).date(),
        "start_time_at": plan_row["start_time_at"],
        "agent_id": plan_row["agent_id"],
        "kind": "gone",
        "list_fingerprint": plan_row["fingerprint"],
        "fetched_at": fetched_at,
        "content_sha256": plan_row["content_sha256"],
        "payload": None,
    }


def n_texts(document: Mapping[str, Any]) -> int:
    """The number of transcript entries with a non-empty message."""
    transcript = document.get("transcript")
    entries = transcript if isinstance(transcript, list) else []
    return sum(1 for entry in entries if isinstance(entry, dict) and entry.get("message"))


def is_emptied_upstream(status: object, texts: int, texts_before: int | None) -> bool:
    """Whether the API's retention removed the content: a finished conversation lost all the text that it had.

    The API documents no field that says so: retention leaves the document with its duration and cost and an empty
    transcript. A conversation that has not finished may have no text yet.
    """
    return status in FINISHED and texts == 0 and (texts_before or 0) > 0
