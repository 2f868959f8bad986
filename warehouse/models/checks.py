"""Checks on built data: each is a SELECT that must return no row, as a test is in dbt.

This module knows what a check is, how checks are run, and which ones follow from a header: a unique key, not null,
accepted values, lower bounds, references, equal row counts, and that a share is between 0 and 1.
``warehouse.models.data_quality`` collects the checks of the whole warehouse.
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.schema, none from a user

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import duckdb

from warehouse.connection import execute_with_memory_retry, sql_literal
from warehouse.errors import ModelError
from warehouse.models.headers import Header, SeedHeader, Value
from warehouse.parallel import map_parallel

SAMPLE_ROWS = 5
"""Failing rows that a result shows."""
CONSTRAINTS = "constraints"
"""The group of the checks of a table by itself: unique key, references, equal counts, required and accepted values."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check of the relation ``model`` (qualified name).

    ``sql`` selects what fails, and reads ``also_reads`` besides the model. ``passes_when`` is an aggregate over the
    model's rows that is true where none fails, so that one scan answers many checks of a model; it is empty where no
    aggregate can express the check. ``columns`` are the columns that the check is about, and ``failing_when`` is the
    condition that is true of a failing row; it is empty where no row fails on its own. Checks of a model with the same
    ``group`` are one check in Dagster; one without a group is shown by its name.
    """

    name: str
    model: str
    description: str
    sql: str
    also_reads: tuple[str, ...] = ()
    passes_when: str = ""
    columns: tuple[str, ...] = ()
    failing_when: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The number of failing rows and the first ``SAMPLE_ROWS`` of them, as text by column.

    A result ``is_reused`` when the check was not run: it passed before, and nothing that it reads has changed since.
    """

    check: Check
    n_failing: int
    sample_rows: tuple[dict[str, str | None], ...]
    is_reused: bool = False

    @classmethod
    def reused(cls, check: Check) -> CheckResult:
        """The result of a check that passed in the build before."""
        return cls(check, 0, (), is_reused=True)

    @property
    def is_passed(self) -> bool:
        """Whether no row failed."""
        return self.n_failing == 0


def run(
    connection: duckdb.DuckDBPyConnection, checks: Iterable[Check], unchanged: Collection[str] = ()
) -> tuple[CheckResult, ...]:
    """Results in the order of the checks; a check that reads only ``unchanged`` relations is not run.

    Raises:
        ModelError: a check cannot be run.
    """
    check_list = list(checks)
    results = {
        check: CheckResult.reused(check)
        for check in check_list
        if all(relation in unchanged for relation in (check.model, *check.also_reads))
    }
    scans = group_by_scan(check for check in check_list if check not in results)
    for scan_results in map_parallel(connection, _scan, scans):
        results |= {result.check: result for result in scan_results}
    return tuple(results[check] for check in check_list)


def group_by_scan(checks: Iterable[Check]) -> list[list[Check]]:
    """The checks of each relation that one scan can answer, and every other check alone."""
    scans: dict[tuple[str, str], list[Check]] = defaultdict(list)
    for check in checks:
        scans[check.model, "" if check.passes_when else check.name].append(check)
    return list(scans.values())


def _scan(connection: duckdb.DuckDBPyConnection, checks: Sequence[Check]) -> list[CheckResult]:
    """Results of the checks of one scan; only a check that does not pass is run again for its failing rows."""
    passes: Sequence[bool] = [False for _ in checks]
    if checks[0].passes_when:
        with suppress(duckdb.Error):  # below, each check runs alone, so the error names the one that is wrong
            aggregates = ", ".join(check.passes_when for check in checks)
            passes = execute_with_memory_retry(connection, f"select {aggregates} from {checks[0].model}")[0]
    return [
        CheckResult(check, 0, ()) if is_passed else _run_one(connection, check)
        for check, is_passed in zip(checks, passes, strict=True)
    ]


