"""From structs to columns, a chunk of documents at once: where rows stand (``PathValues``), which values they have.

Both are read from the schema, so most tables need no code of their own. No Python code runs for a value, and little for
a row: lists and keys are chained, ``astuple`` and ``zip`` make columns of structs, all in C. Measured on documents of
24 KB: 1.5 times as fast as a tuple a row.
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
"""Values by column name, all of one length; a column that is not there is null."""

DOCUMENT = "document"
"""Column with the number of a row's document."""


@dataclass(frozen=True, slots=True)
class PathValues:
    """Elements at one path, and where each stands.

    ``keys`` are columns: the number of the document, then the indexes and map keys on the way.
    """

    keys: tuple[Sequence[Any], ...]
    elements: Sequence[Any]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Keys and element of each."""
        return zip(*self.keys, self.elements, strict=True)

    def descend(self, step: str) -> PathValues:
        """One step down: ``[]`` into lists, ``{}`` into maps, or a key of objects; null elements are passed over.

        The indexes of the others do not move.
        """
        if step == "[]":
            indexes = chain.from_iterable(map(range, map(len, self.elements)))
            return self._below(indexes, chain.from_iterable(self.elements)).not_null()
        if step == "{}":
            return self.map_values().not_null()
        return PathValues(self.keys, list(map(attrgetter(step), self.elements))).not_null()

    def map_values(self) -> PathValues:
        """The values of maps, null ones included."""
        return self._below(chain.from_iterable(self.elements), chain.from_iterable(map(dict.values, self.elements)))

    def not_null(self) -> PathValues:
        """Those that are not null."""
        present = [each for each in self.elements if each is not None]
        if len(present) == len(self.elements):
            return self
        is_present = [each is not None for each in self.elements]
        return PathValues(tuple(list(compress(key, is_present)) for key in self.keys), present)

    def columns(self, names: Sequence[str], values: PathExtractor | None = None) -> dict[str, Sequence[Any]]:
        """``DOCUMENT``, the other keys, called ``names``, and the values of the structs."""
        columns = dict(zip((DOCUMENT, *names), self.keys, strict=True))
        return columns | values(self.elements) if values else columns

    def _below(self, keys: Iterable[Any], elements: Iterable[Any]) -> PathValues:
        sizes = list(map(len, self.elements))
        above = (list(chain.from_iterable(map(repeat, key, sizes))) for key in self.keys)
        return PathValues((*above, list(keys)), list(elements))


class ParsedBatch:
    """Some documents, through which each path of the schema is walked once."""

    def __init__(self, details: Sequence[Any], first: int = 0) -> None:
        """``details`` are structs of ``DETAIL``; they are numbered from ``first``."""
        numbers = range(first, first + len(details))
        self._places: dict[tuple[str, ...], PathValues] = {(): PathValues((numbers,), details)}

    def values_at(self, path: str) -> PathValues:
        """What stands at a path of the schema."""
        return self._at(tuple(path_steps(display_path(path))))

    def _at(self, trail: tuple[str, ...]) -> PathValues:
        if trail not in self._places:
            self._places[trail] = self._at(trail[:-1]).descend(trail[-1])
        return self._places[trail]


class PathExtractor:
    """Columns of structs of one shape: the values at some paths below them, null where the way there is null."""

    def __init__(self, shape: Object, columns: Iterable[tuple[str, str]]) -> None:
        """``columns`` are pairs of column name and path below the struct."""
        members = [*shape.fields, *([EXTRA] if shape.is_row else [])]
        self._blank = (None,) * len(members)
        self._direct: list[tuple[str, int]] = []
        below: dict[str, list[tuple[str, str]]] = {}
        for name, path in columns:
            head, _, rest = path.partition(".")
            if rest:
                below.setdefault(head, []).append((name, rest))
            else:
                self._direct.append((name, members.index(head)))
        self._groups = [
            (members.index(head), PathExtractor(shape.object_at(head), group)) for head, group in below.items()
        ]

    def __call__(self, structs: Sequence[Any]) -> dict[str, Sequence[Any]]:
        """The columns that are not all null."""
        blank = self._blank
        values = list(zip(*[blank if struct is None else astuple(struct) for struct in structs], strict=True))
        if not values:
            return {}
        columns: dict[str, Sequence[Any]] = {
            name: values[place] for name, place in self._direct if not _is_null(values[place])
        }
        for place, group in self._groups:
            if any(values[place]):
                columns |= group(values[place])
        return columns


def _is_null(values: Sequence[Any]) -> bool:
    """Whether all is null; ``any`` is the quicker of the two, and enough for almost every column that is not."""
    return not any(values) and values.count(None) == len(values)


def table_extractor(table: Table, *, extra: bool = True) -> PathExtractor:
    """Projection of a table's own columns and, where its rows are objects, of what no column knows."""
    columns = [(column.name, column.source) for column in table.columns if column.source not in {None, "."}]
    named = [*((name, str(source)) for name, source in columns), *([("extra", EXTRA)] if extra else [])]
    return PathExtractor(object_at(table.at[0]), named)
