"""What a SELECT reads, and what its CTE ``final`` selects, from the tree of DuckDB's own parser.

DuckDB returns the trees as JSON, those of all texts in one query. sqlglot, whose trees lineage and lint need, takes ten
times as long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import msgspec

_TREES = """
select json_serialize_sql(text, skip_null := true, skip_empty := true, skip_default := true)
from unnest(?::varchar[]) texts(text)
"""

Tree = dict[str, Any]


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
        final: Columns of the CTE ``final``; empty if there is none, or if it is not a plain SELECT.
        row_source: The one relation whose rows it returns, each at most once; None if it can return others.
    """

    reads: tuple[str, ...]
    unqualified: tuple[str, ...]
    final: tuple[SelectedColumn, ...]
    row_source: str | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class UnsupportedSqlError:
    """Text that is not a single SELECT: the reason, and the line of a syntax error from 1 (None if there is none)."""

    line: int | None
    reason: str


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
    )


def _keeps_grain(node: Tree) -> bool:
    """Whether a node reads one relation and returns no row of it twice."""
    is_from_one_table = node.get("from_table", {"type": "BASE_TABLE"})["type"] == "BASE_TABLE"
    combines_queries = node.get("type") in ("SET_OPERATION_NODE", "RECURSIVE_CTE_NODE")
    return is_from_one_table and not combines_queries and node.get("function_name") != "unnest"


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
        children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        queue.extend(child for child in children if isinstance(child, dict | list))
