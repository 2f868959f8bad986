"""Redaction of a document: what was said and who it was is removed; counts, times and costs stay.

``warehouse.schema`` declares the sensitivity of each column. Free text becomes ``<redacted>``, so that an entry still
counts as spoken. An identifier becomes null, so that different people are not taken for one person. Values without a
column are removed, as their content is unknown.
"""

from __future__ import annotations

import unicodedata
from typing import Any

from pipelines.transform.canonical_json import dump, fingerprint
from pipelines.transform.decode import UnflattenableError, to_builtins
from pipelines.transform.document_schema import DETAIL, Items, Leaf, Object, Shape, object_at
from pipelines.transform.lenient_decode import CONVERTERS, UNCONVERTIBLE
from warehouse.schema import registry, tool_calls
from warehouse.schema.types import REDACTED, Sensitivity, display_path

SILENCE = "..."
"""Message of a silent user: a marker, and not something that was said."""

_MESSAGE_PATH = "transcript[].message"

_SENSITIVITY_BY_PATH: dict[str, Sensitivity | None] = {
    path: column.sensitivity
    for table in registry.DOCUMENT_TABLES
    for column in table.columns
    for path in table.paths(column)
} | {"conversation_id": None, "metadata.start_time_unix_secs": None}

_STEP_PATH = f"{display_path(tool_calls.WORKFLOW_STEPS.at[0])}."
_PATH_OF_NESTED = {
    f"{_STEP_PATH}requests[]": display_path(tool_calls.TOOL_CALLS.at[0]),
    f"{_STEP_PATH}results[]": display_path(tool_calls.TOOL_RESULTS.at[0]),
}
"""Paths of the tool calls and tool results inside a workflow step, and the paths where their shape is declared."""


def redact(payload: bytes) -> tuple[bytes, str]:
    """The redacted form of a landed document, and its hash; ``null`` if the document cannot be parsed."""
    try:
        document = _redact(DETAIL, to_builtins(payload), "")
    except (UnflattenableError, RecursionError):
        document = None
    return dump(document), fingerprint(document)


def _redact(shape: Shape, value: Any, path: str) -> Any:
    """The redacted value at a path; null if it does not have the declared shape."""
    if value is None:
        return None
    if isinstance(shape, Object):
        if not isinstance(value, dict):
            return None
        return {
            key: _redact(child, value[key], f"{path}.{key}".strip("."))
            for key, child in shape.fields.items()
            if key in value
        }
    if isinstance(shape, Items):
        return _redact_items(shape, value, path)
    if path in _PATH_OF_NESTED:
        return _redact(object_at(_PATH_OF_NESTED[path]), value, _PATH_OF_NESTED[path])
    return _redact_leaf(shape, value, path)


def _redact_items(shape: Items, value: Any, path: str) -> Any:
    if shape.is_map:
        if not isinstance(value, dict):
            return None
        return {key: _redact(shape.element, item, f"{path}{{}}") for key, item in value.items()}
    return [_redact(shape.element, item, f"{path}[]") for item in value] if isinstance(value, list) else None


def _redact_leaf(shape: Leaf, value: Any, path: str) -> Any:
    """A value stays as it is if it has the type of its column and is not sensitive."""
    sensitivity = _SENSITIVITY_BY_PATH.get(path, Sensitivity.IDENTIFIER)
    if sensitivity is Sensitivity.IDENTIFIER or CONVERTERS[shape.type](value) is UNCONVERTIBLE:
        return None
    is_without_text = value in ("", [], {}) or (isinstance(value, str) and value.strip() in ("", SILENCE))
    if sensitivity is None or is_without_text:
        return value
    if isinstance(value, str) and _is_blank(value):  # an entry that says nothing goes on saying nothing
        return ""
    # An entry without a letter or a digit stays one: silence where it was spoken, a word where it was written.
    is_without_words = path == _MESSAGE_PATH and not any(sign.isalnum() for sign in str(value))
    return SILENCE if is_without_words else REDACTED


def _is_blank(text: str) -> bool:
    """Whether a text has no more than spaces, separators and invisible signs, as ``marts.fct_turns`` reads it."""
    return all(sign.isspace() or unicodedata.category(sign)[0] in "ZC" for sign in text)
