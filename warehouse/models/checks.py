"""The checks of a build: each is a SELECT that must return no row.

They come from the headers (unique, not null, accepted values, least values, references, equal counts), from the units
(a share of 1 is between 0 and 1) and from ``sql/tests/``.
"""

# ruff: noqa: S608 -- every name in these statements is from sql/ or warehouse.schema.conversations, none from a user

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import duckdb

from warehouse.connection import execute_with_memory_retry, sql_literal
from warehouse.errors import ModelError
from warehouse.models.headers import Header, SeedHeader, Value
from warehouse.models.project import Project, Singular
from warehouse.parallel import map_parallel
from warehouse.schema.types import unit_of

SAMPLE_ROWS = 5


@dataclass(frozen=True, slots=True)
class Check:
    """A test of ``model`` (qualified name); ``sql`` selects the rows that should not be, and reads ``others`` too.

    ``holds`` is an aggregate over the model's rows that is true where there are none such: one scan answers all of a
    model. Empty where no aggregate can say it.
    """

    name: str
    model: str
    about: str
    sql: str
    others: tuple[str, ...] = ()
    holds: str = ""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found: the number of failing rows, and the first of them as text by column.

    One that ``is_kept`` was not run again: all that it reads stands as it was when it passed.
    """

    check: Check
    n_failing: int
    sample_rows: tuple[dict[str, str | None], ...]
    is_reused: bool = False

    @classmethod
    def reused(cls, check: Check) -> CheckResult:
        """That of a check which passed, and would again."""
        return cls(check, 0, (), is_reused=True)

    @property
    def is_passed(self) -> bool:
        """Whether no row failed."""
        return self.n_failing == 0


def checks_of(project: Project) -> tuple[Check, ...]:
    """Every check of the project: those of the seeds, then of the models in their order, then the singular ones.

    Whether the rows of a staging model are unique, the check of its table of the lake has said.
    """
    found = [check for seed in project.seeds for check in _from_header(seed.key, seed.header)]
    for model in project.models:
        first, *others = _from_header(model.key, model.header)
        found += others if model.is_keyed_as_read else [first, *others]
    order = {model.key: n for n, model in enumerate(project.models)}
    return (*found, *(_from_singular(singular, order) for singular in project.singulars))


def run(
    connection: duckdb.DuckDBPyConnection, checks: Iterable[Check], kept: Collection[str] = ()
) -> tuple[CheckResult, ...]:
    """Run the checks on the connection's database, but for those that read nothing else than what is ``kept``.

    Raises:
        ModelError: a check cannot be run.
    """
    asked, results, scans = list(checks), dict[Check, CheckResult](), defaultdict[str, list[Check]](list)
    for check in asked:
        if all(read in kept for read in (check.model, *check.others)):
            results[check] = CheckResult.reused(check)
        else:
            scans[check.model if check.holds else check.name].append(check)
    for found in map_parallel(connection, _scanned, scans.values()):
        results |= {result.check: result for result in found}
    return tuple(results[check] for check in asked)


def _scanned(connection: duckdb.DuckDBPyConnection, checks: Sequence[Check]) -> list[CheckResult]:
    """Results of checks that one scan answers, or of a single one; what fails is asked again for its rows."""
    holds: Sequence[bool] = [False for _ in checks]
    if checks[0].holds:
        with suppress(duckdb.Error):  # the check that cannot be run says so by itself
            aggregates = ", ".join(check.holds for check in checks)
            holds = execute_with_memory_retry(connection, f"select {aggregates} from {checks[0].model}")[0]
    return [
        CheckResult(check, 0, ()) if is_held else _result(connection, check)
        for check, is_held in zip(checks, holds, strict=True)
    ]


def _result(connection: duckdb.DuckDBPyConnection, check: Check) -> CheckResult:
    try:
        return _counted(connection, check)
    except duckdb.Error as error:
        raise ModelError(f"Check {check.name} of {check.model} cannot be run: {error}", "See its header.") from error


def _counted(connection: duckdb.DuckDBPyConnection, check: Check) -> CheckResult:
    n_failing = int(execute_with_memory_retry(connection, f"select count(*) from ({check.sql})")[0][0])
    if not n_failing:
        return CheckResult(check, 0, ())
    rows = connection.sql(f"select columns(*)::varchar from ({check.sql}) limit {SAMPLE_ROWS}").pl().to_dicts()
    return CheckResult(check, n_failing, tuple(rows))


def _from_header(key: str, header: Header | SeedHeader) -> Iterator[Check]:
    """That the grain is unique, and then the rest."""
    tests, name = header.tests, key.replace(".", "_")
    yield unique(f"{name}_unique", key, tests.unique or header.grain)
    for column in tests.not_null:
        yield Check(
            f"{name}_not_null_{column}",
            key,
            f"{column} is never null.",
            f"select * from {key} where {column} is null",
            holds=none(f"{column} is null"),
        )
    for column, values in tests.accepted.items():
        among = ", ".join(_literal(value) for value in values)
        yield Check(
            f"{name}_accepted_{column}",
            key,
            f"{column} is null or one of {among}.",
            f"select {column}, count(*) as n_rows from {key} where {column} not in ({among}) group by {column}",
            holds=none(f"{column} not in ({among})"),
        )
    for column, least in tests.at_least.items():
        yield Check(
            f"{name}_at_least_{column}",
            key,
            f"{column} is null or at least {least:g}.",
            f"select * from {key} where {column} < {least}",
            holds=none(f"{column} < {least}"),
        )
    for column, target in tests.references.items():
        table, _, target_column = target.rpartition(".")
        yield Check(
            f"{name}_references_{column}",
            key,
            f"Every {column} is in {target}.",
            f"select {column}, count(*) as n_rows from {key} where {column} not in "
            f"(select {target_column} from {table} where {target_column} is not null) group by {column}",
            (table,),
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
        )
    for column in header.columns:
        if unit_of(column) == "share of 1":
            yield Check(
                f"{name}_share_{column}",
                key,
                f"{column} is between 0 and 1.",
                f"select * from {key} where not ({column} between 0 and 1)",
                holds=none(f"not ({column} between 0 and 1)"),
            )


def unique(name: str, relation: str, key: Iterable[str]) -> Check:
    """The check that no two rows of a relation have the same key.

    Where the keys' hashes differ, so do the keys, and to tell hashes apart takes a third of the time; where two are the
    same, the keys themselves are asked.
    """
    keys = ", ".join(key)
    return Check(
        name,
        relation,
        f"One row per {keys}.",
        f"select {keys}, count(*) as n_rows from {relation} group by {keys} having count(*) > 1",
        holds=f"count(*) = count(distinct hash({keys}))",
    )


def none(condition: str) -> str:
    """The aggregate that is true where the condition is true of no row."""
    return f"bool_or({condition}) is not true"


def _from_singular(singular: Singular, order: dict[str, int]) -> Check:
    """A singular test belongs to the last built model that it reads."""
    model = max(singular.reads, key=lambda read: order.get(read, -1))
    return Check(singular.name, model, singular.header.description, singular.sql.strip(), singular.reads)


def _literal(value: Value) -> str:
    return sql_literal(value) if isinstance(value, str) else str(value)
