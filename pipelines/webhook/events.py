"""What to land of an event: a pure function from the body of a webhook to rows of the landing.

A document with words lands like a fetched one. Of every other event about a conversation, only the fact lands, as a row
of ``webhook_events``, because of which the next sync fetches the conversation: so a webhook without the transcript can
never replace a fuller snapshot. A document that cannot be landed is quarantined, with the reason, and fetched as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipelines.api.responses import check_conversation, is_usable_id
from pipelines.extract.landing_rows import check_start, n_texts, snapshot_row
from pipelines.privacy.mask_documents import mask_text
from pipelines.privacy.messages import describe_error
from pipelines.privacy.pseudonyms import Pseudonymizer
from pipelines.transform.canonical_json import dump, load
from pipelines.webhook.body import RefusedError
from warehouse.schema.activity import INITIATION_FAILURE, WEBHOOK_EVENTS
from warehouse.schema.landing import LANDED_DOCUMENTS
from warehouse.schema.operations import QUARANTINE, UNREADABLE
from warehouse.schema.types import Table
from warehouse.storage import parquet

TRANSCRIPT = "post_call_transcription"
MAX_TEXT_LENGTH = 200
MAX_SHOWN_LENGTH = 40
_MAX_SIP_STATUS = 999
_NEVER_LISTED = {"agent_id": None, "fingerprint": None, "content_sha256": None}
"""The columns of a fetch plan that ``snapshot_row`` reads, for a conversation that is in no plan."""


@dataclass(frozen=True, slots=True)
class Landing:
    """Rows to land of one webhook, by table, all of one conversation; none where nothing is to be kept."""

    message: str
    conversation_id: str = ""
    rows: tuple[tuple[Table, Mapping[str, object]], ...] = ()


def read_event(body: bytes | bytearray, now: datetime, pseudonyms: Pseudonymizer | None) -> Landing:
    """What to land of a signed body that was received at ``now``.

    Raises:
        RefusedError: it is not an event that the API could have sent.
    """
    event = _event(body)
    event_type = event.get("type")
    shown_type = ascii(str(event_type)[:MAX_SHOWN_LENGTH])
    # Older bodies have the fields of the conversation beside the type.
    data: dict[str, Any] = event["data"] if isinstance(event.get("data"), dict) else event
    conversation_id = data.get("conversation_id")
    if not is_usable_id(conversation_id):
        if event_type == TRANSCRIPT:
            raise RefusedError(422, "the event has no conversation")
        return Landing(f"ignored: {shown_type} is about no conversation")
    if "audio" in str(event_type):
        return Landing(f"ignored: {shown_type}; `convohouse audio` downloads recordings")
    fact = (WEBHOOK_EVENTS, _event_row(event, data, conversation_id, now, pseudonyms))
    if event_type != TRANSCRIPT:
        return Landing(f"noted {shown_type} of {conversation_id}", conversation_id, (fact,))
    if n_texts(data) == 0:
        return Landing(f"noted {conversation_id}, which has no transcript here", conversation_id, (fact,))
    try:
        row = _snapshot_row(data, conversation_id, _event_time(event, now), pseudonyms)
        check_start(row, now)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with this document, the API is not to send it again
        reason = {"fetched_at": now, "reason": UNREADABLE, "error": f"webhook: {describe_error(error)}"}
        rows = ((QUARANTINE, {"conversation_id": conversation_id} | reason), fact)
        return Landing(f"quarantined {conversation_id}: {describe_error(error)}", conversation_id, rows)
    return Landing(f"landed {conversation_id}", conversation_id, ((LANDED_DOCUMENTS, row),))


def _snapshot_row(
    data: dict[str, Any], conversation_id: str, at: datetime, pseudonyms: Pseudonymizer | None
) -> dict[str, object]:
    raw = dump({key: value for key, value in data.items() if key not in {"type", "event_timestamp"}})
    check_conversation(raw, conversation_id)
    row = snapshot_row({"conversation_id": conversation_id} | _NEVER_LISTED, raw, at, pseudonyms)
    row["is_webhook"] = True
    parquet.frame(LANDED_DOCUMENTS, [row])  # raises where a column cannot hold its value, before others share its file
    return row


def _event(body: bytes | bytearray) -> dict[str, Any]:
    try:
        event = load(body)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise RefusedError(422, "the body is not a JSON object")
    return event


def _event_time(event: Mapping[str, Any], now: datetime) -> datetime:
    """The event's own time; ``now`` if it has none or one in the future."""
    at = event.get("event_timestamp")
    if isinstance(at, int | float) and 1 < at < now.timestamp():
        return datetime.fromtimestamp(at, UTC)
    return now


def _event_row(
    event: Mapping[str, Any],
    data: Mapping[str, Any],
    conversation_id: str,
    now: datetime,
    pseudonyms: Pseudonymizer | None,
) -> dict[str, object]:
    """A row of ``WEBHOOK_EVENTS``: no words, no numbers of people, and nothing that a column cannot hold."""
    metadata = data.get("metadata")
    body = metadata.get("body") if isinstance(metadata, dict) else None
    is_failure = event.get("type") == INITIATION_FAILURE
    sip_status = _sip_status(body) if is_failure and isinstance(body, dict) else None
    reason = data.get("failure_reason") if is_failure else None
    return {
        "conversation_id": conversation_id,
        "event_type": _text(event.get("type"), pseudonyms) or "",
        "event_at": _event_time(event, now),
        "received_at": now,
        "agent_id": _text(data.get("agent_id"), None),
        "failure_reason": _text(reason, pseudonyms),
        "provider": _text(metadata.get("type"), pseudonyms) if is_failure and isinstance(metadata, dict) else None,
        "sip_status": sip_status,
    }


def _sip_status(body: Mapping[str, Any]) -> int | None:
    """The SIP status of a failed attempt: a number of a SIP trunk, a text of Twilio."""
    text = str(body.get("sip_status_code", body.get("SipResponseCode")))
    return int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_SIP_STATUS)) else None


def _text(value: object, pseudonyms: Pseudonymizer | None) -> str | None:
    if not isinstance(value, str):
        return None
    text = mask_text(value.encode(errors="replace").decode())
    if pseudonyms is not None:
        text = str(pseudonyms.pseudonymize({"text": text})["text"])
    return text[:MAX_TEXT_LENGTH]
