"""The worked examples of ``sql/examples/``, which ``docs/metrics.md`` prints: the models give what they say."""

# ruff: noqa: S608 -- every name in these statements is from sql/

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.sql.conftest import LakeRows
from warehouse.connection import Limits, connect
from warehouse.errors import ModelError
from warehouse.models.examples import Example, Rows, read_examples
from warehouse.models.project import Project
from warehouse.storage.home import Home

EXAMPLES = read_examples()
DAY = "2026-11-02"
NOON = f"{DAY} 12:00:00+00"

CONVERSATION = {
    "workspace": "main",
    "agent_id": "agent",
    "started_at": NOON,
    "start_date": DAY,
    "status": "done",
    "is_finished": "true",
    "is_excluded": "false",
    "is_counted": "true",
    "channel": "voice",
    "is_text_only": "false",
    "is_deleted": "false",
}
TURN = {"workspace": "main", "start_date": DAY, "is_finished": "true", "is_counted": "true"}
PART = {"workspace": "main", "agent_id": "agent", "start_date": DAY}
EXPERIMENT = {"variant_kind": "branch", "variant_a": "a", "variant_b": "b"}
EXPERIMENT |= {"workspace": "main", "agent_id": "agent", "common_from_at": NOON, "common_until_at": NOON}
ORDINARY = {"marts.fct_conversations": CONVERSATION, "marts.fct_turns": TURN, "marts.fct_tool_calls": TURN}
ORDINARY |= {"intermediate.int_experiment_arms": EXPERIMENT}
"""Values of the columns that an example does not show."""
FLAGS = {
    "is_voicemail": "voicemail",
    "is_error": "error",
    "is_abandoned": "abandoned",
    "is_transferred_to_human": "transferred",
    "is_contained": "contained",
}
"""The outcome that a flag of a conversation says."""


@pytest.fixture(scope="module", name="warehouse")
def empty_warehouse(tmp_path_factory: pytest.TempPathFactory, project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    """All that the examples need, of an empty lake."""
    home = Home(tmp_path_factory.mktemp("examples") / "home").open()
    with connect(limits=Limits(threads=1)) as connection:
        relations = {rows.relation for example in EXAMPLES for rows in (*example.inputs, example.result)}
        models = [key for key in relations if key in project.by_key]
        LakeRows(home, project).materialize(connection, *models)
        for key in models:
            if project.by_key[key].is_view:  # a table, into which an example can be written
                connection.execute(f"create table view_rows as from {key}")
                connection.execute(f"drop view {key}")
                connection.execute(f"create table {key} as from view_rows")
                connection.execute("drop table view_rows")
        yield connection


def insert(connection: duckdb.DuckDBPyConnection, rows: Rows) -> None:
    table = connection.table(rows.relation)
    types = dict(zip(table.columns, table.types, strict=True))
    for number, row in enumerate(rows.rows):
        values = {name: text for name, text in ORDINARY.get(rows.relation, PART).items() if name in types} | row
        if "outcome" in row:
            values |= {flag: str(outcome == row["outcome"]) for flag, outcome in FLAGS.items()}
            values["is_reached"] = str(row["outcome"] not in {"not_reached", "voicemail"})
        if "conversation_id" in types:
            values = {"conversation_id": f"c{number + 1}"} | values
        cells = [f"cast({_literal(text)} as {types[name]})" for name, text in values.items()]
        connection.execute(f"insert into {rows.relation} ({', '.join(values)}) values ({', '.join(cells)})")


def _literal(text: str) -> str:
    return "null" if text == "" else "'" + text.replace("'", "''") + "'"


def expected(text: str) -> Any:
    """A cell of a result: a fraction or a decimal number as a float, nothing as null, and else the text."""
    if text == "":
        return None
    try:
        return pytest.approx(float(Fraction(text.replace(" ", ""))), abs=1e-7)
    except ValueError:
        return text


def comparable(value: Any) -> Any:
    """A value of a result as ``expected`` has it."""
    return value if value is None or (isinstance(value, int | float) and not isinstance(value, bool)) else str(value)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.metric)
def test_example(example: Example, warehouse: duckdb.DuckDBPyConnection, project: Project) -> None:
    inputs = {rows.relation for rows in example.inputs}
    warehouse.begin()
    try:
        for relation in inputs:
            warehouse.execute(f"delete from {relation}")
        for rows in example.inputs:
            insert(warehouse, rows)
        changed = set(inputs)
        for model in project.upstream(example.result.relation).models:
            if model.key not in inputs and changed.intersection(model.reads):
                warehouse.execute(f"create or replace table {model.key} as {model.sql}")
                changed.add(model.key)
        columns = list(example.result.rows[0])
        order = ", ".join(project.by_key[example.result.relation].header.grain)
        query = f"select {', '.join(columns)} from {example.result.relation} order by {order}"
        actual = [dict(zip(columns, map(comparable, row), strict=True)) for row in warehouse.execute(query).fetchall()]
        assert example.result.relation in changed
    finally:
        warehouse.rollback()
    assert actual == [{name: expected(text) for name, text in row.items()} for row in example.result.rows]


def test_every_measure_of_an_agent_has_an_example(project: Project) -> None:
    shown = {column for example in EXAMPLES for row in example.result.rows for column in row}
    assert set(project.by_key["intermediate.int_agent_measures"].header.metrics) - shown == set()


def test_an_example_is_named_by_a_metric_that_its_result_shows(project: Project) -> None:
    for example in EXAMPLES:
        model, _, column = example.metric.partition(".")
        assert column in project.by_key[f"metrics.{model}"].header.metrics
        assert (example.result.relation, column in example.result.rows[0]) == (f"metrics.{model}", True)


@pytest.mark.parametrize(
    "text",
    [
        "No table.",
        "`a.b`:\n\n| x |\n|---|\n| 1 |\n",
        "`a.b`:\n\n| x |\n|---|\n| 1 | 2 |\n\n`c.d`:\n\n| x |\n|---|\n| 1 |\n",
    ],
)
def test_a_file_that_is_no_example_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "m.c.md").write_text(text)
    with pytest.raises(ModelError, match=r"m\.c\.md"):
        read_examples(tmp_path)
