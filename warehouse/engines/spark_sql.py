"""The SQL of a model for Spark and Sail: a pure function over sqlglot's trees, from DuckDB's dialect.

sqlglot translates most of it. The rewrites here are what it leaves different; each says what would be wrong without it.
``warehouse.models.lint`` forbids in ``sql/`` what no rewrite can make equal.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import sqlglot
from sqlglot import exp

Naming = Callable[[str, str], str]
"""From schema and name of a relation to its name on the engine."""

TYPES = {"TIMESTAMP": "timestamp_ntz", "TIMESTAMP WITH TIME ZONE": "timestamp", "HUGEINT": "decimal(38, 0)"}
"""Types of DuckDB that sqlglot would translate to another one."""

ROW_FUNCTIONS = {"row": "struct", "hash": "xxhash64"}
"""Functions of several columns, by name in DuckDB."""


@lru_cache(maxsize=2048)  # a process that builds more than once translates the same texts
def to_spark(sql: str, relation: Naming, columns: tuple[str, ...] = ()) -> str:
    """The SELECT in Spark's dialect.

    Args:
        sql: One SELECT in DuckDB's dialect.
        relation: Names the relations that it reads.
        columns: The columns of CTE ``final`` in order; needed where it has a star with ``exclude``.

    Raises:
        ParseError: it is no SELECT that sqlglot can read.
    """
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    for select in tree.find_all(exp.Select):
        _write_out_groups(select)
        _write_out_star(select, columns)
    for rewrite in (_percentile, _struct, _wall_clock, _interval, _concat, _filtered_window):
        tree = tree.transform(rewrite, copy=False)
    for table in list(tree.find_all(exp.Table)):
        if table.db:
            table.replace(exp.to_table(relation(table.db, table.name)).as_(table.alias_or_name))
    return tree.sql(dialect="spark", pretty=True)


def spark_type(duckdb_type: str) -> str:
    """A type as DuckDB describes it, in Spark's dialect."""
    if duckdb_type in TYPES:
        return TYPES[duckdb_type]
    return exp.DataType.build(duckdb_type, dialect="duckdb").sql(dialect="spark").lower()


def _percentile(node: exp.Expr) -> exp.Expr:
    """``quantile_cont`` and ``median`` as ``percentile``: which is exact on both."""
    if isinstance(node, exp.PercentileCont) and not isinstance(node.parent, exp.WithinGroup):
        return exp.func("percentile", node.this, node.expression)
    if isinstance(node, exp.Median):
        return exp.func("percentile", node.this, exp.Literal.number("0.5"))
    return node


def _struct(node: exp.Expr) -> exp.Expr:
    """``row(a, b)``, by which rows are ordered, as ``struct``; ``hash(a, b)`` as the function that has 64 bits too."""
    if isinstance(node, exp.Anonymous) and node.name.lower() in ROW_FUNCTIONS:
        return exp.func(ROW_FUNCTIONS[node.name.lower()], *node.expressions)
    return node


def _wall_clock(node: exp.Expr) -> exp.Expr:
    """A time at a zone is without zone, while ``from_utc_timestamp`` returns an instant."""
    if isinstance(node, exp.AtTimeZone):
        return exp.cast(exp.func("from_utc_timestamp", node.this, node.args["zone"]), "timestamp_ntz", dialect="spark")
    return node


def _interval(node: exp.Expr) -> exp.Expr:
    """Parentheses: in ``interval 7 day and x``, Spark reads ``day and`` as a range of units."""
    if isinstance(node, exp.Interval) and not isinstance(node.parent, exp.Paren):
        return exp.paren(node, copy=False)
    return node


def _concat(node: exp.Expr) -> exp.Expr:
    """Texts of what ``concat`` joins: a null is an empty text in DuckDB, and Spark makes no number of that."""
    if isinstance(node, exp.Concat):
        texts = [part if part.is_string else exp.cast(part, "text") for part in node.expressions]
        node.set("expressions", texts)
    return node


def _filtered_window(node: exp.Expr) -> exp.Expr:
    """``sum(x) filter (where y) over (…)`` as the sum of a case: Sail has no filter in a window."""
    if isinstance(node, exp.Window) and isinstance(node.this, exp.Filter):
        aggregate, condition = node.this.this, node.this.expression.this
        argument = exp.Literal.number(1) if isinstance(aggregate.this, exp.Star) else aggregate.this
        aggregate.set("this", exp.case().when(condition, argument))
        node.set("this", aggregate)
    return node


def _write_out_groups(select: exp.Select) -> None:
    """``group by all`` as the expressions without an aggregate: Sail does not have it."""
    group = select.args.get("group")
    if group is not None and group.args.get("all"):
        keys = [column.unalias() for column in select.selects if not column.find(exp.AggFunc, exp.AnonymousAggFunc)]
        select.set("group", exp.Group(expressions=[key.copy() for key in keys]) if keys else None)


def _write_out_star(select: exp.Select, columns: Sequence[str]) -> None:
    """A star with ``exclude`` as its columns: Sail does not have ``* except (…)``.

    In CTE ``final`` they are the columns of the result that the SELECT does not name itself; elsewhere those of the CTE
    that the star is of, which names them.
    """
    stars = [column for column in select.selects if _excludes(column)]
    if not stars:
        return
    (star,) = stars
    relation = star.table if isinstance(star, exp.Column) else None
    cte = select.find_ancestor(exp.CTE)
    if cte is not None and cte.alias != "final":
        siblings = cte.parent.expressions if cte.parent else []
        (source,) = [other for other in siblings if other.alias == relation]
        excluded_names = {name.name for name in (star.this if relation else star).args["except_"]}
        candidates = [name for name in source.this.named_selects if name not in excluded_names]
    else:
        others = {column.alias_or_name for column in select.selects if column is not star}
        candidates = [name for name in columns if name not in others]
    names = [exp.column(name, relation) for name in candidates]
    select.set("expressions", [name for column in select.selects for name in (names if column is star else [column])])


def _excludes(column: exp.Expr) -> bool:
    star = column.this if isinstance(column, exp.Column) else column
    return isinstance(star, exp.Star) and bool(star.args.get("except_"))
