"""The shape of a conversation detail, derived from the schema: the object, list, map or value at each path.

``warehouse.schema`` declares which JSON path fills which column. Here the paths become a tree, and each object of the
tree becomes a msgspec struct for the fast decoder. A new column needs one line in the schema and no change here.
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
"""Smallest and largest number that a column accepts. Other numbers go to ``extra``, so they cannot distort a sum."""


def _between(type_: Any, bounds: tuple[float, float]) -> Any:
    return Annotated[type_, msgspec.Meta(ge=bounds[0], le=bounds[1])]


DECODE_TYPES: dict[Type, Any] = {
    Type.TEXT: str,
    Type.INT: _between(int, BOUNDS[Type.INT]),
    Type.FLOAT: _between(float, BOUNDS[Type.FLOAT]),
    Type.BOOL: bool,
    Type.TIME: _between(float, BOUNDS[Type.TIME]),
    Type.TIME_MS: _between(float, BOUNDS[Type.TIME_MS]),
    Type.JSON: Any,
    Type.TEXT_OR_JSON: Any,
}
"""Types that the fast decoder accepts for a column, in addition to null."""

NESTED_TOOL_LISTS = ("requests", "results")
"""Lists of a workflow step that contain tool calls and results, to any depth; ``tool_calls`` decodes their elements."""

EXTRA = "extra_"
"""Attribute of a row's struct for values without a column. Its JSON name ends in a space, as no key of the API does."""


@dataclass(slots=True)
class Leaf:
    """A value that fills one column."""

    type: Type

    @property
    def decode_type(self) -> Any:
        """Type for the fast decoder."""
        return DECODE_TYPES[self.type] | None


@dataclass(slots=True)
class Items:
    """A list, or a map with arbitrary keys (``is_map``). All elements have the same shape."""

    element: Shape
    is_map: bool

    @property
    def decode_type(self) -> Any:
        """Type for the fast decoder."""
        container: Any = dict if self.is_map else list
        return container[(str, self.element.decode_type) if self.is_map else self.element.decode_type] | None


@dataclass(slots=True)
class Object:
    """An object with fixed keys. ``is_row``: it is one row of a table, so its struct has the attribute ``EXTRA``."""

    fields: dict[str, Shape]
    is_row: bool
    struct: type[msgspec.Struct]

    @property
    def decode_type(self) -> Any:
        """Type for the fast decoder."""
        return self.struct | None

    def object_at(self, key: str) -> Object:
        """The object at a key.

        Raises:
            TypeError: the key holds a value, a list or a map.
        """
        shape = self.fields[key]
        if not isinstance(shape, Object):
            raise TypeError(f"{key} is not an object in the schema")
        return shape


Shape = Leaf | Items | Object

Branch = dict[str, "Branch | Leaf"]


def path_steps(path: str) -> list[str]:
    """Steps of a display path: ``a.b[]{}`` gives ``["a", "b", "[]", "{}"]``."""
    return re.findall(r"\w+|\[\]|\{\}", path)


def _add_leaf(root: Branch, path: str, leaf: Leaf) -> None:
    *parents, last = path_steps(path)
    branch = root
    for step in parents:
        branch = branch.setdefault(step, {})  # type: ignore[assignment]  # a path never leads through a leaf
    branch.setdefault(last, leaf)


class _RowShapes:
    """Where rows begin; the rows of a table have one shape, so that those of several paths can be compared."""

    def __init__(self, tables: Iterable[Table]) -> None:
        self._table_by_path = {display_path(path): table.name for table in tables for path in table.at}
        self._shapes: dict[str, Object] = {}

    def is_row(self, path: str) -> bool:
        return path in self._table_by_path

    def shape_at(self, path: str) -> Object | None:
        """The shape of the table's rows, if another path has it already."""
        return self._shapes.get(self._table_by_path.get(path, ""))

    def add(self, path: str, shape: Object) -> None:
        self._shapes[self._table_by_path[path]] = shape


def _to_shape(branch: Branch | Leaf, path: str, rows: _RowShapes) -> Shape:
    if isinstance(branch, Leaf):
        return branch
    for bracket in ("[]", "{}"):
        if bracket in branch:
            return Items(_to_shape(branch[bracket], path + bracket, rows), is_map=bracket == "{}")
    shape = rows.shape_at(path)
    if shape is not None:
        return shape
    fields = {key: _to_shape(child, f"{path}.{key}".strip("."), rows) for key, child in branch.items()}
    # Every key is optional. An unknown key is an error here; the lenient decoder then keeps it in ``extra``.
    members = [(key, shape.decode_type, None) for key, shape in fields.items()]
    is_row = rows.is_row(path)
    if is_row:
        members.append((EXTRA, str | None, None))
    name = re.sub(r"\W+", "_", path) or "detail"
    # gc=False: decoded JSON has no reference cycles, so the cycle collector need not track these structs.
    struct = msgspec.defstruct(name, members, rename={EXTRA: "extra "}, forbid_unknown_fields=True, gc=False)
    shape = Object(fields, is_row, struct)
    if is_row:
        rows.add(path, shape)
    return shape


def build_shape(tables: Iterable[Table], other_paths: Iterable[str] = ()) -> Object:
    """Shape of the documents that the tables are read from; ``other_paths`` accept any value."""
    tables = tuple(tables)
    root: Branch = {}
    for table in tables:
        for column in table.columns:
            for path in table.paths(column):
                _add_leaf(root, path, Leaf(column.type))
        for row_path in table.at:
            for key in table.ignored_keys:
                _add_leaf(root, display_path(f"{row_path}.{key}".strip(".")), Leaf(Type.JSON))
    for path in other_paths:
        _add_leaf(root, path, Leaf(Type.JSON))
    shape = _to_shape(root, "", _RowShapes(tables))
    assert isinstance(shape, Object)  # noqa: S101 - the root of a document is an object
    return shape


DETAIL = build_shape(
    DOCUMENT_TABLES, (f"transcript[].tool_results[].result.steps[].{name}[]" for name in NESTED_TOOL_LISTS)
)
"""Shape of an entire conversation detail."""


def object_at(path: str, root: Object = DETAIL) -> Object:
    """The object at a path of a shape, such as ``transcript[turn_index].tool_calls[call_index]`` of a detail.

    Raises:
        TypeError: the path leads to a value, a list or a map.
    """
    node: Shape = root
    for step in path_steps(display_path(path)):
        node = node.fields[step] if isinstance(node, Object) else node.element  # type: ignore[union-attr]
    if not isinstance(node, Object):
        raise TypeError(f"{path} is not an object in the schema")
    return node


def paths(shape: Shape, path: str = "") -> Iterator[str]:
    """Every path below a shape; ``path`` is the path of the shape itself."""
    if path:
        yield path
    if isinstance(shape, Object):
        for key, child in shape.fields.items():
            yield from paths(child, f"{path}.{key}".strip("."))
    elif isinstance(shape, Items):
        yield from paths(shape.element, path + ("{}" if shape.is_map else "[]"))
