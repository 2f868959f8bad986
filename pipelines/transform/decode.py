"""A landed document becomes a struct: the fast decoder first, the lenient one where the fast one rejects it.

Both give the same struct for every form of a document. What only the list twins of the analysis have is added to its
maps (``list_twins``). The body of a webhook is unwrapped. Turn metrics from before spring 2025, which were directly
below ``conversation_turn_metrics``, are moved below ``metrics``. An error that is a text is read as its reason.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import msgspec

from pipelines.transform.document_schema import DETAIL, Object
from pipelines.transform.lenient_decode import CONVERTERS, UNCONVERTIBLE, add_extra, convert, parse_json
from pipelines.transform.list_twins import read_list_twins
from warehouse.schema.types import Type

_FAST_DECODER = msgspec.json.Decoder(DETAIL.struct)


class UnflattenableError(ValueError):
    """The document is not a JSON object with ids and a start time; its text is the ``error`` of the quarantine."""


def read_detail(payload: bytes) -> Any:
    """The struct of a conversation detail; its attributes are the keys of the schema's paths.

    Raises:
        UnflattenableError: see the class.
    """
    detail: Any
    try:
        detail = _FAST_DECODER.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        detail = _decode_leniently(payload)
    if not isinstance(detail.conversation_id, str) or not detail.conversation_id or not detail.agent_id:
        raise UnflattenableError("the document has no conversation_id or no agent_id")
    if detail.metadata is None or started_at(detail) is None:
        raise UnflattenableError("the document has no metadata.start_time_unix_secs")
    if CONVERTERS[Type.TIME](detail.metadata.start_time_unix_secs) % 1:  # the API promises whole seconds
        add_extra(detail, {"metadata.start_time_unix_secs": detail.metadata.start_time_unix_secs})
    read_list_twins(detail)
    return detail


def read_nested(shape: Object, value: Any, path: str, extra: dict[str, Any]) -> Any:
    """The struct of a JSON object below a list that can nest in itself (``NESTED_TOOL_LISTS``), or None.

    A value that is not an object is added to ``extra`` under its ``path``.
    """
    try:
        return msgspec.convert(value, shape.struct)
    except msgspec.ValidationError:
        return convert(shape, value, path, extra)


def started_at(detail: Any) -> datetime | None:
    """Start of the conversation in whole seconds, UTC; None where the value is missing or is not a time."""
    seconds = CONVERTERS[Type.TIME](detail.metadata.start_time_unix_secs)
    return None if seconds is UNCONVERTIBLE else datetime.fromtimestamp(math.floor(seconds), UTC)


def _decode_leniently(payload: bytes) -> Any:
    try:
        return convert(DETAIL, to_builtins(payload))
    except RecursionError:
        raise UnflattenableError("the document is nested too deep") from None


def to_builtins(payload: bytes) -> dict[str, Any]:
    """The document as Python objects, with webhook bodies unwrapped, old metrics and the error moved (see the module).

    Raises:
        UnflattenableError: it is not a JSON object.
    """
    try:
        document = parse_json(payload)
    except RecursionError:
        raise UnflattenableError("the document is nested too deep") from None
    except ValueError as error:
        raise UnflattenableError(f"the document is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise UnflattenableError("the document is not a JSON object")
    return _move_error_text(_move_old_metrics(_unwrap(document)))


def _unwrap(document: dict[str, Any]) -> dict[str, Any]:
    data = document.get("data")
    return data if isinstance(data, dict) and "conversation_id" not in document else document


def _move_old_metrics(document: dict[str, Any]) -> dict[str, Any]:
    entries = document.get("transcript")
    for entry in entries if isinstance(entries, list) else []:
        metrics = entry.get("conversation_turn_metrics") if isinstance(entry, dict) else None
        if isinstance(metrics, dict) and "metrics" not in metrics:
            # Only an old metric is an object with ``elapsed_time`` at this level; all other keys remain where they are.
            old_metrics = {
                key: item for key, item in metrics.items() if isinstance(item, dict) and "elapsed_time" in item
            }
            if old_metrics:
                other_keys = {key: value for key, value in metrics.items() if key not in old_metrics}
                entry["conversation_turn_metrics"] = other_keys | {"metrics": old_metrics}
    return document


def _move_error_text(document: dict[str, Any]) -> dict[str, Any]:
    metadata = document.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("error"), str):
        metadata["error"] = {"reason": metadata["error"]}
    return document
