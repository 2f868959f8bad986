"""The lint of ``sql/``: finds constructs that mean something else on another engine or with a second workspace.

For each, it says what to write instead.

The other engine is Spark, on which the models should run as well. Dividing two integers gives a fraction on both
(``1 / 2`` is 0.5), so ``/`` is allowed; a model that needs an integer says how it rounds.
``python -m warehouse.models.lint`` checks every model and every singular test, their headers, and what they read.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlglot
from sqlglot import exp

from warehouse.errors import ModelError
from warehouse.models import lint_rules
from warehouse.models.headers import split_header
from warehouse.models.inheritance import KEYS
from warehouse.models.project import SCHEMAS, SQL_DIR, read_project


@dataclass(frozen=True, slots=True)
class Rule:
    """A forbidden construct: why, what to write instead, and whether a node (with its first word) is one.

    A ``listed_columns_only`` rule applies only to models that list their columns: not to singular tests, and not to
    models that inherit columns.
    """

    name: str
    reason: str
    instead: str
    matches: Callable[[exp.Expr, str], bool]
    listed_columns_only: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A forbidden construct in a file; ``line`` counts from 1."""

    path: Path
    line: int
    rule: Rule

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule.name}: {self.rule.reason}. Write {self.rule.instead}."


RULES = (
    Rule(
        "replace-once",
        "regexp_replace without 'g' replaces the first match here, and all matches on Spark, which has no other option",
        "regexp_replace(x, pattern, y, 'g'), with (?i) in the pattern to ignore case",
        lint_rules.replaces_once,
    ),
    Rule("bare-log", "log(x) has base 10 here and base e on Spark", "log10(x) or ln(x)", lint_rules.is_bare_log),
    Rule(
        "boundaries",
        "date_diff counts the unit boundaries between two timestamps here, and complete units on Spark",
        "date_diff('day', …) of dates, or a start on a boundary: date_trunc('hour', …)",
        lint_rules.counts_boundaries,
    ),
    Rule(
        "epoch",
        "epoch functions have another meaning on Spark, or do not exist",
        "the timestamp itself; for seconds: date_diff('second', date_trunc('second', a), date_trunc('second', b))",
        lint_rules.is_epoch,
    ),
    Rule(
        "weekday",
        "engines number the days of the week from 0 or 1, and from Sunday or Monday",
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
        "top-n-aggregate",
        "arg_max(x, y, n) and max(x, n) lose their n on Spark",
        "row_number() over (… order by y desc) <= n",
        lint_rules.is_top_n_aggregate,
    ),
    Rule(
        "ordered-list",
        "list(x order by y) loses its order on Spark",
        "one row per element with its number, or string_agg(x, ',' order by y)",
        lint_rules.is_ordered_list,
    ),
    Rule(
        "empty-list",
        "list(x) of no row is null here, and an empty list on Spark",
        "nullif(array_to_string(list(x), ','), '')",
        lint_rules.is_empty_list,
    ),
    Rule(
        "len",
        "len(x) is the length of a list here, and of a string on Spark",
        "array_length(x) for a list, length(x) for a string",
        lint_rules.is_len,
    ),
    Rule(
        "integer-division",
        "engines round // differently",
        "cast(floor(a / b) as bigint)",
        lint_rules.is_integer_division,
    ),
    Rule(
        "no-zone",
        "a timestamp without a zone is read in the zone of the session",
        "timestamptz, with the zone in the string: '2026-01-01 00:00:00+00', format %z",
        lint_rules.is_without_zone,
    ),
    Rule(
        "date-minus-date",
        "a date minus a date is a number here and an interval on Spark",
        "date_diff('day', earlier_date, later_date)",
        lint_rules.subtracts_dates,
    ),
    Rule(
        "clock-or-random",
        "the same lake must give the same warehouse, today and tomorrow",
        "a timestamp of the data, such as max(fetched_at)",
        lint_rules.is_clock_or_random,
    ),
    Rule(
        "arbitrary-row",
        "which row it returns depends on the engine",
        "an unambiguous order by, arg_min or arg_max; any_value if all values are equal",
        lint_rules.takes_arbitrary_row,
    ),
    Rule(
        "final-star",
        "a star hides the columns of the model, and changes with its inputs",
        "every column by name, or inherit the columns",
        lint_rules.is_star_of_final,
        listed_columns_only=True,
    ),
    Rule(
        "join-without-workspace",
        "conversations of two workspaces can have the same id, and each would be joined to the other's rows",
        "a.workspace = b.workspace and a.conversation_id = b.conversation_id",
        lint_rules.joins_without_workspace,
    ),
    Rule(
        "qualified-using",
        "after a join with using (k), Sail does not know x.k, and x.* has no k there",
        "k without its relation, or joins with on",
        lint_rules.qualifies_using,
    ),
    Rule(
        "nested-generator",
        "Spark has unnest only as a column of its own",
        "unnest(x) as y in one CTE, and the expression of y in the next",
        lint_rules.nests_generator,
    ),
    Rule(
        "shadowed-having",
        "Sail takes sum(x) in having for the sum of the column x of the result",
        "the sum in one CTE, and where in the next",
        lint_rules.filters_shadowed_sum,
    ),
    Rule("pivot", "every engine has its own syntax for pivot", "max(x) filter (where …)", lint_rules.is_pivot),
    Rule(
        "by-number",
        "group by 1 and order by 1 change their meaning with the select list",
        "group by all, or names",
        lint_rules.is_by_number,
    ),
    Rule(
        "union",
        "Spark has no union by name, and a union by position mixes columns of different names",
        "the same names in the same order in each select",
        lint_rules.mixes_names,
    ),
    Rule(
        "only-duckdb",
        "other engines do not support it: from without select, stars with replace or rename, columns(), list "
        "comprehension, asof and positional joins, glob, similar to, order by all",
        "select and names, list_transform and list_filter, joins with on, like and regexp_matches",
        lint_rules.is_only_duckdb,
    ),
)


