"""Constructs of SQL that other engines read otherwise: is a node of sqlglot's tree one?

``warehouse.models.lint`` says why each is refused. ``word`` is what the node begins with in the text, in lower case:
it is asked only where two spellings make one node.
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
    unit: ("SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR")[place:]
    for place, unit in enumerate(("SECOND", "MINUTE", "HOUR", "DAY"))
} | {"WEEK": ("WEEK",), "MONTH": ("MONTH", "QUARTER", "YEAR"), "QUARTER": ("QUARTER", "YEAR"), "YEAR": ("YEAR",)}
"""Units on whose boundaries a moment also stands on a boundary of the given one."""


def replaces_once(node: exp.Expr, _word: str) -> bool:
    """``regexp_replace`` with other options than 'g'."""
    return isinstance(node, exp.RegexpReplace) and getattr(node.args.get("modifiers"), "name", "") != "g"


def is_bare_log(node: exp.Expr, _word: str) -> bool:
    """``log`` without its base."""
    return isinstance(node, exp.Log) and node.args.get("expression") is None


def counts_boundaries(node: exp.Expr, _word: str) -> bool:
    """``date_diff`` that begins on no boundary of its unit; of days only where a name says that it is a moment."""
    if not isinstance(node, exp.DateDiff):
        return _is_named(node, "date_sub", "datesub")
    unit, begin = node.text("unit").upper(), node.expression
    if _boundary(begin) in COARSER.get(unit, ()):
        return False
    return unit != "DAY" or any(side.name.endswith("_at") for side in (node.this, begin))


def _boundary(node: exp.Expr) -> str:
    """Unit on whose boundary the moment stands."""
    if isinstance(node, exp.Cast) and node.to.this.name == "DATE":
        return "DAY"
    return node.text("unit").upper() if isinstance(node, exp.TimestampTrunc | exp.DateTrunc) else ""


def is_epoch(node: exp.Expr, word: str) -> bool:
    """``epoch``, ``epoch_ms`` and the like, and the part of that name."""
    return (isinstance(node, exp.Func) and word.startswith("epoch")) or _date_part(node) == "EPOCH"


def is_weekday(node: exp.Expr, _word: str) -> bool:
    """Number of the day in its week."""
    is_function = isinstance(node, exp.DayOfWeek | exp.DayOfWeekIso) or _is_named(node, "weekday")
    return is_function or _date_part(node) in WEEKDAYS


def is_within_group(node: exp.Expr, _word: str) -> bool:
    """``within group``."""
    return isinstance(node, exp.WithinGroup)


def takes_several(node: exp.Expr, _word: str) -> bool:
    """``arg_max(x, y, n)``, ``max(x, n)`` and the like."""
    several = node.args.get("count") or node.args.get("expressions")
    return isinstance(node, exp.ArgMax | exp.ArgMin | exp.Max | exp.Min) and bool(several)


def is_ordered_list(node: exp.Expr, _word: str) -> bool:
    """``list`` or ``array_agg`` with an order."""
    return isinstance(node, exp.ArrayAgg) and isinstance(node.this, exp.Order)


def is_len(node: exp.Expr, word: str) -> bool:
    """``len``, which is ``length`` to the tree."""
    return isinstance(node, exp.Length) and word == "len"


def divides_whole(node: exp.Expr, _word: str) -> bool:
    """``//``."""
    return isinstance(node, exp.IntDiv)


def is_without_zone(node: exp.Expr, _word: str) -> bool:
    """A timestamp that is read or made without a zone."""
    if isinstance(node, exp.Cast):
        kind, text = node.to.this.name, node.this
        return kind in NAIVE or (kind == "TIMESTAMPTZ" and text.is_string and not ZONE.search(text.name))
    if isinstance(node, exp.StrToTime):
        return "%z" not in node.text("format")
    return _is_named(node, "try_strptime") and "%z" not in node.expressions[1].name


def subtracts_dates(node: exp.Expr, _word: str) -> bool:
    """A date minus a date, by their names."""
    return isinstance(node, exp.Sub) and all(side.name.endswith("_date") for side in (node.left, node.right))


def is_clock_or_dice(node: exp.Expr, _word: str) -> bool:
    """What is another value with each build."""
    return isinstance(node, CLOCKS) or _is_named(node, *CLOCK_NAMES)


def is_by_chance(node: exp.Expr, _word: str) -> bool:
    """What takes one of several rows and does not say which."""
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


def is_pivot(node: exp.Expr, _word: str) -> bool:
    """``pivot`` and ``unpivot``."""
    return isinstance(node, exp.Pivot)


def is_by_number(node: exp.Expr, _word: str) -> bool:
    """A column by its place: ``group by 1``, ``order by 1``, ``#1``."""
    is_place = isinstance(node, exp.Literal) and not node.is_string and isinstance(node.parent, exp.Group | exp.Ordered)
    return is_place or isinstance(node, exp.PositionalColumn)


def mixes_names(node: exp.Expr, _word: str) -> bool:
    """A union by name, or by position of columns that are not called the same."""
    if not isinstance(node, exp.SetOperation):
        return False
    sides = [[column.alias_or_name for column in side.selects] for side in (node.left, node.right)]
    return bool(node.args.get("by_name")) or sides[0] != sides[1]


def is_only_duckdb(node: exp.Expr, word: str) -> bool:
    """Syntax that no other engine reads."""
    if isinstance(node, exp.Star):
        return word != "*" or any(node.args.values())
    if isinstance(node, exp.Join):
        return node.method in ("ASOF", "POSITIONAL")
    if isinstance(node, exp.Ordered):
        return isinstance(node.this, exp.Var)
    return isinstance(node, exp.Columns | exp.Comprehension | exp.Glob | exp.SimilarTo)


def _is_named(node: exp.Expr, *names: str) -> bool:
    """Whether it is a call of a function that sqlglot does not know, by one of these names."""
    return isinstance(node, exp.Anonymous) and str(node.this).lower() in names


def _date_part(node: exp.Expr) -> str:
    """Part that ``extract`` or ``date_part`` takes, in upper case; empty for anything else."""
    if isinstance(node, exp.Extract):
        return node.name.upper()
    return node.expressions[0].name.upper() if _is_named(node, "date_part", "datepart") else ""
