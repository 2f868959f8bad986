"""Which SELECTs can be answered call by call: rows of a conversation that follow from that conversation's rows alone.

Of such a model, what stands can be kept when some conversations change, and only their rows be made again. It is read
off the tree of DuckDB's parser, and what is not known here to be safe counts as unsafe. Of the relations that a SELECT
reads, some are *keyed*: their rows have a ``conversation_id``. It is by call when

- all keyed relations that it joins are joined on that column, and joins with others drop or repeat rows, but add none;
- it selects the column as it is, groups by it, and every window is partitioned by it;
- it takes no first few rows, and its subqueries read nothing that is keyed.

Relations without the column are taken as given: when one changes, all of the model is made again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

Tree = Mapping[str, Any]

KEY = "conversation_id"

GENERATORS = frozenset({"unnest", "range", "generate_series"})
"""Table functions that read no table."""

_SELECT = {"type", "modifiers", "cte_map", "select_list", "from_table", "where_clause", "group_expressions"}
_SELECT |= {"group_sets", "aggregate_handling", "having", "qualify"}
_SET_OPERATION = {"type", "modifiers", "cte_map", "setop_type", "setop_all", "children"}
_TABLE = {"type", "alias", "schema_name", "table_name", "qualified_name", "query_location", "query_location_length"}
_STAR = {"class", "type", "relation_name", "exclude_list", "query_location", "query_location_length"}


class _UnsafeError(Exception):
    """A construct that may look at several conversations at once."""


@dataclass(frozen=True, slots=True)
class _From:
    """What a SELECT reads; ``keys`` are sets of aliases whose first filled ``conversation_id`` is that of the row.

    No keys: it reads no conversations. The alias of an unqualified column is empty.
    """

    keys: tuple[frozenset[str], ...] = ()


GIVEN = _From()


def is_conversation_local(tree: Tree, keyed: Collection[str]) -> bool:
    """Whether a SELECT (its node in the tree) is by call, if the relations ``keyed`` are those with the column."""
    try:
        return _query(tree, {}, keyed)
    except _UnsafeError:
        return False


def _query(node: Tree, ctes: Mapping[str, bool], keyed: Collection[str]) -> bool:
    """Whether a query is by call; False where it reads nothing that is keyed.

    Raises:
        _UnsafeError: neither.
    """
    known = dict(ctes)
    for cte in node.get("cte_map", {}).get("map", ()):
        known[cte["key"]] = _query(cte["value"]["query_node"], known, keyed)
    if node["type"] == "SET_OPERATION_NODE":
        return _set_operation(node, known, keyed)
    if node["type"] != "SELECT_NODE" or not node.keys() <= _SELECT:
        raise _UnsafeError
    source = _from(node.get("from_table", {"type": "EMPTY"}), known, keyed)
    for expression in _expressions([value for name, value in node.items() if name != "cte_map"]):
        if "subquery" in expression and _query(expression["subquery"]["node"], known, keyed):
            raise _UnsafeError
        if source.keys and expression.get("class") == "WINDOW":
            _require(any(_is_key(each, source) for each in expression.get("partitions", ())))
    if source.keys:
        _modifiers(node, source)
        _key_at(node, source)
        is_grouped = "group_expressions" in node
        _require(not is_grouped or any(_is_key(each, source) for each in node["group_expressions"]))
        _require(len(node.get("group_sets", ())) <= 1)
    return bool(source.keys)


def _set_operation(node: Tree, ctes: Mapping[str, bool], keyed: Collection[str]) -> bool:
    _require(node.keys() <= _SET_OPERATION)
    parts = [_query(child, ctes, keyed) for child in node["children"]]
    if not any(parts):
        return False
    _require(all(parts))
    _modifiers(node, GIVEN)
    _require(len({_position(child) for child in node["children"]}) == 1)
    return True


def _position(node: Tree) -> int:
    """Where a part of a set operation has its key; all of them must have it there, as columns are matched by place."""
    while node["type"] == "SET_OPERATION_NODE":
        node = node["children"][0]
    _require(all(item["class"] != "STAR" for item in node["select_list"]))
    return [_name(item) for item in node["select_list"]].index(KEY)


def _modifiers(node: Tree, source: _From) -> None:
    """Order and DISTINCT are safe, with ON where that holds the key; to take some rows is not."""
    for modifier in node.get("modifiers", ()):
        targets = modifier.get("distinct_on_targets", ())
        is_safe = modifier["type"] in ("ORDER_MODIFIER", "DISTINCT_MODIFIER")
        _require(is_safe and (not targets or any(_is_key(each, source) for each in targets)))


def _key_at(node: Tree, source: _From) -> None:
    """The select list has the key as it is, once by its name or by a star."""
    stars = [item for item in node["select_list"] if item["class"] == "STAR"]
    named = [item for item in node["select_list"] if item["class"] != "STAR" and _name(item) == KEY]
    _require(len(named) + len(stars) == 1 and all(_is_key(item, source) for item in named))
    is_joined = node["from_table"]["type"] == "JOIN"
    for star in stars:
        alias = star.get("relation_name", "")
        _require(star.keys() <= _STAR and (alias != "" or not is_joined))
        _require(all(isinstance(each, str) and each != KEY for each in star.get("exclude_list", ())))
        _require(_has(source, alias))


def _from(table: Tree, ctes: Mapping[str, bool], keyed: Collection[str]) -> _From:
    kind = table["type"]
    if kind == "EMPTY" or (kind == "TABLE_FUNCTION" and table["function"].get("function_name") in GENERATORS):
        return GIVEN
    if kind == "BASE_TABLE":
        _require(table.keys() <= _TABLE)
        name = table["table_name"]
        is_local = f"{table['schema_name']}.{name}" in keyed if "schema_name" in table else ctes[name]
        return _From((frozenset({"", table.get("alias", name)}),)) if is_local else GIVEN
    if kind == "JOIN":
        return _join(table, _from(table["left"], ctes, keyed), _from(table["right"], ctes, keyed))
    raise _UnsafeError


def _join(table: Tree, left: _From, right: _From) -> _From:
    _require(table["ref_type"] in ("REGULAR", "CROSS") and not table.get("using_columns"))
    kind = table["join_type"]
    if not (left.keys and right.keys):
        filled = {"LEFT": right, "SEMI": right, "ANTI": right, "RIGHT": left}
        _require(kind == "INNER" or (kind in filled and not filled[kind].keys))
        return _From(left.keys or right.keys)
    ours, theirs = _qualified(left), _qualified(right)
    _require(any(_joins(each, ours, theirs) for each in _conjuncts(table.get("condition", {}))))
    both = {
        "INNER": (*ours, *theirs),
        "LEFT": ours,
        "SEMI": ours,
        "ANTI": ours,
        "RIGHT": theirs,
        "FULL": tuple(one | other for one, other in product(ours, theirs)),
    }
    _require(kind in both)
    return _From(both[kind])


def _qualified(source: _From) -> tuple[frozenset[str], ...]:
    """The keys without the unqualified column, which would be ambiguous in a join."""
    return tuple(key - {""} for key in source.keys)


def _conjuncts(condition: Tree) -> Iterator[Tree]:
    if condition.get("type") == "CONJUNCTION_AND":
        for child in condition["children"]:
            yield from _conjuncts(child)
    else:
        yield condition


def _joins(condition: Tree, left: Collection[frozenset[str]], right: Collection[frozenset[str]]) -> bool:
    """Whether the condition says that both sides have the same key."""
    if condition.get("type") != "COMPARE_EQUAL":
        return False
    one, other = condition["left"], condition["right"]
    sides = ((left, right), (right, left))
    return any(_is_key(one, _From(tuple(mine))) and _is_key(other, _From(tuple(yours))) for mine, yours in sides)


def _is_key(expression: Tree, source: _From) -> bool:
    """Whether an expression is the key: a column, or a coalesce of columns after a full join."""
    if expression.get("type") == "OPERATOR_COALESCE":
        columns = [child for child in expression["children"] if child["class"] == "COLUMN_REF"]
        aliases = frozenset(_alias(child) for child in columns if child["column_names"][-1] == KEY)
        return len(columns) == len(expression["children"]) == len(aliases) and aliases in source.keys
    is_column = expression.get("class") == "COLUMN_REF" and expression["column_names"][-1] == KEY
    return is_column and _has(source, _alias(expression))


def _has(source: _From, alias: str) -> bool:
    """Whether the key of the relation with that alias is by itself the row's."""
    return any(alias in key and len(key - {""}) == 1 for key in source.keys)


def _alias(column: Tree) -> str:
    names: list[str] = column["column_names"]
    return names[-2] if len(names) > 1 else ""


def _name(item: Tree) -> str:
    """The name of a selected column."""
    return str(item.get("alias") or (item["column_names"][-1] if item["class"] == "COLUMN_REF" else ""))


def _expressions(value: Any) -> Iterator[Tree]:
    """Every expression below a node, but for those of its subqueries."""
    if isinstance(value, list):
        for each in value:
            yield from _expressions(each)
    elif isinstance(value, dict):
        yield value
        for name, each in value.items():
            if name != "subquery":
                yield from _expressions(each)


def _require(is_safe: bool) -> None:  # noqa: FBT001 - a condition
    if not is_safe:
        raise _UnsafeError
