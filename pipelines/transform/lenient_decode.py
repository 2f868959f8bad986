"""The lenient decoder: documents that the fast decoder rejects are converted value by value, so that nothing is lost.

The fast decoder rejects a key that the schema does not know, a value of another type than declared (``12.0`` or
``"12"`` for an integer, an object instead of a list), a lone surrogate, and a number outside of ``BOUNDS``. Here, a
value is converted to the declared type where that is possible. Otherwise it goes, with its path, to ``extra`` of its
row. A fraction where a whole number is declared is both: rounded down in its column, and as it came in ``extra``
(``decode`` does so with the start of a conversation, as the fast decoder takes times with a fraction). Both
decoders give the same rows for a document that both can read.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import msgspec

from pipelines.transform.document_schema import BOUNDS, EXTRA, Items, Leaf, Object, Shape
from warehouse.schema.types import REDACTED, Type
from warehouse.text_formats import without_surrogates

UNCONVERTIBLE = object()
"""Result of a converter for a value that the column cannot hold; None is a valid value."""


def parse_json(payload: bytes) -> Any:
    """Any JSON text as Python objects; lone surrogates become U+FFFD, numbers too large for a float remain text.

    A byte order mark is ignored, and UTF-16 and UTF-32 are read, as ``json`` tells them: RFC 8259 allows the first.

    Raises:
        ValueError: it is not JSON.
        RecursionError: it is nested deeper than Python can follow.
    """
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        value = json.loads(payload.decode(json.detect_encoding(payload), "replace"), parse_float=_finite_or_text)
        return json.loads(without_surrogates(json.dumps(value, ensure_ascii=False)))


def _finite_or_text(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def convert(shape: Shape, value: Any, path: str = "", extra: dict[str, Any] | None = None) -> Any:
    """The value that the fast decoder would give; values that do not fit are added to ``extra`` by path.

    Args:
        shape: The shape that the schema expects.
        value: Plain JSON objects.
        path: Path of the value from its row on.
        extra: Values of that row that had no place so far. An object that is a row starts a dict of its own.
    """
    extra = {} if extra is None else extra
    if value is None:
        return None
    if isinstance(shape, Leaf):
        member = CONVERTERS[shape.type](value)
        if shape.type is Type.INT and member is not UNCONVERTIBLE and _to_float(value) != member:
            extra[path] = value
    elif value == REDACTED:
        return None  # an object or list of today that was redacted as one value
    elif isinstance(shape, Items):
        member = _convert_items(shape, value, path, extra)
    else:
        member = _convert_object(shape, value, path, extra)
    if member is UNCONVERTIBLE:
        extra[path] = value
        return None
    return member


def _convert_items(shape: Items, value: Any, path: str, extra: dict[str, Any]) -> Any:
    if shape.is_map:
        if not isinstance(value, dict):
            return UNCONVERTIBLE
        return {key: convert(shape.element, item, f"{path}{{{key}}}", extra) for key, item in value.items()}
    if not isinstance(value, list):
        return UNCONVERTIBLE
    return [convert(shape.element, item, f"{path}[{index}]", extra) for index, item in enumerate(value)]


def _convert_object(shape: Object, value: Any, path: str, extra: dict[str, Any]) -> Any:
    if not isinstance(value, dict):
        return UNCONVERTIBLE
    if shape.is_row:
        path, extra = "", {}
    members = {}
    for key, item in value.items():
        item_path = f"{path}.{key}" if path else key
        if key in shape.fields:
            members[key] = convert(shape.fields[key], item, item_path, extra)
        elif item not in (None, [], {}):
            extra[item_path] = item
    if shape.is_row and extra:
        members[EXTRA] = json_text(extra)
    return shape.struct(**members)


def generic_path(path: str) -> str:
    """The path of an entry of ``extra`` without indexes and map keys: ``a[3]{key}.b`` becomes ``a[]{}.b``."""
    return re.sub(r"\{.*?\}(?=[.\[{]|$)", "{}", re.sub(r"\[\d+\]", "[]", path), flags=re.DOTALL)


def add_extra(row: Any, values: dict[str, Any]) -> None:
    """Add values by path to the ``extra`` of a row's struct."""
    setattr(row, EXTRA, json_text({**json.loads(getattr(row, EXTRA) or "{}"), **values}))


def json_text(value: Any) -> str:
    """Compact JSON text of any value."""
    return msgspec.json.encode(value).decode()


def _to_text(value: Any) -> Any:
    return value if isinstance(value, str) else UNCONVERTIBLE


def _to_bool(value: Any) -> Any:
    return value if isinstance(value, bool) else UNCONVERTIBLE


def _to_float(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return UNCONVERTIBLE
    if isinstance(value, bool) or not isinstance(value, int | float):
        return UNCONVERTIBLE
    try:
        number = float(value)
    except OverflowError:  # an integer too large for a float
        return UNCONVERTIBLE
    return number if math.isfinite(number) else UNCONVERTIBLE


def _to_int(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            value = _to_float(value)
    if isinstance(value, float) and math.isfinite(value):
        return math.floor(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else UNCONVERTIBLE


def _within(low: float, high: float, to_number: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def to_bounded_number(value: Any) -> Any:
        number = to_number(value)
        return number if number is not UNCONVERTIBLE and low <= number <= high else UNCONVERTIBLE

    return to_bounded_number


def _unchanged(value: Any) -> Any:
    return value


CONVERTERS: dict[Type, Callable[[Any], Any]] = {
    Type.TEXT: _to_text,
    Type.INT: _within(*BOUNDS[Type.INT], _to_int),
    Type.FLOAT: _within(*BOUNDS[Type.FLOAT], _to_float),
    Type.BOOL: _to_bool,
    Type.TIME: _within(*BOUNDS[Type.TIME], _to_float),
    Type.TIME_MS: _within(*BOUNDS[Type.TIME_MS], _to_float),
    Type.JSON: _unchanged,
    Type.TEXT_OR_JSON: _unchanged,
}
"""Function that converts a JSON value to a type, or returns ``UNCONVERTIBLE``."""
