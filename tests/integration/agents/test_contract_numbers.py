"""What the contracts say of metrics and types is what a warehouse has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers.run_cli import run
from warehouse.contracts.aggregates import ADDITIVE, ENTRIES, aggregates
from warehouse.contracts.relations import relations_of
from warehouse.models.column_types import column_types
from warehouse.models.project import read_project
from warehouse.serve.query import query
from warehouse.storage.home import Home


def test_metrics_of_contracts_added_up_to_weeks_are_those_of_the_scorecard(home: Home) -> None:
    """Counts and costs to the last digit; means and shares of floating-point numbers to twelve."""
    compared = set()
    for aggregate in aggregates(relations_of(read_project())):
        if aggregate.relation not in ("metrics.agent_daily", "marts.fct_turns"):
            continue
        rows = query(
            home,
            f"""
            with weeks as (
                select workspace, cast(date_trunc('week', start_date) as date) as week_start_date, agent_id,
                    {aggregate.sql()} as value
                from {aggregate.relation} group by all
            )
            select scorecard.{aggregate.column} as expected, weeks.value
            from metrics.agent_scorecard as scorecard
            left join weeks using (workspace, week_start_date, agent_id)
            """,  # noqa: S608 - ours
        ).rows()
        is_sum = aggregate.column in ("cost_usd", "cost_credits") or aggregate.column.startswith("n_")
        for expected, value in rows:
            is_exact = is_sum or expected is None
            assert value == (expected if is_exact else pytest.approx(expected, rel=1e-12)), aggregate.column
        compared.add(aggregate.column)
        assert any(expected is not None for expected, _ in rows), aggregate.column
    assert {"n_calls", "success_rate", "cost_usd", "rating", "wait_p95_secs"} <= compared


def values(home: Home, expressions: dict[str, str], relation: str) -> dict[str, Any]:
    """Values of expressions over all rows of a relation."""
    columns = ", ".join(f"{expression} as {name}" for name, expression in expressions.items())
    return query(home, f"select {columns} from {relation}").row(0, named=True)  # noqa: S608 - ours


def test_every_metric_of_the_semantic_model_can_be_evaluated(home: Home) -> None:
    """Over all rows of its dataset, as the model spells it, and as Superset does."""
    model = run(home.root.parent, "contract", "osi", "--json").data
    expressions, plain = {}, {}
    for dataset in model["datasets"]:
        metrics = {
            metric["name"]: metric["expression"]["dialects"][0]["expression"]
            for metric in model["metrics"]
            if metric["name"].startswith(f"{dataset['name']}_")
        }
        if metrics:
            expressions |= values(home, metrics, f"{dataset['source']} as {dataset['name']}")
    for relation in (*ADDITIVE, ENTRIES):
        name = relation.partition(".")[2]
        parts = [aggregate for aggregate in aggregates(relations_of(read_project())) if aggregate.relation == relation]
        plain |= values(home, {f"{name}_{aggregate.column}": aggregate.sql() for aggregate in parts}, relation)
    assert expressions == pytest.approx(plain, rel=1e-12)
    assert expressions["agent_daily_n_calls"] == expressions["channel_mix_n_calls"] > 100
    assert None not in expressions.values()


def test_types_of_contracts_are_those_of_the_warehouse(home: Home) -> None:
    rows = query(
        home,
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where schema_name in ('marts', 'metrics', 'lake') order by all",
    ).rows()
    types = column_types(read_project())
    declared = sorted(
        (key, column, type_)
        for key, columns in types.items()
        if key.partition(".")[0] in ("marts", "metrics", "lake")
        for column, type_ in columns.items()
    )
    assert rows == declared
