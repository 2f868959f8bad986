"""A document without what was said and who it was: everything that is counted, timed or paid stays.

``warehouse.schema`` says of each column whether it holds words or an identity. Words become
``<redacted>``, so that an entry still counts as spoken; an identity becomes null, so that no two people are taken for
one. What no column knows goes, as nobody can say what it holds.
"""

from __future__ import annotations

from typing import Any

from pipelines.transform.canonical_json import dump, fingerprint
from pipelines.transform.decode import UnflattenableError, to_builtins
from pipelines.transform.document_schema import DETAIL, Items, Leaf, Object, Shape, object_at
from pipelines.transform.lenient_decode import CONVERTERS, UNCONVERTIBLE
from warehouse.schema import registry, tool_calls
from warehouse.schema.types import Sensitivity, display_path

REDACTED = "<redacted>"
SILENCE = "..."
"""What a silent user says: a sign, and no word."""

_KEPT: dict[str, Sensitivity | None] = {
    path: column.sensitivity
    for table in registry.DOCUMENT_TABLES
    for column in table.columns
    for path in table.paths(column)
} | {"conversation_id": None, "metadata.start_time_unix_secs": None}

_STEP = f"{display_path(tool_calls.WORKFLOW_STEPS.at[0])}."
_NESTED = {
    f"{_STEP}requests[]": display_path(tool_calls.TOOL_CALLS.at[0]),
    f"{_STEP}results[]": display_path(tool_calls.TOOL_RESULTS.at[0]),
}
"""Where a workflow step holds calls and results again, and the path of their shape."""


def redact(payload: bytes) -> tuple[bytes, str]:
    """What is left of a landed document, and its hash; nothing is left of one that cannot be walked through."""
    try:
        document = _redacted(DETAIL, to_builtins(payload), "")
    except (UnflattenableError, RecursionError):
        document = None
    return dump(document), fingerprint(document)


def _redacted(shape: Shape, value: Any, path: str) -> Any:
    if value is None:
        return None
    if isinstance(shape, Object):
        if not isinstance(value, dict):
            return None
        return {
            key: _redacted(child, value[key], f"{path}.{key}".strip("."))
            for key, child in shape.fields.items()
            if key in value
        }
    if isinstance(shape, Items):
        return _redacted_items(shape, value, path)
    if path in _NESTED:
        return _redacted(object_at(_NESTED[path]), value, _NESTED[path])
    return _redacted_value(shape, value, path)


def _redacted_items(shape: Items, value: Any, path: str) -> Any:
    if shape.is_map:
        below = f"{path}{{}}"
        is_map = isinstance(value, dict)
        return {key: _redacted(shape.element, item, below) for key, item in value.items()} if is_map else None
    return [_redacted(shape.element, item, f"{path}[]") for item in value] if isinstance(value, list) else None


def _redacted_value(shape: Leaf, value: Any, path: str) -> Any:
    """A value that fits its column and holds no content stays as it came."""
    content = _KEPT.get(path, Sensitivity.IDENTIFIER)
    if content is Sensitivity.IDENTIFIER or CONVERTERS[shape.type](value) is UNCONVERTIBLE:
        return None
    is_sign = value in ("", [], {}) or (isinstance(value, str) and value.strip() == SILENCE)
    return value if content is None or is_sign else REDACTED
