"""The lenient road: a document that the fast decode refuses, read value by value so that nothing is lost.

Refused are a key that the schema does not know, a value of another type than declared (``12.0`` or ``"12"`` for an
integer, an object where a list was), a lone surrogate, a number beyond all bounds. What can be read as the declared
type is; what cannot goes, with its path, into ``extra`` of the row that it belongs to. Both roads give the same rows
where both can read a document.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import msgspec

from pipelines.transform.document_schema import BOUNDS, EXTRA, Items, Leaf, Object, Shape
from warehouse.schema.types import Type

UNCONVERTIBLE = object()
"""What a value becomes that its column cannot hold."""


def parse(payload: bytes) -> Any:
    """Any JSON text as Python objects; lone surrogates become U+FFFD, numbers beyond a double stay text.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested deeper than Python can follow.
    """
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        loose = json.loads(payload.decode("utf-8", "replace"), parse_float=_finite)
        text = json.dumps(loose, ensure_ascii=False)
        return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _finite(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def build(shape: Shape, value: Any, path: str = "", extra: dict[str, Any] | None = None) -> Any:
    """What the fast decode would have made of ``value``, with all that does not fit put into ``extra`` by path.

    Args:
        shape: What is expected here.
        value: Plain JSON objects.
        path: Path from the row that holds the value.
        extra: What is left over of that row so far; a row of its own starts its own.
    """
    extra = {} if extra is None else extra
    if value is None:
        return None
    if isinstance(shape, Leaf):
        fitted = FIT[shape.type](value)
    elif isinstance(shape, Items):
        fitted = _items(shape, value, path, extra)
    else:
        fitted = _object(shape, value, path, extra)
    if fitted is UNCONVERTIBLE:
        extra[path] = value
        return None
    return fitted


def _items(shape: Items, value: Any, path: str, extra: dict[str, Any]) -> Any:
    if shape.is_map:
        if not isinstance(value, dict):
            return UNCONVERTIBLE
        return {key: build(shape.element, item, f"{path}{{{key}}}", extra) for key, item in value.items()}
    if not isinstance(value, list):
        return UNCONVERTIBLE
    return [build(shape.element, item, f"{path}[{at}]", extra) for at, item in enumerate(value)]


def _object(shape: Object, value: Any, path: str, extra: dict[str, Any]) -> Any:
    if not isinstance(value, dict):
        return UNCONVERTIBLE
    if shape.is_row:
        path, extra = "", {}
    members = {}
    for key, item in value.items():
        below = f"{path}.{key}" if path else key
        if key in shape.fields:
            members[key] = build(shape.fields[key], item, below, extra)
        elif item not in (None, [], {}):
            extra[below] = item
    if shape.is_row and extra:
        members[EXTRA] = text_of(extra)
    return shape.struct(**members)


def general(path: str) -> str:
    """The path of an entry of ``extra`` without indexes and map keys: ``a[3]{key}.b`` becomes ``a[]{}.b``."""
    return re.sub(r"\{.*?\}(?=[.\[{]|$)", "{}", re.sub(r"\[\d+\]", "[]", path), flags=re.DOTALL)


def text_of(value: Any) -> str:
    """Compact JSON text of any value, the same for both roads."""
    return msgspec.json.encode(value).decode()


def _text(value: Any) -> Any:
    return value if isinstance(value, str) else UNCONVERTIBLE


def _bool(value: Any) -> Any:
    return value if isinstance(value, bool) else UNCONVERTIBLE


def _number(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return UNCONVERTIBLE
    if isinstance(value, bool) or not isinstance(value, int | float):
        return UNCONVERTIBLE
    try:
        number = float(value)
    except OverflowError:  # an integer beyond any float
        return UNCONVERTIBLE
    return number if math.isfinite(number) else UNCONVERTIBLE


def _integer(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = int(value)
        except ValueError:
            value = _number(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        return UNCONVERTIBLE
    return int(value)


def _bounded(fit: Callable[[Any], Any], low: float, high: float) -> Callable[[Any], Any]:
    def bounded(value: Any) -> Any:
        number = fit(value)
        return number if number is not UNCONVERTIBLE and low <= number <= high else UNCONVERTIBLE

    return bounded


FIT: dict[Type, Callable[[Any], Any]] = {
    Type.TEXT: _text,
    Type.INT: _bounded(_integer, *BOUNDS[Type.INT]),
    Type.FLOAT: _bounded(_number, *BOUNDS[Type.FLOAT]),
    Type.BOOL: _bool,
    Type.TIME: _bounded(_number, *BOUNDS[Type.TIME]),
    Type.TIME_MS: _bounded(_number, *BOUNDS[Type.TIME_MS]),
    Type.JSON: lambda value: value,
    Type.TEXT_OR_JSON: lambda value: value,
}
"""How a value is read as a type, or ``UNCONVERTIBLE``."""
