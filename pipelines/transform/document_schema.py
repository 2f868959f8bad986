"""The shape of a conversation detail, derived from the schema: which object, list, map or value stands at which path.

``warehouse.schema`` says which JSON path fills which column; here the paths become a tree, and each
object of the tree a msgspec struct for the fast decode. So a column needs one line in the schema and nothing here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.schema.types import Table, Type, display_path

BOUNDS: dict[Type, tuple[float, float]] = {
    Type.INT: (-(2**53), 2**53),  # what JSON carries without loss
    Type.FLOAT: (-1e12, 1e12),  # far beyond any price, time or count
    Type.TIME: (-62_135_596_800, 253_402_300_799),  # years 1 to 9999
    Type.TIME_MS: (-62_135_596_800_000, 253_402_300_799_000),
}
"""Numbers that a column takes; one beyond them is kept in ``extra``, so that it can spoil no sum."""


def _between(type_: Any, bounds: tuple[float, float]) -> Any:
    return Annotated[type_, msgspec.Meta(ge=bounds[0], le=bounds[1])]


WIRE: dict[Type, Any] = {
    Type.TEXT: str,
    Type.INT: _between(int, BOUNDS[Type.INT]),
    Type.FLOAT: _between(float, BOUNDS[Type.FLOAT]),
    Type.BOOL: bool,
    Type.TIME: _between(float, BOUNDS[Type.TIME]),
    Type.TIME_MS: _between(float, BOUNDS[Type.TIME_MS]),
    Type.JSON: Any,
    Type.TEXT_OR_JSON: Any,
}
"""What the fast decode accepts for a value of each type, beside null."""

NESTED = ("requests", "results")
"""Lists of a workflow step that hold tool calls and results again, to any depth: read when they occur."""

EXTRA = "extra_"
"""Attribute of a row's struct for what no column knows. Its JSON name ends in a space: no key of the API does."""


@dataclass(slots=True)
class Leaf:
    """A value that goes into one column."""

    type: Type

    @property
    def wire(self) -> Any:
        """Type for the fast decode."""
        return WIRE[self.type] | None


@dataclass(slots=True)
class Items:
    """A list, or a map with open keys (``is_map``); all elements have one shape."""

    element: Shape
    is_map: bool

    @property
    def wire(self) -> Any:
        """Type for the fast decode."""
        container: Any = dict if self.is_map else list
        return container[(str, self.element.wire) if self.is_map else self.element.wire] | None


@dataclass(slots=True)
class Object:
    """An object with known keys; ``is_row`` where it is one row of a table and so has a place for what is left over."""

    fields: dict[str, Shape]
    is_row: bool
    struct: type[msgspec.Struct]

    @property
    def wire(self) -> Any:
        """Type for the fast decode."""
        return self.struct | None

    def object_at(self, key: str) -> Object:
        """The object at a key.

        Raises:
            TypeError: there stands a value, a list or a map.
        """
        shape = self.fields[key]
        if not isinstance(shape, Object):
            raise TypeError(f"{key} is no object in the schema")
        return shape


Shape = Leaf | Items | Object

Branch = dict[str, "Branch | Leaf"]


def steps(path: str) -> list[str]:
    """A plain path's steps: ``a.b[]{}`` gives ``["a", "b", "[]", "{}"]``."""
    return re.findall(r"\w+|\[\]|\{\}", path)


def _grow(root: Branch, path: str, leaf: Leaf) -> None:
    *way, last = steps(path)
    for step in way:
        root = root.setdefault(step, {})  # type: ignore[assignment]  # a path never leads through a leaf
    root.setdefault(last, leaf)


def _shape(branch: Branch | Leaf, path: str, rows: set[str]) -> Shape:
    if isinstance(branch, Leaf):
        return branch
    for bracket in ("[]", "{}"):
        if bracket in branch:
            return Items(_shape(branch[bracket], path + bracket, rows), is_map=bracket == "{}")
    fields = {key: _shape(child, f"{path}.{key}".strip("."), rows) for key, child in branch.items()}
    # Every key is optional, and an unknown one is refused: such a document takes the lenient road, which keeps it.
    members = [(key, shape.wire, None) for key, shape in fields.items()]
    is_row = path in rows
    if is_row:
        members.append((EXTRA, str | None, None))
    name = re.sub(r"\W+", "_", path) or "detail"
    # Without gc: what JSON holds has no cycles, and the collector need not walk through it.
    struct = msgspec.defstruct(name, members, rename={EXTRA: "extra "}, forbid_unknown_fields=True, gc=False)
    return Object(fields, is_row, struct)


def tree(tables: Iterable[Table], others: Iterable[str] = ()) -> Object:
    """Shape of the documents that the tables are read from; ``others`` are further paths, of any value."""
    tables = tuple(tables)
    root: Branch = {}
    for table in tables:
        for column in table.columns:
            for path in table.paths(column):
                _grow(root, path, Leaf(column.type))
        for at in table.at:
            for key in table.ignored_keys:
                _grow(root, display_path(f"{at}.{key}".strip(".")), Leaf(Type.JSON))
    for path in others:
        _grow(root, path, Leaf(Type.JSON))
    shape = _shape(root, "", {display_path(at) for table in tables for at in table.at})
    assert isinstance(shape, Object)  # noqa: S101 - the root of a document is an object
    return shape


DETAIL = tree(DOCUMENT_TABLES, (f"transcript[].tool_results[].result.steps[].{name}[]" for name in NESTED))
"""Shape of a whole conversation detail."""


def object_at(path: str, root: Object = DETAIL) -> Object:
    """The object at a path of a shape, such as ``transcript[turn_index].tool_calls[call_index]`` of a detail.

    Raises:
        TypeError: there stands a value, a list or a map.
    """
    node: Shape = root
    for step in steps(display_path(path)):
        node = node.fields[step] if isinstance(node, Object) else node.element  # type: ignore[union-attr]
    if not isinstance(node, Object):
        raise TypeError(f"{path} is no object in the schema")
    return node


def paths(shape: Shape, path: str = "") -> Iterator[str]:
    """Every path of a shape, without its own."""
    if path:
        yield path
    if isinstance(shape, Object):
        for key, child in shape.fields.items():
            yield from paths(child, f"{path}.{key}".strip("."))
    elif isinstance(shape, Items):
        yield from paths(shape.element, path + ("{}" if shape.is_map else "[]"))
