"""The lint of ``sql/``: what changes its meaning on another engine, by file and line, and what to write instead.

Words about another engine are about Spark, on which the models are meant to run as well. A quotient of whole numbers is
a fraction on both (``1 / 2`` is 0.5), so ``/`` is allowed; where a whole number is wanted, the model says how it is
rounded. ``python -m warehouse.models.lint`` runs the lint over every model and every singular test.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp

from warehouse.models import lint_rules
from warehouse.models.headers import split_header
from warehouse.models.project import SCHEMAS, SQL_DIR


@dataclass(frozen=True, slots=True)
class Rule:
    """A construct that is refused: its name, why, what to write instead, and whether a node with its word is one.

    A test of its own may break a rule that is ``for_models`` alone.
    """

    name: str
    reason: str
    instead: str
    matches: Callable[[exp.Expr, str], bool]
    models_only: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A construct that is refused; ``line`` is that of the file, from 1."""

    path: Path
    line: int
    rule: Rule

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule.name}: {self.rule.reason}. Write {self.rule.instead}."


RULES = (
    Rule(
        "replace-once",
        "regexp_replace without 'g' replaces once here and everywhere on Spark, which knows no other option",
        "regexp_replace(x, pattern, y, 'g'), with (?i) in the pattern where case does not count",
        lint_rules.replaces_once,
    ),
    Rule("bare-log", "log(x) is to base 10 here and natural on Spark", "log10(x) or ln(x)", lint_rules.is_bare_log),
    Rule(
        "boundaries",
        "date_diff counts the boundaries between two moments here and whole units on Spark",
        "date_diff('day', …) of dates, or let the first side stand on a boundary: date_trunc('hour', …)",
        lint_rules.counts_boundaries,
    ),
    Rule(
        "epoch",
        "epoch and its kin are other functions on Spark, or none",
        "the timestamp itself; for seconds: date_diff('second', date_trunc('second', a), date_trunc('second', b))",
        lint_rules.is_epoch,
    ),
    Rule(
        "weekday",
        "engines number the days of the week from 0 or from 1, from Sunday or from Monday",
        "date_diff('day', date_trunc('week', x), x), which is 0 on Mondays",
        lint_rules.is_weekday,
    ),
    Rule(
        "within-group",
        "percentile_cont within group becomes an approximation on Spark",
        "quantile_cont(x, p)",
        lint_rules.is_within_group,
    ),
    Rule(
        "several-at-once",
        "arg_max(x, y, n) and max(x, n) lose their n on Spark",
        "row_number() over (… order by y desc) <= n",
        lint_rules.takes_several,
    ),
    Rule(
        "ordered-list",
        "list(x order by y) loses its order on Spark",
        "a row an element with its number, or string_agg(x, ',' order by y)",
        lint_rules.is_ordered_list,
    ),
    Rule(
        "len",
        "len(x) of a list is the length of a text on Spark",
        "array_length(x) of a list, length(x) of a text",
        lint_rules.is_len,
    ),
    Rule("whole-division", "// rounds as the engine likes", "cast(floor(a / b) as bigint)", lint_rules.divides_whole),
    Rule(
        "no-zone",
        "a timestamp without a zone is read in the zone of the session",
        "timestamptz, and the zone in the text: '2026-01-01 00:00:00+00', format %z",
        lint_rules.is_without_zone,
    ),
    Rule(
        "date-minus-date",
        "a date minus a date is a number here and an interval on Spark",
        "date_diff('day', earlier_date, later_date)",
        lint_rules.subtracts_dates,
    ),
    Rule(
        "clock-or-dice",
        "the same lake must give the same warehouse, today and tomorrow",
        "a moment that the data holds, such as max(fetched_at)",
        lint_rules.is_clock_or_dice,
    ),
    Rule(
        "by-chance",
        "which row it takes depends on how the engine reads",
        "an order by that decides, arg_min or arg_max; any_value where all values are equal",
        lint_rules.is_by_chance,
    ),
    Rule(
        "final-star",
        "a star hides what the model promises, and changes with what it reads",
        "every column by its name",
        lint_rules.is_star_of_final,
        models_only=True,
    ),
    Rule("pivot", "pivot is another statement on every engine", "max(x) filter (where …)", lint_rules.is_pivot),
    Rule(
        "by-number",
        "group by 1 and order by 1 change their meaning with the list of columns",
        "group by all, or names",
        lint_rules.is_by_number,
    ),
    Rule(
        "union",
        "Spark knows no union by name, and one by position mixes what is called differently",
        "the same names in the same order in each select",
        lint_rules.mixes_names,
    ),
    Rule(
        "only-duckdb",
        "no other engine reads it: from without select, stars with exclude, replace or rename, columns(), list "
        "comprehension, asof and positional joins, glob, similar to, order by all",
        "select and names, list_transform and list_filter, joins with on, like and regexp_matches",
        lint_rules.is_only_duckdb,
    ),
)


def lint(folder: Path = SQL_DIR) -> list[Finding]:
    """What is refused in the SQL files below ``folder``, by file and line.

    Raises:
        ModelError: a file has no header.
        ParseError: a SELECT cannot be read.
    """
    return [found for path in sorted(folder.glob("*/*.sql")) for found in lint_text(path, path.read_text("utf-8"))]


def lint_text(path: Path, text: str) -> list[Finding]:
    """What is refused in one SQL file with its header; the folder of ``path`` says whether it is a model.

    Raises:
        ModelError: it has no header.
        ParseError: the SELECT cannot be read.
    """
    sql = split_header(path, text)[1]
    before = text[: len(text) - len(sql)].count("\n")
    rules = [rule for rule in RULES if path.parent.name in SCHEMAS or not rule.models_only]
    found = {
        Finding(path, before + _line(node), rule)
        for node in sqlglot.parse_one(sql, dialect="duckdb").walk()
        for rule in rules
        if rule.matches(node, _word(sql, node))
    }
    return sorted(found, key=lambda finding: (finding.line, finding.rule.name))


def _word(sql: str, node: exp.Expr) -> str:
    """The word with which a node begins in the text, in lower case; empty where the tree does not tell."""
    start, end = node.meta.get("start"), node.meta.get("end")
    return sql[start : end + 1].lower() if isinstance(start, int) and isinstance(end, int) else ""


def _line(node: exp.Expr | None) -> int:
    """First line of a node in the text, from 1; of what holds it, where the tree does not tell."""
    while node is not None:
        lines = [int(each.meta["line"]) for each in node.walk() if "line" in each.meta]
        if lines:
            return min(lines)
        node = node.parent
    return 1


if __name__ == "__main__":
    if findings := lint():
        sys.exit("\n".join(map(str, findings)))
