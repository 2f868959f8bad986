"""The warehouse that all of ``sql/`` builds: comments, names, catalogue, file, and what a query of it says."""

from __future__ import annotations

import re
from typing import Any

import polars as pl
import pytest

from tests.helpers.small_builds import with_comments
from warehouse.build.runner import build
from warehouse.errors import QueryError
from warehouse.models.build_tables import BUILD_INPUTS, GENERATED_TABLES
from warehouse.models.project import Project
from warehouse.schema.conversations import WARNINGS
from warehouse.schema.registry import TABLES
from warehouse.serve.query import query
from warehouse.storage import parquet
from warehouse.storage.home import Home

pytestmark = pytest.mark.whole_build


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """All of sql/, built once over an empty lake."""
    home = Home(tmp_path_factory.mktemp("built") / "a home [1]'s").open()
    with with_comments():
        assert build(home).is_swapped
    return home


def test_every_relation_and_every_column_has_a_comment(built: Home, project: Project) -> None:
    described = query(
        built,
        "select schema_name, table_name as name, comment from duckdb_tables() where not internal "
        "union all select schema_name, view_name, comment from duckdb_views() where not internal",
    ).to_dicts()
    expected = {model.key for model in project.models} | {seed.key for seed in project.seeds}
    expected |= {relation.key for relation in (*GENERATED_TABLES, BUILD_INPUTS)} | {
        f"lake.{table.name}" for table in TABLES
    }
    short_names = {f"main.{model.name}": model for model in project.models if model.schema in ("marts", "metrics")}
    assert {f"{row['schema_name']}.{row['name']}" for row in described} == expected | short_names.keys()
    assert [row for row in described if not row["comment"]] == []
    columns = query(
        built, "select schema_name, table_name, column_name, comment from duckdb_columns() where not internal"
    )
    assert columns.filter(pl.col("comment").is_null() | (pl.col("comment") == "")).to_dicts() == []
    by_column = {
        (row["schema_name"], row["table_name"], row["column_name"]): row["comment"] for row in columns.to_dicts()
    }
    for model in project.models:
        for name, about in model.header.column_comments.items():
            assert by_column[model.schema, model.name, name] == about
    for model in short_names.values():
        names = list(model.header.columns)
        assert [by_column["main", model.name, name] for name in names] == list(model.header.column_comments.values())
    assert by_column["metrics", "agent_daily", "success_rate"] == (
        "Successes among the conversations judged. Unit: share of 1."
    )
    assert by_column["metrics", "agent_daily", "wait_p95_secs"] == "95th percentile of the wait over entries."


def test_marts_and_metrics_can_be_named_without_a_schema(built: Home, project: Project) -> None:
    for name in ("fct_turns", "agent_daily"):
        schema = "marts" if name.startswith("fct") else "metrics"
        assert query(built, f"from {name}").equals(query(built, f"from {schema}.{name}"))
    shown = set(query(built, "select name from (show tables)")["name"])
    assert shown == {model.name for model in project.models if model.schema in ("marts", "metrics")}


def test_catalog_is_what_the_headers_say(built: Home, project: Project) -> None:
    expected = [
        {
            "id": f"{model.name}.{column}",
            "model": model.key,
            "column_name": column,
            "name": metric.name,
            "description": model.header.columns[column],
            "grain": ", ".join(model.header.grain),
            "unit": metric.unit,
            "numerator": metric.numerator,
            "denominator": metric.denominator,
            "null_rule": metric.null_when,
            "good": metric.direction,
            "source": metric.source,
            "differs": metric.differs_from_vendor,
        }
        for model in project.models
        if model.schema == "metrics"
        for column, metric in model.header.metrics.items()
    ]
    assert query(built, "select * from metrics.catalog order by id").to_dicts() == sorted(
        expected, key=lambda row: str(row["id"])
    )
    assert len(expected) > 30


