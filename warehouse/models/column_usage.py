"""Which columns of its inputs a SELECT uses: a change of any other column cannot change its rows.

A column reaches a result by its name, or through a star. A star only passes columns on: what is then computed from one
names it, or it is in the result under its name. So unless rows or columns are taken as a whole, only the names in the
SELECT and in its result matter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

Tree = Mapping[str, Any]

_WHOLE_JOINS = frozenset({"NATURAL", "POSITIONAL"})
_REFERENCES = frozenset({"BASE_TABLE", "JOIN", "SUBQUERY", "TABLE_FUNCTION", "EMPTY", "EXPRESSION_LIST"})
_NAMES = ("table_name", "alias")
STAR_KEYS = {"class", "type", "relation_name", "exclude_list", "query_location", "query_location_length"}
"""Keys of a star that only passes columns on, perhaps not all."""


def used_columns(nodes: Collection[Tree]) -> frozenset[str] | None:
    """The names in a SELECT, given by all nodes of its tree; None if every column of its inputs matters.

    The names are more than columns (aliases, functions, literals), which only makes a caller rebuild too much.
    """
    stars = [item for node in nodes for item in node.get("select_list", ()) if item["class"] == "STAR"]
    n_stars = sum(node.get("class") == "STAR" for node in nodes)
    relations = {
        node[name] for node in nodes if str(node.get("type")) in _REFERENCES for name in _NAMES if name in node
    }
    if n_stars > len(stars) or any(star.keys() - STAR_KEYS for star in stars):
        return None
    if any(_uses_all(node, relations) for node in nodes):
        return None
    return frozenset(text for node in nodes for text in _texts(node))


def _uses_all(node: Tree, relations: Collection[str]) -> bool:
    """Whether a node depends on all columns of a relation without naming them."""
    from_kind = node.get("from_table", {"type": "EMPTY"})["type"]
    has_star = any(item["class"] == "STAR" for item in node.get("select_list", ()))
    is_grouped = node.get("aggregate_handling") == "FORCE_AGGREGATES" or "modifiers" in node
    names: list[str] = node["column_names"] if node.get("class") == "COLUMN_REF" else []
    return (
        from_kind not in _REFERENCES
        or (has_star and is_grouped)
        or (len(names) == 1 and names[0] in relations)  # a relation as a value is a struct of all its columns
        or node.get("ref_type") in _WHOLE_JOINS
        or node.get("type") == "RECURSIVE_CTE_NODE"
        or (node.get("type") == "SET_OPERATION_NODE" and not _is_plain_union(node))
    )


def _is_plain_union(node: Tree) -> bool:
    """Whether a set operation is a UNION ALL whose columns are all named."""
    has_star = any(item["class"] == "STAR" for child in node["children"] for item in child.get("select_list", ()))
    return node["setop_type"] == "UNION" and node.get("setop_all") is not False and not has_star


def _texts(node: Tree) -> Iterator[str]:
    for value in node.values():
        for item in value if isinstance(value, list) else (value,):
            if isinstance(item, str):
                yield item
