"""From a struct to rows: where a table's rows stand (``walker``) and which values each has (``Projection``).

Both are read from the schema, so most tables need no code of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any

from pipelines.flatten.shape import EXTRA, steps
from warehouse.columns import Table, plain_path

Keys = tuple[Any, ...]
Place = tuple[Keys, Any]


def walker(at: str) -> Callable[[Any], Iterator[Place]]:
    """Function that gives, for a detail, each element at the path with its indexes and map keys.

    Elements that are null are passed over; the indexes of the others do not move.
    """
    trail = steps(plain_path(at))

    def visit(node: Any, depth: int, keys: Keys) -> Iterator[Place]:
        for position in range(depth, len(trail)):
            if node is None:
                return
            step = trail[position]
            if step == "[]":
                for place, element in enumerate(node):
                    yield from visit(element, position + 1, (*keys, place))
                return
            if step == "{}":
                for key, element in node.items():
                    yield from visit(element, position + 1, (*keys, key))
                return
            node = getattr(node, step)
        if node is not None:
            yield keys, node

    return lambda detail: visit(detail, 0, ())


class Projection:
    """Values of a struct at some paths, null where the way there is null; ``names`` says which column each fills."""

    def __init__(self, columns: Sequence[tuple[str, str]]) -> None:
        """``columns`` are pairs of column name and path below the struct."""
        direct = [(name, path) for name, path in columns if "." not in path]
        below: dict[str, list[tuple[str, str]]] = {}
        for name, path in columns:
            head, _, rest = path.partition(".")
            if rest:
                below.setdefault(head, []).append((name, rest))
        self._groups = [(attrgetter(head), Projection(group)) for head, group in below.items()]
        self._direct = attrgetter(*(path for _, path in direct)) if direct else None
        self._is_single = len(direct) == 1
        self.names: tuple[str, ...] = tuple(name for name, _ in direct) + tuple(
            n for _, group in self._groups for n in group.names
        )
        self._blank = (None,) * len(self.names)

    def __call__(self, struct: Any) -> Keys:
        """The values, in the order of ``names``."""
        if struct is None:
            return self._blank
        if self._direct is None:
            values: Keys = ()
        else:
            values = (self._direct(struct),) if self._is_single else self._direct(struct)
        for get, group in self._groups:
            values += group(get(struct))
        return values


def projection(table: Table, *, extra: bool = True) -> Projection:
    """Projection of a table's own columns and, where its rows are objects, of what no column knows."""
    columns = [(column.name, column.source) for column in table.columns if column.source not in {None, "."}]
    return Projection([*((name, str(source)) for name, source in columns), *([("extra", EXTRA)] if extra else [])])
