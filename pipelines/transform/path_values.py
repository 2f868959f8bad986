"""From structs to columns, for a batch of documents at once: row keys (``PathValues``) and values (``PathExtractor``).

Both follow the schema, so most tables need no code of their own. No Python code runs per value, and little per row:
``chain`` joins lists and keys, ``astuple`` and ``zip`` turn structs into columns, all in C. Measured on documents of
24 KB: 1.5 times as fast as one tuple per row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, compress, repeat
from operator import attrgetter
from typing import Any

from msgspec.structs import astuple

from pipelines.transform.document_schema import EXTRA, Object, object_at, path_steps
from warehouse.schema.types import Table, display_path

Columns = Mapping[str, Sequence[Any]]
"""Values by column name, all of the same length; a missing column is null in every row."""

DOCUMENT = "document"
"""Name of the column with the number of a row's document in its batch."""


@dataclass(frozen=True, slots=True)
class PathValues:
    """The elements at one path of all documents, with their keys.

    ``keys`` are parallel columns: the number of the document, then the list indexes and map keys along the path.
    """

    keys: tuple[Sequence[Any], ...]
    elements: Sequence[Any]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """One tuple per element: its keys, then the element."""
        return zip(*self.keys, self.elements, strict=True)

    def descend(self, step: str) -> PathValues:
        """One step down: ``[]`` into lists, ``{}`` into maps, or a key of objects.

        Null elements are dropped; the indexes of the other elements do not change.
        """
        if step == "[]":
            indexes = chain.from_iterable(map(range, map(len, self.elements)))
            return self._expand(indexes, chain.from_iterable(self.elements)).not_null()
        if step == "{}":
            return self.map_values().not_null()
        return PathValues(self.keys, list(map(attrgetter(step), self.elements))).not_null()

    def map_values(self) -> PathValues:
        """The values of maps, including null."""
        return self._expand(chain.from_iterable(self.elements), chain.from_iterable(map(dict.values, self.elements)))

    def not_null(self) -> PathValues:
        """Without null elements."""
        elements = [element for element in self.elements if element is not None]
        if len(elements) == len(self.elements):
            return self
        is_present = [element is not None for element in self.elements]
        return PathValues(tuple(list(compress(key, is_present)) for key in self.keys), elements)

    def columns(self, key_names: Sequence[str], extractor: PathExtractor | None = None) -> dict[str, Sequence[Any]]:
        """``DOCUMENT``, the other keys under ``key_names``, and the columns of the structs that ``extractor`` reads."""
        columns = dict(zip((DOCUMENT, *key_names), self.keys, strict=True))
        return columns | extractor(self.elements) if extractor else columns

    def _expand(self, child_keys: Iterable[Any], children: Iterable[Any]) -> PathValues:
        """The children of all elements; each repeats the keys of its parent and adds its own."""
        sizes = list(map(len, self.elements))
        parent_keys = (list(chain.from_iterable(map(repeat, key, sizes))) for key in self.keys)
        return PathValues((*parent_keys, list(child_keys)), list(children))


class ParsedBatch:
    """Decoded documents. Each path is walked once, then kept: tables share the beginning of their paths."""

    def __init__(self, details: Sequence[Any], first: int = 0) -> None:
        """``details`` are structs of ``DETAIL``; they are numbered from ``first``."""
        numbers = range(first, first + len(details))
        self._values: dict[tuple[str, ...], PathValues] = {(): PathValues((numbers,), details)}

    def values_at(self, path: str) -> PathValues:
        """The elements at a path of the schema."""
        return self._walk(tuple(path_steps(display_path(path))))

    def _walk(self, steps: tuple[str, ...]) -> PathValues:
        if steps not in self._values:
            self._values[steps] = self._walk(steps[:-1]).descend(steps[-1])
        return self._values[steps]


class PathExtractor:
    """Reads columns from structs of one shape; a value is null where an object on its path is null."""

    def __init__(self, shape: Object, columns: Iterable[tuple[str, str]]) -> None:
        """``columns`` are pairs of column name and path below the struct."""
        members = [*shape.fields, *([EXTRA] if shape.is_row else [])]
        self._null_row = (None,) * len(members)
        self._direct: list[tuple[str, int]] = []
        nested: dict[str, list[tuple[str, str]]] = {}
        for name, path in columns:
            member, _, path_below = path.partition(".")
            if path_below:
                nested.setdefault(member, []).append((name, path_below))
            else:
                self._direct.append((name, members.index(member)))
        self._nested = [
            (members.index(member), PathExtractor(shape.object_at(member), below)) for member, below in nested.items()
        ]

    def __call__(self, structs: Sequence[Any]) -> dict[str, Sequence[Any]]:
        """The columns that have at least one value that is not null."""
        null_row = self._null_row
        members = list(zip(*[null_row if struct is None else astuple(struct) for struct in structs], strict=True))
        if not members:
            return {}
        columns: dict[str, Sequence[Any]] = {
            name: members[index] for name, index in self._direct if not _is_null(members[index])
        }
        for index, extractor in self._nested:
            if any(members[index]):
                columns |= extractor(members[index])
        return columns


def _is_null(values: Sequence[Any]) -> bool:
    """Whether all values are null. ``any`` is the faster test, and decides for almost every column that is not."""
    return not any(values) and values.count(None) == len(values)


def table_extractor(table: Table) -> PathExtractor:
    """Extractor of all columns of a table whose rows are objects, including ``extra``."""
    columns = [(column.name, column.source) for column in table.columns if column.source is not None]
    return PathExtractor(object_at(table.at[0]), [*columns, ("extra", EXTRA)])
