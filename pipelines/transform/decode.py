"""A landed document becomes a struct: the fast road first, the lenient one where the fast one refuses.

Both forms of a document end in one struct: webhook bodies are unwrapped, and turn metrics of before spring 2025, which
stood directly under ``conversation_turn_metrics``, are put under ``metrics``.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec

from pipelines.transform.document_schema import DETAIL, Object
from pipelines.transform.lenient_decode import CONVERTERS, UNCONVERTIBLE, convert, parse_json
from warehouse.schema.types import Type

_FAST = msgspec.json.Decoder(DETAIL.struct)


class UnflattenableError(ValueError):
    """The document is no JSON object with ids and a start time; it goes into quarantine with this text."""


def read_detail(payload: bytes) -> Any:
    """The struct of a conversation detail; its attributes are the keys of the schema's paths.

    Raises:
        UnflattenableError: see the class.
    """
    detail: Any
    try:
        detail = _FAST.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        detail = _lenient(payload)
    if not isinstance(detail.conversation_id, str) or not detail.conversation_id or not detail.agent_id:
        raise UnflattenableError("the document has no conversation_id or no agent_id")
    if detail.metadata is None or started_at(detail) is None:
        raise UnflattenableError("the document has no metadata.start_time_unix_secs")
    return detail


def read_nested(shape: Object, value: Any, path: str, extra: dict[str, Any]) -> Any:
    """The struct of an object that was left plain because its kind nests in itself; None where it is no object.

    What is no object goes into ``extra`` by its ``path``.
    """
    try:
        return msgspec.convert(value, shape.struct)
    except msgspec.ValidationError:
        return convert(shape, value, path, extra)


def started_at(detail: Any) -> datetime | None:
    """Start of the call, UTC."""
    seconds = CONVERTERS[Type.TIME](detail.metadata.start_time_unix_secs)
    return None if seconds is UNCONVERTIBLE else datetime.fromtimestamp(seconds, UTC)


def start_date(detail: Any) -> date:
    """UTC day of the call's start."""
    at = started_at(detail)
    if at is None:
        raise UnflattenableError("the document has no metadata.start_time_unix_secs")
    return at.date()


def _lenient(payload: bytes) -> Any:
    try:
        return convert(DETAIL, to_builtins(payload))
    except RecursionError:
        raise UnflattenableError("the document is nested too deep") from None


def to_builtins(payload: bytes) -> dict[str, Any]:
    """The document as Python objects, in the one form that the schema's paths speak of.

    Raises:
        UnflattenableError: it is no JSON object.
    """
    try:
        document = parse_json(payload)
    except RecursionError:
        raise UnflattenableError("the document is nested too deep") from None
    except ValueError as error:
        raise UnflattenableError(f"the document is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise UnflattenableError("the document is no JSON object")
    return _with_metrics_level(_unwrap(document))


def _unwrap(document: dict[str, Any]) -> dict[str, Any]:
    data = document.get("data")
    return data if isinstance(data, dict) and "conversation_id" not in document else document


def _with_metrics_level(document: dict[str, Any]) -> dict[str, Any]:
    entries = document.get("transcript")
    for entry in entries if isinstance(entries, list) else []:
        metrics = entry.get("conversation_turn_metrics") if isinstance(entry, dict) else None
        if isinstance(metrics, dict) and "metrics" not in metrics:
            old = {key for key, record in metrics.items() if isinstance(record, dict) and "elapsed_time" in record}
            if old:
                rest = {key: value for key, value in metrics.items() if key not in old}
                entry["conversation_turn_metrics"] = rest | {
                    "metrics": {key: metrics[key] for key in metrics if key in old}
                }
    return document