def test_file_is_written_for_duckdb_1_0(built: Home) -> None:
    (row,) = query(
        built, "select tags['storage_version'] as version from duckdb_databases() where not internal"
    ).to_dicts()
    assert row["version"].startswith("v1.0.0")


def test_no_public_column_is_wider_than_64_bits(built: Home) -> None:
    types = query(built, "select distinct data_type from duckdb_columns() where schema_name in ('marts', 'metrics')")
    assert set(types["data_type"]) == {
        "VARCHAR",
        "BIGINT",
        "DOUBLE",
        "BOOLEAN",
        "DATE",
        "TIMESTAMP",  # by the clock of a workspace
        "TIMESTAMP WITH TIME ZONE",
    }


def test_whole_project_over_a_day_of_calls_passes_its_checks(rows: Any) -> None:
    rows.call("c1", cost_credits=60, charging_tier="starter", analysis_call_successful="success", call_duration_secs=7)
    rows.call("c2", cost_fiat_usd=0.5, cost_credits=3000, charging_call_charge_credits=2999, agent_id=None)
    rows.call("c3", status="in-progress")
    rows.add("turns", turn_index=0, role="agent", message="Hi")
    rows.add("tool_calls", turn_index=0, call_index=0, depth=0, tool_name="t")
    rows.tokens("initiated", -1, "input", 0.1)
    rows.add("platform_usage", conversation_id="c2", category="voice", charge_credits=3.0, price_usd=0.1)
    home = rows.write()
    result = build(home)
    assert [check_result.check.name for check_result in result.failed] == []
    for model in ("metrics.cost_daily", "metrics.agent_daily"):
        costs = query(home, f"from {model}")
        assert (costs["cost_credits"].sum(), round(costs["cost_usd"].sum(), 9)) == (3060, 0.51)


def test_orphan_rows_fail_the_build(rows: Any) -> None:
    rows.call("c1")
    rows.add("turns", conversation_id="nobody", turn_index=0, role="agent", message="Hi")
    result = build(rows.write())
    assert not result.is_swapped
    assert {"marts_fct_turns_references_conversation_id"} == {check_result.check.name for check_result in result.failed}


def test_lake_views_follow_the_files(rows: Any) -> None:
    home = rows.write()
    build(home)
    assert query(home, "select count(*) as n from lake.warnings").to_dicts() == [{"n": 0}]
    rows.add("warnings", warning_index=0, warning="first")
    rows.write()
    other = parquet.frame(WARNINGS, [{"conversation_id": "c0", "start_date": rows.day, "warning_index": 0}])
    parquet.write_file(home, home.partition(WARNINGS, rows.day) / "other.parquet", other)
    warnings = query(home, "select conversation_id, warning from lake.warnings order by 1").to_dicts()
    assert warnings == [{"conversation_id": "c0", "warning": None}, {"conversation_id": "c1", "warning": "first"}]


@pytest.mark.parametrize(
    ("sql", "message", "hint"),
    [
        ("selec 1", "syntax error", "with their schema"),
        ("select * from marts.gone", "gone does not exist", "convohouse tables"),
        ("select nothing from marts.dim_agents", "nothing", "convohouse tables"),
        ("select cast('x' as integer)", "Could not convert", None),
        ("drop table marts.dim_agents", "read-only", "convohouse build"),
    ],
)
def test_a_failing_query_shows_duckdbs_message_and_a_hint(
    built: Home, sql: str, message: str, hint: str | None
) -> None:
    with pytest.raises(QueryError, match=re.escape(message)) as raised:
        query(built, sql)
    assert raised.value.hint == "" if hint is None else hint in raised.value.hint


def test_a_query_uses_utc_and_sets_nothing(built: Home) -> None:
    zone = query(built, "select current_setting('TimeZone') as zone").to_dicts()
    assert zone == [{"zone": "UTC"}]
    with pytest.raises(QueryError, match="one SELECT"):
        query(built, "set threads = 1")
