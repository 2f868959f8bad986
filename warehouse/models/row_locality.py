"""Which SELECTs are local to a conversation: its rows in the result follow from its rows in the inputs alone.

If some conversations change, only their rows of such a model have to be rebuilt. The answer is read from the tree of
DuckDB's parser, and a construct that is not known here to be safe counts as unsafe. The relations that have a
``conversation_id`` are *keyed*. A SELECT is local if

- all keyed relations that it joins are joined on that column, and joins with others drop or repeat rows, but add none;
- it selects the column as it is, groups by it, and partitions every window by it;
- it has no LIMIT or sample, and its subqueries read no keyed relation.

Relations without the column count as constant: when one of them changes, the whole model is rebuilt.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

Tree = Mapping[str, Any]

KEY = "conversation_id"

GENERATORS = frozenset({"unnest", "range", "generate_series"})
"""Table functions that do not read a table."""

_SELECT = {"type", "modifiers", "cte_map", "select_list", "from_table", "where_clause", "group_expressions"}
_SELECT |= {"group_sets", "aggregate_handling", "having", "qualify"}
_SET_OPERATION = {"type", "modifiers", "cte_map", "setop_type", "setop_all", "children"}
_TABLE = {"type", "alias", "schema_name", "table_name", "qualified_name", "query_location", "query_location_length"}
_STAR = {"class", "type", "relation_name", "exclude_list", "query_location", "query_location_length"}


class _UnsafeError(Exception):
    """A construct that may combine rows of several conversations."""


@dataclass(frozen=True, slots=True)
class _From:
    """What a SELECT reads; ``keys`` are sets of aliases whose coalesced ``conversation_id`` is that of the row.

    Without keys it reads no keyed relation. The alias of an unqualified column is empty.
    """

    keys: tuple[frozenset[str], ...] = ()


CONSTANT = _From()


def is_conversation_local(tree: Tree, keyed: Collection[str]) -> bool:
    """Whether a SELECT (its node in the tree) is local, if the relations ``keyed`` are those with the column."""
    try:
        return _query(tree, {}, keyed)
    except _UnsafeError:
        return False


def _query(node: Tree, ctes: Mapping[str, bool], keyed: Collection[str]) -> bool:
    """True for a local query over keyed relations, False for a query that reads none.

    Raises:
        _UnsafeError: it is not local.
    """
    ctes = dict(ctes)
    for cte in node.get("cte_map", {}).get("map", ()):
        ctes[cte["key"]] = _query(cte["value"]["query_node"], ctes, keyed)
    if node["type"] == "SET_OPERATION_NODE":
        return _set_operation(node, ctes, keyed)
    if node["type"] != "SELECT_NODE" or not node.keys() <= _SELECT:
        raise _UnsafeError
    source = _from(node.get("from_table", {"type": "EMPTY"}), ctes, keyed)
    for expression in _expressions([value for name, value in node.items() if name != "cte_map"]):
        if "subquery" in expression and _query(expression["subquery"]["node"], ctes, keyed):
            raise _UnsafeError
        if source.keys and expression.get("class") == "WINDOW":
            _require(any(_is_key(item, source) for item in expression.get("partitions", ())))
    if source.keys:
        _require_safe_modifiers(node, source)
        _require_key_selected(node, source)
        is_grouped = "group_expressions" in node
        _require(not is_grouped or any(_is_key(item, source) for item in node["group_expressions"]))
        _require(len(node.get("group_sets", ())) <= 1)
    return bool(source.keys)


def _set_operation(node: Tree, ctes: Mapping[str, bool], keyed: Collection[str]) -> bool:
    _require(node.keys() <= _SET_OPERATION)
    parts = [_query(child, ctes, keyed) for child in node["children"]]
    if not any(parts):
        return False
    _require(all(parts))
    _require_safe_modifiers(node, CONSTANT)
    _require(len({_key_position(child) for child in node["children"]}) == 1)
    return True


def _key_position(node: Tree) -> int:
    """Position of the key in a part of a set operation, which matches the columns of its parts by position."""
    while node["type"] == "SET_OPERATION_NODE":
        node = node["children"][0]
    _require(all(item["class"] != "STAR" for item in node["select_list"]))
    return [_name(item) for item in node["select_list"]].index(KEY)


def _require_safe_modifiers(node: Tree, source: _From) -> None:
    """ORDER BY and DISTINCT are safe, DISTINCT ON if it has the key; LIMIT is not."""
    for modifier in node.get("modifiers", ()):
        targets = modifier.get("distinct_on_targets", ())
        is_safe = modifier["type"] in ("ORDER_MODIFIER", "DISTINCT_MODIFIER")
        _require(is_safe and (not targets or any(_is_key(target, source) for target in targets)))


def _require_key_selected(node: Tree, source: _From) -> None:
    """The select list has the unchanged key exactly once, by name or by a star."""
    stars = [item for item in node["select_list"] if item["class"] == "STAR"]
    named = [item for item in node["select_list"] if item["class"] != "STAR" and _name(item) == KEY]
    _require(len(named) + len(stars) == 1 and all(_is_key(item, source) for item in named))
    is_joined = node["from_table"]["type"] == "JOIN"
    for star in stars:
        alias = star.get("relation_name", "")
        _require(star.keys() <= _STAR and (alias != "" or not is_joined))
        _require(all(isinstance(name, str) and name != KEY for name in star.get("exclude_list", ())))
        _require(_has_key(source, alias))


def _from(table: Tree, ctes: Mapping[str, bool], keyed: Collection[str]) -> _From:
    kind = table["type"]
    if kind == "EMPTY" or (kind == "TABLE_FUNCTION" and table["function"].get("function_name") in GENERATORS):
        return CONSTANT
    if kind == "BASE_TABLE":
        _require(table.keys() <= _TABLE)
        name = table["table_name"]
        is_local = f"{table['schema_name']}.{name}" in keyed if "schema_name" in table else ctes[name]
        return _From((frozenset({"", table.get("alias", name)}),)) if is_local else CONSTANT
    if kind == "JOIN":
        return _join(table, _from(table["left"], ctes, keyed), _from(table["right"], ctes, keyed))
    raise _UnsafeError


def _join(table: Tree, left: _From, right: _From) -> _From:
    _require(table["ref_type"] in ("REGULAR", "CROSS") and not table.get("using_columns"))
    kind = table["join_type"]
    if not (left.keys and right.keys):
        optional_side = {"LEFT": right, "SEMI": right, "ANTI": right, "RIGHT": left}
        _require(kind == "INNER" or (kind in optional_side and not optional_side[kind].keys))
        return _From(left.keys or right.keys)
    left_keys, right_keys = _qualified(left), _qualified(right)
    _require(any(_equates_keys(part, left_keys, right_keys) for part in _conjuncts(table.get("condition", {}))))
    keys = {
        "INNER": (*left_keys, *right_keys),
        "LEFT": left_keys,
        "SEMI": left_keys,
        "ANTI": left_keys,
        "RIGHT": right_keys,
        "FULL": tuple(left_key | right_key for left_key, right_key in product(left_keys, right_keys)),
    }
    _require(kind in keys)
    return _From(keys[kind])


def _qualified(source: _From) -> tuple[frozenset[str], ...]:
    """The keys without the empty alias: an unqualified column would be ambiguous in a join."""
    return tuple(key - {""} for key in source.keys)


def _conjuncts(condition: Tree) -> Iterator[Tree]:
    if condition.get("type") == "CONJUNCTION_AND":
        for child in condition["children"]:
            yield from _conjuncts(child)
    else:
        yield condition


def _equates_keys(condition: Tree, left: Collection[frozenset[str]], right: Collection[frozenset[str]]) -> bool:
    """Whether the condition is that both sides of the join have the same key, in either order."""
    if condition.get("type") != "COMPARE_EQUAL":
        return False
    first, second = condition["left"], condition["right"]
    left_side, right_side = _From(tuple(left)), _From(tuple(right))
    return (_is_key(first, left_side) and _is_key(second, right_side)) or (
        _is_key(first, right_side) and _is_key(second, left_side)
    )


def _is_key(expression: Tree, source: _From) -> bool:
    """Whether an expression is the key: a column, or a coalesce of columns after a full join."""
    if expression.get("type") == "OPERATOR_COALESCE":
        columns = [child for child in expression["children"] if child["class"] == "COLUMN_REF"]
        aliases = frozenset(_alias(child) for child in columns if child["column_names"][-1] == KEY)
        return len(columns) == len(expression["children"]) == len(aliases) and aliases in source.keys
    is_column = expression.get("class") == "COLUMN_REF" and expression["column_names"][-1] == KEY
    return is_column and _has_key(source, _alias(expression))


def _has_key(source: _From, alias: str) -> bool:
    """Whether the key of the relation with that alias alone is the key of the row."""
    return any(alias in key and len(key - {""}) == 1 for key in source.keys)


def _alias(column: Tree) -> str:
    names: list[str] = column["column_names"]
    return names[-2] if len(names) > 1 else ""


def _name(item: Tree) -> str:
    """The name of a selected column."""
    return str(item.get("alias") or (item["column_names"][-1] if item["class"] == "COLUMN_REF" else ""))


def _expressions(value: Any) -> Iterator[Tree]:
    """Every expression below a node, without those of its subqueries."""
    if isinstance(value, list):
        for item in value:
            yield from _expressions(item)
    elif isinstance(value, dict):
        yield value
        for name, child in value.items():
            if name != "subquery":
                yield from _expressions(child)


def _require(is_safe: bool) -> None:  # noqa: FBT001 - a condition
    if not is_safe:
        raise _UnsafeError
