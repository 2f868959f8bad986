"""What a SELECT reads, and what its CTE ``final`` selects, from the tree of DuckDB's own parser.

DuckDB returns the trees as JSON, those of all texts in one query. sqlglot, whose trees lineage and lint need, takes ten
times as long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import msgspec

_TREES = """
select json_serialize_sql(text, skip_null := true, skip_empty := true, skip_default := true)
from unnest(?::varchar[]) texts(text)
"""

Tree = dict[str, Any]

_JOINS = ("REGULAR", "CROSS")
_STAR_KEYS = {"class", "type", "relation_name", "exclude_list", "query_location", "query_location_length"}
"""Keys of a star that only passes columns on, perhaps not all."""


@dataclass(frozen=True, slots=True)
class SelectedColumn:
    """A column that ``final`` selects: its name (empty without one) and the first column in its expression.

    It ``is_plain`` if the expression is nothing but that column.
    """

    name: str
    source: str | None
    is_plain: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Select:
    """A parsed SELECT.

    Attributes:
        reads: Qualified names of the relations that it reads, sorted.
        unqualified: Names without a schema that are not CTEs.
        final: Columns of the CTE ``final``, stars without a name; empty if there is none, or if it is not a plain
            SELECT.
        row_source: The one relation whose rows it returns, each at most once; None if it can return others.
        tree: Its node in the tree of DuckDB's parser.
    """

    reads: tuple[str, ...]
    unqualified: tuple[str, ...]
    final: tuple[SelectedColumn, ...]
    row_source: str | None = field(default=None, compare=False, repr=False)
    tree: Tree = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class UnsupportedSqlError:
    """Text that is not a single SELECT: the reason, and the line of a syntax error from 1 (None if there is none)."""

    line: int | None
    reason: str


class StarError(ValueError):
    """A star whose columns cannot be listed: it changes columns, or reads something other than models and joins."""


def read_selects(texts: Sequence[str]) -> list[Select | UnsupportedSqlError]:
    """The parsed SELECT of each text."""
    with duckdb.connect(config={"threads": 1}) as connection:
        trees = [msgspec.json.decode(tree) for (tree,) in connection.execute(_TREES, [texts]).fetchall()]
    return [_read(text, tree) for text, tree in zip(texts, trees, strict=True)]


def _read(text: str, tree: Tree) -> Select | UnsupportedSqlError:
    if "position" in tree:
        return UnsupportedSqlError(text.encode()[: int(tree["position"])].count(b"\n") + 1, tree["error_message"])
    if tree["error"] or len(tree["statements"]) != 1:
        return UnsupportedSqlError(None, tree.get("error_message", "It is not one statement."))
    top = tree["statements"][0]["node"]
    nodes = list(_nodes(top))
    ctes = {cte["key"] for node in nodes for cte in _ctes(node)}
    tables = {(node.get("schema_name"), node["table_name"]) for node in nodes if node.get("type") == "BASE_TABLE"}
    reads = tuple(sorted(f"{schema}.{name}" for schema, name in tables if schema))
    return Select(
        reads,
        tuple(sorted(name for schema, name in tables if not schema and name not in ctes)),
        tuple(_selected(column) for column in _final(top)),
        reads[0] if len(reads) == 1 and all(map(_keeps_grain, nodes)) else None,
        top,
    )


def _keeps_grain(node: Tree) -> bool:
    """Whether a node reads one relation and returns no row of it twice."""
    is_from_one_table = node.get("from_table", {"type": "BASE_TABLE"})["type"] == "BASE_TABLE"
    has_several_queries = node.get("type") in ("SET_OPERATION_NODE", "RECURSIVE_CTE_NODE")
    return is_from_one_table and not has_several_queries and node.get("function_name") != "unnest"


def _final(top: Tree) -> list[Tree]:
    for cte in _ctes(top):
        if cte["key"] == "final":
            columns: list[Tree] = cte["value"]["query_node"].get("select_list", [])
            return columns
    return []


def _selected(column: Tree) -> SelectedColumn:
    source = next((node["column_names"][-1] for node in _nodes(column) if node.get("class") == "COLUMN_REF"), None)
    is_plain = column["class"] == "COLUMN_REF"
    return SelectedColumn(column.get("alias") or (source if is_plain else None) or "", source, is_plain=is_plain)


def final_columns(select: Select, relations: Mapping[str, Iterable[str]]) -> tuple[SelectedColumn, ...]:
    """Columns of the CTE ``final``, with each star replaced by its columns; ``relations`` are columns by name.

    Raises:
        StarError: a star cannot be replaced.
    """
    ctes = {cte["key"]: cte["value"]["query_node"] for cte in _ctes(select.tree)}
    return tuple(_columns(ctes["final"], ctes, relations)) if select.final else ()


def _columns(query: Tree, ctes: Mapping[str, Tree], relations: Mapping[str, Iterable[str]]) -> Iterator[SelectedColumn]:
    ctes = {**ctes, **{cte["key"]: cte["value"]["query_node"] for cte in _ctes(query)}}
    if query["type"] == "SET_OPERATION_NODE":  # its columns are named by its first part
        yield from _columns(query["children"][0], ctes, relations)
    for item in query.get("select_list", ()):
        if item["class"] != "STAR":
            yield _selected(item)
            continue
        if not item.keys() <= _STAR_KEYS:
            raise StarError
        for alias, names in _sources(query["from_table"], ctes, relations):
            if item.get("relation_name", alias) == alias:
                yield from (SelectedColumn(name, name) for name in names if name not in item.get("exclude_list", ()))


def _sources(
    table: Tree, ctes: Mapping[str, Tree], relations: Mapping[str, Iterable[str]]
) -> Iterator[tuple[str, Iterable[str]]]:
    """Alias and columns of each relation of a FROM."""
    name = str(table.get("table_name"))
    qualified_name = f"{table.get('schema_name')}.{name}"
    if table["type"] == "JOIN" and table["ref_type"] in _JOINS and "using_columns" not in table:
        yield from _sources(table["left"], ctes, relations)
        if table["join_type"] not in ("SEMI", "ANTI"):
            yield from _sources(table["right"], ctes, relations)
    elif table["type"] == "BASE_TABLE" and qualified_name in relations:
        yield table.get("alias", name), relations[qualified_name]
    elif table["type"] == "BASE_TABLE" and "schema_name" not in table:
        yield table.get("alias", name), [column.name for column in _columns(ctes[name], ctes, relations)]
    else:
        raise StarError


def _ctes(node: Tree) -> list[Tree]:
    ctes: list[Tree] = node.get("cte_map", {}).get("map", [])
    return ctes


def _nodes(top: Tree) -> Iterator[Tree]:
    """Every object of a tree, breadth first."""
    queue = deque[object]([top])
    while queue:
        value = queue.popleft()
        if isinstance(value, dict):
            yield value
            queue.extend(value.values())
        elif isinstance(value, list):
            queue.extend(value)
