"""Predicates on nodes of sqlglot's tree: is this a construct that other engines interpret differently?

``warehouse.models.lint`` says why each is forbidden. ``word`` is the first word of the node in the text, in lower case;
it is needed only where two spellings become the same node.
"""

from __future__ import annotations

import re

from sqlglot import exp

CLOCKS = (
    exp.CurrentDate,
    exp.CurrentDatetime,
    exp.CurrentTime,
    exp.CurrentTimestamp,
    exp.Localtime,
    exp.Localtimestamp,
    exp.Rand,
    exp.TableSample,
    exp.Uuid,
)
CLOCK_NAMES = ("now", "get_current_timestamp", "get_current_time", "transaction_timestamp", "setseed")
ORDERED_WINDOWS = (exp.RowNumber, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue, exp.NthValue, exp.Ntile)
NAIVE = ("TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "DATETIME")
WEEKDAYS = ("DOW", "ISODOW", "WEEKDAY", "DAYOFWEEK")
ZONE = re.compile(r"([+-]\d\d(:?\d\d)?|Z)$")
COARSER = {
    unit: ("SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR")[position:]
    for position, unit in enumerate(("SECOND", "MINUTE", "HOUR", "DAY"))
} | {"WEEK": ("WEEK",), "MONTH": ("MONTH", "QUARTER", "YEAR"), "QUARTER": ("QUARTER", "YEAR"), "YEAR": ("YEAR",)}
"""By unit, the units whose boundaries are boundaries of it as well."""


def replaces_once(node: exp.Expr, _word: str) -> bool:
    """``regexp_replace`` with other options than 'g'."""
    return isinstance(node, exp.RegexpReplace) and getattr(node.args.get("modifiers"), "name", "") != "g"


def is_bare_log(node: exp.Expr, _word: str) -> bool:
    """``log`` without its base."""
    return isinstance(node, exp.Log) and node.args.get("expression") is None


def counts_boundaries(node: exp.Expr, _word: str) -> bool:
    """``date_diff`` that does not begin on a boundary of its unit; of days, only if a name ends in ``_at``."""
    if not isinstance(node, exp.DateDiff):
        return _is_named(node, "date_sub", "datesub")
    unit, begin = node.text("unit").upper(), node.expression
    if _boundary(begin) in COARSER.get(unit, ()):
        return False
    return unit != "DAY" or any(side.name.endswith("_at") for side in (node.this, begin))


def _boundary(node: exp.Expr) -> str:
    """Unit on whose boundary the timestamp is; empty if it can be any timestamp."""
    if isinstance(node, exp.Cast) and node.to.this.name == "DATE":
        return "DAY"
    return node.text("unit").upper() if isinstance(node, exp.TimestampTrunc | exp.DateTrunc) else ""


def is_epoch(node: exp.Expr, word: str) -> bool:
    """``epoch``, ``epoch_ms`` and so on, and the date part ``epoch``."""
    return (isinstance(node, exp.Func) and word.startswith("epoch")) or _date_part(node) == "EPOCH"


def is_weekday(node: exp.Expr, _word: str) -> bool:
    """The number of a day in its week."""
    is_function = isinstance(node, exp.DayOfWeek | exp.DayOfWeekIso) or _is_named(node, "weekday")
    return is_function or _date_part(node) in WEEKDAYS


def is_within_group(node: exp.Expr, _word: str) -> bool:
    """``within group``."""
    return isinstance(node, exp.WithinGroup)


def is_top_n_aggregate(node: exp.Expr, _word: str) -> bool:
    """``arg_max(x, y, n)``, ``max(x, n)`` and so on."""
    limit = node.args.get("count") or node.args.get("expressions")
    return isinstance(node, exp.ArgMax | exp.ArgMin | exp.Max | exp.Min) and bool(limit)


def is_ordered_list(node: exp.Expr, _word: str) -> bool:
    """``list`` or ``array_agg`` with an order."""
    return isinstance(node, exp.ArrayAgg) and isinstance(node.this, exp.Order)


def is_empty_list(node: exp.Expr, _word: str) -> bool:
    """``list`` or ``array_agg`` without an order, outside ``nullif``."""
    is_list = isinstance(node, exp.ArrayAgg) and not isinstance(node.this, exp.Order)
    return is_list and node.find_ancestor(exp.Nullif) is None


def is_len(node: exp.Expr, word: str) -> bool:
    """``len``, which the tree does not tell from ``length``."""
    return isinstance(node, exp.Length) and word == "len"


def is_integer_division(node: exp.Expr, _word: str) -> bool:
    """``//``."""
    return isinstance(node, exp.IntDiv)


def is_without_zone(node: exp.Expr, _word: str) -> bool:
    """A timestamp that is parsed or cast without a zone."""
    if isinstance(node, exp.Cast):
        kind, text = node.to.this.name, node.this
        return kind in NAIVE or (kind == "TIMESTAMPTZ" and text.is_string and not ZONE.search(text.name))
    if isinstance(node, exp.StrToTime):
        return "%z" not in node.text("format")
    return _is_named(node, "try_strptime") and "%z" not in node.expressions[1].name


def subtracts_dates(node: exp.Expr, _word: str) -> bool:
    """A date minus a date, by their names."""
    return isinstance(node, exp.Sub) and all(side.name.endswith("_date") for side in (node.left, node.right))


def is_clock_or_random(node: exp.Expr, _word: str) -> bool:
    """A value that differs from build to build."""
    return isinstance(node, CLOCKS) or _is_named(node, *CLOCK_NAMES)


def takes_arbitrary_row(node: exp.Expr, _word: str) -> bool:
    """Takes one of several rows without saying which."""
    if isinstance(node, exp.Window):
        return isinstance(node.this, ORDERED_WINDOWS) and not node.args.get("order")
    if isinstance(node, exp.Limit):
        return node.parent is not None and not node.parent.args.get("order")
    if isinstance(node, exp.Distinct):
        return bool(node.args.get("on"))
    return isinstance(node, exp.First | exp.Last | exp.Mode) or _is_named(node, "arbitrary")


def is_star_of_final(node: exp.Expr, _word: str) -> bool:
    """A star among the columns of CTE ``final``."""
    query = node.parent
    if not isinstance(query, exp.Select) or node.arg_key != "expressions" or not node.is_star:
        return False
    cte = query.find_ancestor(exp.CTE)
    return cte is not None and cte.alias == "final"


def nests_generator(node: exp.Expr, _word: str) -> bool:
    """``unnest`` inside another expression than its alias."""
    return isinstance(node, exp.Explode | exp.Unnest) and isinstance(node.parent, exp.Func | exp.Binary | exp.Unary)


def filters_shadowed_sum(node: exp.Expr, _word: str) -> bool:
    """``having`` with an aggregate of a column whose name the SELECT gives to something else."""
    if not isinstance(node, exp.Having) or not isinstance(node.parent, exp.Select):
        return False
    aliases = {column.alias for column in node.parent.selects if isinstance(column, exp.Alias)}
    columns = {column for aggregate in node.find_all(exp.AggFunc) for column in aggregate.find_all(exp.Column)}
    return any(column.name in aliases and not column.table for column in columns)


def is_pivot(node: exp.Expr, _word: str) -> bool:
    """``pivot`` and ``unpivot``."""
    return isinstance(node, exp.Pivot)


def is_by_number(node: exp.Expr, _word: str) -> bool:
    """A column by its position: ``group by 1``, ``order by 1``, ``#1``."""
    is_ordinal = (
        isinstance(node, exp.Literal) and not node.is_string and isinstance(node.parent, exp.Group | exp.Ordered)
    )
    return is_ordinal or isinstance(node, exp.PositionalColumn)


def mixes_names(node: exp.Expr, _word: str) -> bool:
    """A union by name, or by position of columns with different names."""
    if not isinstance(node, exp.SetOperation):
        return False
    sides = [[column.alias_or_name for column in side.selects] for side in (node.left, node.right)]
    return bool(node.args.get("by_name")) or sides[0] != sides[1]


def is_only_duckdb(node: exp.Expr, word: str) -> bool:
    """Syntax of DuckDB alone."""
    if isinstance(node, exp.Star):
        return word != "*" or any(value for name, value in node.args.items() if name != "except_")
    if isinstance(node, exp.Join):
        return node.method in ("ASOF", "POSITIONAL")
    if isinstance(node, exp.Ordered):
        return isinstance(node.this, exp.Var)
    return isinstance(node, exp.Columns | exp.Comprehension | exp.Glob | exp.SimilarTo)


def joins_without_workspace(node: exp.Expr, _word: str) -> bool:
    """A join, or a condition with a subquery, on ``conversation_id`` alone."""
    if isinstance(node, exp.In):
        return node.args.get("query") is not None and _is_column(node.this, "conversation_id")
    if not isinstance(node, exp.Join):
        return False
    names = {column.name for column in node.args.get("using") or ()}
    condition = node.args.get("on")
    names |= {
        equality.left.name
        for equality in (condition.find_all(exp.EQ) if condition else ())
        if _is_column(equality.left, equality.right.name) and _is_column(equality.right, equality.left.name)
    }
    return "conversation_id" in names and "workspace" not in names


def qualifies_using(node: exp.Expr, _word: str) -> bool:
    """A column of ``using``, or a star, by the name of its relation in a SELECT that joins with ``using``."""
    if not isinstance(node, exp.Column) or not node.table:
        return False
    select = node.find_ancestor(exp.Select)
    joins = select.args.get("joins") or () if select else ()
    names = {column.name for join in joins for column in join.args.get("using") or ()}
    return bool(names) and (node.is_star or node.name in names)


def _is_column(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Column) and node.name == name


def _is_named(node: exp.Expr, *names: str) -> bool:
    """Whether it is a call of a function with one of these names, which sqlglot has no class for."""
    return isinstance(node, exp.Anonymous) and str(node.this).lower() in names


def _date_part(node: exp.Expr) -> str:
    """The part that ``extract`` or ``date_part`` takes, in upper case; empty for any other node."""
    if isinstance(node, exp.Extract):
        return node.name.upper()
    return node.expressions[0].name.upper() if _is_named(node, "date_part", "datepart") else ""