def _run_one(connection: duckdb.DuckDBPyConnection, check: Check) -> CheckResult:
    try:
        n_failing = int(execute_with_memory_retry(connection, f"select count(*) from ({check.sql})")[0][0])
        if not n_failing:
            return CheckResult(check, 0, ())
        rows = connection.sql(f"select columns(*)::varchar from ({check.sql}) limit {SAMPLE_ROWS}").pl().to_dicts()
    except duckdb.Error as error:
        raise ModelError(f"Check {check.name} of {check.model} cannot be run: {error}", "See its header.") from error
    return CheckResult(check, n_failing, tuple(rows))


def header_checks(key: str, header: Header | SeedHeader) -> Iterator[Check]:
    """The checks that a header implies for the relation ``key``: first that the grain is unique, then the others."""
    tests, name = header.tests, key.replace(".", "_")
    yield unique_check(f"{name}_unique", key, tests.unique or header.grain)
    for column in tests.not_null:
        about = f"{column} is never null."
        yield row_check(f"{name}_not_null_{column}", key, [column], f"{column} is null", about, group=CONSTRAINTS)
    for column, values in tests.accepted.items():
        accepted = ", ".join(_literal(value) for value in values)
        failing_when = f"{column} not in ({accepted})"
        yield row_check(
            f"{name}_accepted_{column}",
            key,
            [column],
            failing_when,
            f"{column} is null or one of {accepted}.",
            sql=f"select {column}, count(*) as n_rows from {key} where {failing_when} group by {column}",
            group=CONSTRAINTS,
        )
    for column, minimum in tests.at_least.items():
        about = f"{column} is null or at least {minimum:g}."
        failing_when = f"{column} < {minimum}"
        yield row_check(f"{name}_at_least_{column}", key, [column], failing_when, about, group=CONSTRAINTS)
    for column, target in tests.references.items():
        table, _, target_column = target.rpartition(".")
        yield Check(
            f"{name}_references_{column}",
            key,
            f"Every {column} is in {target}.",
            f"select {column}, count(*) as n_rows from {key} where {column} not in "
            f"(select {target_column} from {table} where {target_column} is not null) group by {column}",
            (table,),
            columns=(column,),
            group=CONSTRAINTS,
        )
    if tests.same_count_as:
        other = tests.same_count_as
        yield Check(
            f"{name}_same_count",
            key,
            f"As many rows as {other}.",
            f"select * from (select (select count(*) from {key}) as n_rows, (select count(*) from {other}) as n_other) "
            "where n_rows <> n_other",
            (other,),
            group=CONSTRAINTS,
        )
    for column in header.columns:
        if column.endswith(("_rate", "_coverage")):  # counts over counts; a share of amounts is as the API reports them
            about, failing_when = f"{column} is between 0 and 1.", f"not ({column} between 0 and 1)"
            yield row_check(f"{name}_share_{column}", key, [column], failing_when, about, group=CONSTRAINTS)


def row_check(
    name: str,
    relation: str,
    columns: Iterable[str],
    failing_when: str,
    description: str,
    *,
    sql: str = "",
    group: str = "",
) -> Check:
    """A check that no row of a relation meets the condition ``failing_when``; ``sql`` may group the failing rows."""
    return Check(
        name,
        relation,
        description,
        sql or f"select * from {relation} where {failing_when}",
        passes_when=f"bool_or({failing_when}) is not true",
        columns=tuple(columns),
        failing_when=failing_when,
        group=group,
    )


def unique_check(name: str, relation: str, key: Iterable[str]) -> Check:
    """A check that no two rows of a relation have the same key.

    Different hashes mean different keys, and counting distinct hashes takes a third of the time. Only if two hashes
    are equal are the keys themselves compared.
    """
    columns = tuple(key)
    names = ", ".join(columns)
    return Check(
        name,
        relation,
        f"One row per {names}.",
        f"select {names}, count(*) as n_rows from {relation} group by {names} having count(*) > 1",
        passes_when=f"count(*) = count(distinct hash({names}))",
        columns=columns,
        group=CONSTRAINTS,
    )


def _literal(value: Value) -> str:
    return sql_literal(value) if isinstance(value, str) else str(value)
