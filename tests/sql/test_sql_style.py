"""The style of ``sql/``, as a linter of a few rules: each with a bad example that it catches.

What another engine would read otherwise is refused by ``warehouse.models.lint``.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
import sqlglot
from msgspec.structs import asdict
from sqlglot import ErrorLevel, exp

from warehouse.models.column_types import column_types
from warehouse.models.headers import NO_COUNTERPART, split_header
from warehouse.models.lineage import column_lineage
from warehouse.models.project import PUBLIC_SCHEMAS, SCHEMAS, SQL_DIR, Project
from warehouse.models.sensitive_columns import COMPUTED, SENSITIVE_COLUMNS
from warehouse.schema.registry import BY_NAME
from warehouse.schema.types import Sensitivity, unit_of

TEXTLESS = ("BIGINT", "DOUBLE", "DECIMAL", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE")
"""Types whose values hold no words."""
FILES = sorted(path for path in SQL_DIR.glob("**/*.sql"))


def problems(sql: str) -> list[str]:
    """What is wrong with a SELECT."""
    shouted = re.findall(r"\w*[A-Z]\w*", re.sub(r"'[^']*'", "", sql))
    faults = [f"{', '.join(shouted)} is not lower case"] if shouted else []
    if not sql.endswith("\n\nselect * from final\n"):
        faults.append("the last line is not select * from final")
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    ctes = [cte for cte in tree.find_all(exp.CTE) if not _is_import(cte)]
    reads = [cte.alias for cte in ctes if any(table.db for table in cte.this.find_all(exp.Table))]
    return faults + [f"{name} reads a model beside the imports" for name in reads]


def _is_import(cte: exp.CTE) -> bool:
    """Whether the CTE is only ``select * from`` a model, a seed or a table of the lake."""
    return re.fullmatch(r"select \* from \w+\.\w+", cte.this.sql(dialect="duckdb").lower()) is not None


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_style(path: Path) -> None:
    _, sql = split_header(path, path.read_text())
    assert problems(sql) == []
    assert [line for line in sql.splitlines() if len(line) > 120 and " " in line.strip()] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_header_repeats_a_default_or_what_it_inherits(path: Path, project: Project) -> None:
    header = tomllib.loads(split_header(path, path.read_text())[0])
    parent = project.by_key.get(header.get("inherits_metrics_from", header.get("inherits_columns_from")))
    columns, metrics = (parent.header.columns, parent.header.metrics) if parent else ({}, {})
    repeated = [column for column, text in header.get("columns", {}).items() if columns.get(column) == text]
    for column, metric in header.get("metrics", {}).items():
        default = {"differs_from_vendor": NO_COUNTERPART, "unit": unit_of(column)}
        inherited = asdict(metrics[column]) if column in metrics else default
        repeated += [f"{column}.{key}" for key, value in metric.items() if inherited.get(key) == value]
    assert repeated == []


GOOD = """\
with calls as (
    select * from marts.calls
),

final as (
    select {} from calls
)

select * from final
"""


@pytest.mark.parametrize("expression", ["COUNT(*)", "(select max(a) from marts.others)"])
def test_each_rule_catches_its_bad_example(expression: str) -> None:
    assert len(problems(GOOD.format(expression))) == 1


def test_what_is_allowed_is_allowed() -> None:
    assert problems(GOOD.format("count(*), coalesce(a, 'UNKNOWN')")) == []


def test_last_line_is_select_from_final() -> None:
    sql = GOOD.format("a").replace("select * from final", "select a from final")
    assert problems(sql) == ["the last line is not select * from final"]


def test_spark_can_be_written_from_every_model(project: Project) -> None:
    for model in project.models:
        spark = sqlglot.parse_one(model.sql, dialect="duckdb").sql(dialect="spark", unsupported_level=ErrorLevel.RAISE)
        assert sqlglot.parse_one(spark, dialect="spark").find(exp.Select), model.key


def test_folders_are_schemas() -> None:
    assert {path.parent.name for path in FILES} == {*SCHEMAS, "tests"}


def test_staging_holds_every_column_of_the_lake_and_says_the_same_of_it(project: Project) -> None:
    lineage = column_lineage(project)
    staging = {model.name: model for model in project.models if model.schema == "staging"}
    assert set(staging) == {f"stg_{name}" for name in BY_NAME}
    for name, table in BY_NAME.items():
        model = staging[f"stg_{name}"]
        sources = {column: lineage[model.key][column][0][1] for column in model.header.columns}
        assert list(sources.values()) == list(table.column_names)
        assert model.header.columns == {column: table.column(source).description for column, source in sources.items()}
        assert [sources[column] for column in model.header.grain] == list(table.key)


def test_every_text_that_comes_from_words_or_identifiers_is_withheld(project: Project) -> None:
    """A new column that fails this goes into ``SENSITIVE_COLUMNS``, or has a test that lists its values."""
    types, lineage = column_types(project), column_lineage(project)
    of_columns: dict[tuple[str, str], set[Sensitivity]] = {}

    def sensitivities(relation: str, column: str) -> set[Sensitivity]:
        schema, _, table = relation.partition(".")
        if schema == "lake":
            return {BY_NAME[table].column(column).sensitivity} - {None}
        if (relation, column) not in of_columns:
            of_columns[relation, column] = set()  # while its sources are looked at
            sources = lineage.get(relation, {}).get(column, [])
            of_columns[relation, column] = set().union(*(sensitivities(*source) for source in sources))
        return of_columns[relation, column]

    expected: defaultdict[str, dict[str, Sensitivity]] = defaultdict(dict)
    for model in project.models:
        for column in model.header.columns if model.schema in PUBLIC_SCHEMAS else ():
            is_text = types[model.key][column].partition("(")[0] not in TEXTLESS
            is_listed = column in model.header.tests.accepted or (model.key, column) in COMPUTED
            of_sources = sensitivities(model.key, column)
            if is_text and not is_listed and of_sources:
                strictest = Sensitivity.IDENTIFIER if Sensitivity.IDENTIFIER in of_sources else Sensitivity.FREE_TEXT
                expected[model.key][column] = strictest
    assert expected == SENSITIVE_COLUMNS
