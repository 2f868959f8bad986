"""What is landed of an answer: the document, masked, its fingerprint and the few facts that the sync decides by."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.api.responses import ListRow
from pipelines.privacy.mask_conversations import mask_credentials
from pipelines.privacy.pseudonyms import Pseudonymizer
from pipelines.transform.canonical_json import dump, fingerprint, load
from pipelines.transform.settle_state import FINISHED


def list_row(row: ListRow, listed_at: datetime, pseudonyms: Pseudonymizer | None = None) -> dict[str, object]:
    """A list row for ``landing.land_listing``, without its people where there are pseudonyms for them."""
    shown, raw = load(row.raw), row.raw
    if pseudonyms is not None:
        shown = pseudonyms.replace_in_text(shown)
        raw = dump(shown)
    start = datetime.fromtimestamp(row.start_time_unix_secs, UTC)
    return {
        "conversation_id": row.conversation_id,
        "start_date": start.date(),
        "start_time_at": start,
        "agent_id": row.agent_id,
        "agent_name": row.agent_name,
        "status": row.status,
        "fingerprint": fingerprint(shown),
        "listed_at": listed_at,
        "payload": raw,
    }


def snapshot_row(
    wanted: Mapping[str, Any], raw: bytes, fetched_at: datetime, pseudonyms: Pseudonymizer | None = None
) -> dict[str, object]:
    """A reading for ``landing.land_documents``: the document, or only a mark where its content is landed already.

    A document that retention blanked is told apart, as it must not take the place of the fuller copy.
    """
    document = load(raw)
    is_masked = mask_credentials(document)
    if pseudonyms is not None:
        document, is_masked = pseudonyms.replace_in_text(document), True
    if is_masked:
        raw = dump(document)
    content = fingerprint(document)
    is_known = content == wanted["content_sha256"]
    texts = n_texts(document)
    is_without_content = is_emptied_upstream(document.get("status"), texts, wanted.get("shown_texts"))
    metadata = document["metadata"]
    start = datetime.fromtimestamp(float(metadata["start_time_unix_secs"]), UTC)
    duration = metadata.get("call_duration_secs")
    status, agent_id = document.get("status"), document.get("agent_id")
    return {
        "conversation_id": wanted["conversation_id"],
        "start_date": start.date(),
        "start_time_at": start,
        "ended_at": start + timedelta(seconds=float(duration) if isinstance(duration, int | float) else 0),
        "agent_id": agent_id if isinstance(agent_id, str) else wanted["agent_id"],
        "status": status if isinstance(status, str) else None,
        "kind": "blanked" if is_without_content else "unchanged" if is_known else "document",
        "list_fingerprint": wanted["fingerprint"],
        "fetched_at": fetched_at,
        "content_sha256": content,
        "n_texts": texts,
        "payload": None if is_known else raw,
    }


def deleted_row(wanted: Mapping[str, Any], fetched_at: datetime) -> dict[str, object]:
    """A reading that met a 404."""
    return {
        "conversation_id": wanted["conversation_id"],
        "start_date": wanted["start_time_at"].astimezone(UTC).date(),
        "start_time_at": wanted["start_time_at"],
        "agent_id": wanted["agent_id"],
        "kind": "gone",
        "list_fingerprint": wanted["fingerprint"],
        "fetched_at": fetched_at,
        "content_sha256": wanted["content_sha256"],
        "payload": None,
    }


def n_texts(document: Mapping[str, Any]) -> int:
    """Transcript entries that hold text."""
    transcript = document.get("transcript")
    entries = transcript if isinstance(transcript, list) else []
    return sum(1 for entry in entries if isinstance(entry, dict) and entry.get("message"))


def is_emptied_upstream(status: object, texts: int, texts_before: int | None) -> bool:
    """Whether retention took the content: a finished call without any text that had some.

    The API has no sure sign for it: retention leaves the row with its length and cost and an empty transcript, and no
    field that tells of it is promised. A call that goes on has no text yet.
    """
    return status in FINISHED and texts == 0 and (texts_before or 0) > 0
