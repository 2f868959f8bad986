"""What a SELECT reads and what its CTE ``final`` selects, as DuckDB's own parser sees it.

The tree comes as JSON, all texts in one question: sqlglot, whose trees the lineage and the lint need, takes ten times
as long.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb
import msgspec

from warehouse.models.column_usage import used_columns

_TREES = """
select json_serialize_sql(text, skip_null := true, skip_empty := true, skip_default := true)
from unnest(?::varchar[]) texts(text)
"""

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SelectedColumn:
    """A column that ``final`` selects: its name, empty where it has none, and the first column that it is made from.

    One that ``is_plain`` is that column as it is.
    """

    name: str
    source: str | None
    is_plain: bool = field(default=True, compare=False)


@dataclass(frozen=True, slots=True)
class Select:
    """One SELECT: the relations that it reads, sorted; those without a schema that are no CTE; what ``final`` selects.

    ``final`` is empty where there is no such CTE, or where it is no plain SELECT. ``mentions`` are the names that it
    says, None where every column of what it reads matters; ``rows_of`` is the one relation whose rows it gives, each at
    most once; ``tree`` is its node as DuckDB's parser gives it.
    """

    reads: tuple[str, ...]
    unqualified: tuple[str, ...]
    final: tuple[SelectedColumn, ...]
    used_columns: frozenset[str] | None = field(default=None, compare=False, repr=False)
    row_source: str | None = field(default=None, compare=False, repr=False)
    tree: Tree = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class UnsupportedSqlError:
    """Text that is no single SELECT: why, and on which line of it, from 1; None where it is another statement."""

    line: int | None
    why: str


def read_selects(texts: Sequence[str]) -> list[Select | UnsupportedSqlError]:
    """What each of the texts says."""
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
        used_columns(nodes),
        reads[0] if len(reads) == 1 and all(map(_keeps_grain, nodes)) else None,
        top,
    )


def _keeps_grain(node: Tree) -> bool:
    """Whether a node gives no more rows than the one relation that it reads."""
    is_one = node.get("from_table", {"type": "BASE_TABLE"})["type"] == "BASE_TABLE"
    is_query = node.get("type") in ("SET_OPERATION_NODE", "RECURSIVE_CTE_NODE")
    return is_one and not is_query and node.get("function_name") != "unnest"


def _final(top: Tree) -> list[Tree]:
    for cte in _ctes(top):
        if cte["key"] == "final":
            found: list[Tree] = cte["value"]["query_node"].get("select_list", [])
            return found
    return []


def _selected(column: Tree) -> SelectedColumn:
    source = next((node["column_names"][-1] for node in _nodes(column) if node.get("class") == "COLUMN_REF"), None)
    own = source if column["class"] == "COLUMN_REF" else None
    return SelectedColumn(column.get("alias") or own or "", source, is_plain=own is not None)


def _ctes(node: Tree) -> list[Tree]:
    found: list[Tree] = node.get("cte_map", {}).get("map", [])
    return found


def _nodes(top: Tree) -> Iterator[Tree]:
    """Every object of a tree, those nearer to the top first."""
    waiting = deque[object]([top])
    while waiting:
        each = waiting.popleft()
        if isinstance(each, dict):
            yield each
        within = each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        waiting.extend(value for value in within if isinstance(value, dict | list))
