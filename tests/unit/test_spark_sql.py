"""The SQL that Spark and Sail get, rewrite by rewrite."""

from __future__ import annotations

import pytest

from warehouse.engines.spark_sql import spark_type, to_spark
from warehouse.models.project import read_project


def name(schema, relation):
    return f"{schema}__{relation}"


def one_line(sql, columns=()):
    return " ".join(to_spark(sql, name, columns).split())


@pytest.mark.parametrize(
    ("duckdb", "spark"),
    [
        ("quantile_cont(x, 0.95)", "PERCENTILE(x, 0.95)"),
        ("quantile_cont(x, 0.5) filter (where y)", "PERCENTILE(x, 0.5) FILTER(WHERE y)"),
        ("median(x)", "PERCENTILE(x, 0.5)"),
        ("arg_max(x, row(a, b))", "MAX_BY(x, STRUCT(a, b))"),
        ("count(distinct hash(a, b))", "COUNT(DISTINCT XXHASH64(a, b))"),
        ("x at time zone 'UTC'", "CAST(FROM_UTC_TIMESTAMP(x, 'UTC') AS TIMESTAMP_NTZ)"),
        ("x - interval 7 day and y", "x - ( INTERVAL '7' DAY ) AND y"),
        ("concat(x, ' calls')", "CONCAT(COALESCE(CAST(x AS STRING), ''), ' calls')"),
        ("sum(x) filter (where y) over (partition by z)", "SUM(CASE WHEN y THEN x END) OVER (PARTITION BY z)"),
        ("count(*) filter (where y) over ()", "COUNT(CASE WHEN y THEN 1 END) OVER ()"),
        ("bool_or(x) is not true", "NOT BOOL_OR(x) IS TRUE"),
        ("date_trunc('week', x)", "DATE_TRUNC('WEEK', x)"),
    ],
)
def test_an_expression(duckdb, spark):
    sql = f"select {duckdb} as v from marts.t"  # noqa: S608 - no query is run
    assert one_line(sql) == f"SELECT {spark} AS v FROM marts__t AS t"  # noqa: S608 - same


def test_group_by_all_is_written_out():
    sql = "select a, b + 1 as c, count(*) as n, sum(d) / max(e) as r from marts.t group by all"
    assert one_line(sql).endswith("GROUP BY a, b + 1")
    assert "GROUP BY" not in one_line("select count(*) as n from marts.t group by all")


def test_a_star_with_exclude_is_written_out_with_the_columns_of_the_result():
    sql = "with t as (select * from marts.t), final as (select t.* exclude (b), 1 as d from t) select * from final"
    assert "SELECT t.a, t.c, 1 AS d FROM t" in one_line(sql, ("a", "c", "d"))


def test_a_star_with_exclude_of_another_cte_is_written_out_with_the_columns_of_that():
    sql = """
        with days as (select a, b, 1 as c from marts.t),
        compared as (select days.* exclude (b), 2 as d from days),
        final as (select a, c, d from compared)
        select * from final
    """
    assert "SELECT days.a, days.c, 2 AS d FROM days" in one_line(sql, ("a", "c", "d"))


def test_relations_have_the_names_of_the_engine_and_keep_their_aliases():
    sql = "select x.a from marts.t as x inner join seeds.u on x.a = u.a"
    assert one_line(sql) == "SELECT x.a FROM marts__t AS x INNER JOIN seeds__u AS u ON x.a = u.a"


@pytest.mark.parametrize(
    ("duckdb", "spark"),
    [
        ("VARCHAR", "string"),
        ("BIGINT", "bigint"),
        ("DOUBLE", "double"),
        ("BOOLEAN", "boolean"),
        ("DATE", "date"),
        ("DECIMAL(28,12)", "decimal(28, 12)"),
        ("HUGEINT", "decimal(38, 0)"),
        ("TIMESTAMP", "timestamp_ntz"),
        ("TIMESTAMP WITH TIME ZONE", "timestamp"),
        ("VARCHAR[]", "array<string>"),
    ],
)
def test_a_type(duckdb, spark):
    assert spark_type(duckdb) == spark


def test_every_model_is_translated_without_a_construct_that_sail_lacks():
    for model in read_project().models:
        sql = to_spark(model.sql, name, tuple(model.header.columns)).upper()
        assert "GROUP BY ALL" not in sql, model.key
        assert "EXCEPT (" not in sql, model.key
        assert "QUANTILE_CONT(" not in sql, model.key