_INHERITS = re.compile(rf"^({'|'.join(KEYS)})\b", re.MULTILINE)


def lint(folder: Path = SQL_DIR) -> list[Finding]:
    """Findings in the SQL files below ``folder``, by file and line.

    Raises:
        ModelError: a file has no header.
        ParseError: a SELECT cannot be parsed.
    """
    return [finding for path in sorted(folder.glob("*/*.sql")) for finding in lint_text(path, path.read_text("utf-8"))]


def lint_text(path: Path, text: str) -> list[Finding]:
    """Findings in the text of a SQL file; the folder of ``path`` says whether it is a model.

    Raises:
        ModelError: it has no header.
        ParseError: the SELECT cannot be parsed.
    """
    toml, sql = split_header(path, text)
    header_lines = text[: len(text) - len(sql)].count("\n")
    lists_columns = path.parent.name in SCHEMAS and not _INHERITS.search(toml)
    rules = [rule for rule in RULES if lists_columns or not rule.listed_columns_only]
    findings = {
        Finding(path, header_lines + _line(node), rule)
        for node in sqlglot.parse_one(sql, dialect="duckdb").walk()
        for rule in rules
        if rule.matches(node, _word(sql, node))
    }
    return sorted(findings, key=lambda finding: (finding.line, finding.rule.name))


def _word(sql: str, node: exp.Expr) -> str:
    """The first word of a node in the text, in lower case; empty if the tree does not have its position."""
    start, end = node.meta.get("start"), node.meta.get("end")
    return sql[start : end + 1].lower() if isinstance(start, int) and isinstance(end, int) else ""


def _line(node: exp.Expr | None) -> int:
    """First line of a node in the text, from 1; of its parent if the tree does not have its position."""
    while node is not None:
        lines = [int(child.meta["line"]) for child in node.walk() if "line" in child.meta]
        if lines:
            return min(lines)
        node = node.parent
    return 1


def main(folder: Path = SQL_DIR) -> None:
    """End with every finding, or with the first error of a header or of what a model reads."""
    try:
        findings = lint(folder)
        read_project(folder)
    except ModelError as error:
        sys.exit(str(error))
    if findings:
        sys.exit("\n".join(map(str, findings)))


if __name__ == "__main__":
    main()
