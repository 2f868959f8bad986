"""The SQL lint: a bad example per rule, what to write instead, and all of sql/."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from warehouse.models.lint import RULES, lint, lint_text, main

SELECT = "with final as (select {} as a from marts.x) select a from final"
JOIN = "with final as (select x.a from marts.x {}) select a from final"
BAD = [
    ("replace-once", SELECT.format("regexp_replace(b, 'x', 'y')")),
    ("replace-once", SELECT.format("regexp_replace(b, 'x', 'y', 'gi')")),
    ("bare-log", SELECT.format("log(b)")),
    ("boundaries", SELECT.format("date_diff('hour', started_at, ended_at)")),
    ("boundaries", SELECT.format("datediff('month', start_date, end_date)")),
    ("boundaries", SELECT.format("date_diff('day', started_at, ended_at)")),
    ("boundaries", SELECT.format("date_diff('month', date_trunc('week', b), c)")),
    ("boundaries", SELECT.format("date_sub('hour', started_at, ended_at)")),
    ("epoch", SELECT.format("epoch(b)")),
    ("epoch", SELECT.format("epoch_ms(b)")),
    ("epoch", SELECT.format("extract(epoch from b)")),
    ("epoch", SELECT.format("date_part('epoch', b)")),
    ("weekday", SELECT.format("dayofweek(b)")),
    ("weekday", SELECT.format("isodow(b)")),
    ("weekday", SELECT.format("extract(dow from b)")),
    ("weekday", SELECT.format("extract(isodow from b)")),
    ("weekday", SELECT.format("extract(weekday from b)")),
    ("weekday", SELECT.format("date_part('dayofweek', b)")),
    ("within-group", SELECT.format("percentile_cont(0.5) within group (order by b)")),
    ("top-n-aggregate", SELECT.format("arg_max(b, c, 3)")),
    ("top-n-aggregate", SELECT.format("min(b, 3)")),
    ("ordered-list", SELECT.format("list(b order by c)")),
    ("ordered-list", SELECT.format("array_agg(b order by c)")),
    ("empty-list", SELECT.format("array_to_string(list(b), ',')")),
    ("len", SELECT.format("len(b)")),
    ("integer-division", SELECT.format("b // 2")),
    ("no-zone", SELECT.format("cast(b as timestamp)")),
    ("no-zone", SELECT.format("timestamp '2026-01-01 00:00:00'")),
    ("no-zone", SELECT.format("try_cast(b as timestamp_ms)")),
    ("no-zone", SELECT.format("cast('2026-01-01 00:00:00' as timestamptz)")),
    ("no-zone", SELECT.format("strptime(b, '%Y-%m-%d %H:%M')")),
    ("no-zone", SELECT.format("try_strptime(b, '%Y-%m-%d %H:%M')")),
    ("date-minus-date", SELECT.format("end_date - start_date")),
    ("clock-or-random", SELECT.format("random()")),
    ("clock-or-random", SELECT.format("now()")),
    ("clock-or-random", SELECT.format("current_date")),
    ("clock-or-random", SELECT.format("today()")),
    ("clock-or-random", SELECT.format("current_timestamp")),
    ("clock-or-random", SELECT.format("gen_random_uuid()")),
    ("clock-or-random", "with final as (select a from marts.x tablesample 10%) select a from final"),
    ("arbitrary-row", SELECT.format("first(b)")),
    ("arbitrary-row", SELECT.format("mode(b)")),
    ("arbitrary-row", SELECT.format("row_number() over (partition by b)")),
    ("arbitrary-row", "with final as (select distinct on (b) a from marts.x) select a from final"),
    ("arbitrary-row", "with final as (select a from marts.x limit 1) select a from final"),
    ("final-star", "with x as (select * from marts.x), final as (select * from x) select * from final"),
    ("final-star", "with final as (select y.* from marts.y union all select x.* from marts.x) select a from final"),
    ("join-without-workspace", JOIN.format("left join marts.y on x.conversation_id = y.conversation_id")),
    (
        "join-without-workspace",
        JOIN.format("left join marts.y on y.turn_index = x.turn_index and y.conversation_id = x.conversation_id"),
    ),
    (
        "join-without-workspace",
        JOIN.format("left join marts.y on x.conversation_id = y.conversation_id and x.workspace = 'main'"),
    ),
    (
        "join-without-workspace",
        JOIN.format("left join marts.y on x.conversation_id = y.conversation_id and x.workspace = 'workspace'"),
    ),
    ("join-without-workspace", JOIN.format("left join marts.y using (conversation_id)")),
    ("join-without-workspace", JOIN.format("where x.conversation_id in (select conversation_id from marts.z)")),
    ("qualified-using", "with final as (select x.b as a from marts.x left join marts.y using (b)) select a from final"),
    ("qualified-using", "with final as (select y.b as a from marts.x full join marts.y using (b)) select a from final"),
    ("qualified-using", JOIN.format("join marts.y using (b) left join marts.z on x.b = z.b")),
    (
        "qualified-using",
        "with z as (select x.* from marts.x join marts.y using (b)), final as (select a from z) select a from final",
    ),
    ("nested-generator", SELECT.format("cast(unnest(b) as date)")),
    ("nested-generator", SELECT.format("unnest(b) + 1")),
    ("shadowed-having", "with final as (select sum(a) as a from marts.x having sum(a) > 1) select a from final"),
    ("pivot", "with final as (select a from marts.x pivot (sum(b) for c in ('d'))) select a from final"),
    (
        "pivot",
        "with p as (unpivot marts.x on b, c into name d value e), final as (select a from p) select a from final",
    ),
    ("by-number", "with final as (select a, count(*) as n from marts.x group by 1) select a, n from final"),
    ("by-number", "with final as (select a from marts.x order by 1) select a from final"),
    ("union", "with final as (select a from marts.x union by name select a from marts.y) select a from final"),
    ("union", "with final as (select a, b from marts.x union all select b, a from marts.y) select a from final"),
    ("only-duckdb", "with final as (select a from marts.x) from final"),
    (
        "only-duckdb",
        "with x as (select * replace (1 as a) from marts.x), final as (select a from x) select a from final",
    ),
    ("only-duckdb", SELECT.format("max(columns(b))")),
    ("only-duckdb", SELECT.format("[c + 1 for c in b]")),
    ("only-duckdb", "with final as (select a from marts.x asof join marts.y using (b)) select a from final"),
    ("only-duckdb", SELECT.format("b glob 'x*'")),
    ("only-duckdb", SELECT.format("b similar to 'x.*'")),
    ("only-duckdb", "with final as (select a from marts.x order by all) select a from final"),
]
GOOD = [
    "regexp_replace(b, '(?i)x', 'y', 'g')",
    "log10(b) + ln(b) + log2(b)",
    "date_diff('day', start_date, end_date)",
    "date_diff('hour', date_trunc('hour', started_at), ended_at)",
    "date_diff('day', date_trunc('week', local_start_at), local_start_at)",
    "date_diff('day', cast(started_at as date), ended_at)",
    "date_diff('month', date_trunc('year', b), c)",
    "date_diff('month', date_trunc('quarter', b), c)",
    "date_diff('second', date_trunc('minute', b), c)",
    "quantile_cont(b, 0.95) + median(b)",
    "arg_max(b, c)",
    "nullif(array_to_string(list_sort(list(distinct b)), ','), '')",
    "string_agg(b, ',' order by c)",
    "array_length(b) + length(c)",
    "b / 2",
    "cast('2026-01-01 00:00:00+00' as timestamptz)",
    "cast(b at time zone 'Europe/Berlin' as date)",
    "strptime(b, '%Y-%m-%d %H:%M %z')",
    "any_value(b)",
    "count(*) filter (where b)",
    "row_number() over (partition by b order by c)",
    "sum(b) over (partition by c)",
    "list_transform(b, lambda c: c + 1)",
]


def broken(sql: str, folder: str = "marts") -> list[tuple[int, str]]:
    """Line and rule of each finding in a file that begins with a header of three lines."""
    text = f"/*\ndescription = 'X.'\n*/\n{sql}\n"
    return [(finding.line, finding.rule.name) for finding in lint_text(Path("sql") / folder / "x.sql", text)]


@pytest.mark.parametrize(("rule", "sql"), BAD)
def test_a_bad_example_breaks_its_rule_and_no_other(rule: str, sql: str) -> None:
    assert broken(sql) == [(4, rule)]


def test_every_rule_has_a_bad_example() -> None:
    assert {rule.name for rule in RULES} == {name for name, _ in BAD}
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_a_join_of_conversations_with_their_workspace_is_allowed() -> None:
    for condition in (
        "on x.workspace = y.workspace and x.conversation_id = y.conversation_id and x.turn_index = y.turn_index",
        "using (workspace, conversation_id)",
        "on x.agent_id = y.agent_id",
    ):
        assert broken(JOIN.format(f"left join marts.y {condition}")) == []


def test_a_sum_of_having_is_allowed_that_the_result_does_not_name_so() -> None:
    for sql in (
        "with final as (select sum(a) as n from marts.x having sum(a) > 1) select n from final",
        "with final as (select sum(x.a) as a from marts.x having sum(x.a) > 1) select a from final",
    ):
        assert broken(sql) == []


def test_columns_of_using_are_allowed_by_their_name_alone() -> None:
    joins = "left join marts.y using (b) left join marts.z using (b)"
    for sql in (
        "with final as (select b as a, x.c, z.d from marts.x {}) select a, c, d from final",
        "with y as (select * from marts.x {}), final as (select a from y) select a from final",
        "with y as (select b from marts.x {}), final as (select y.b as a from y) select a from final",
    ):
        assert broken(sql.format(joins)) == []


@pytest.mark.parametrize("expression", GOOD)
def test_the_suggested_expressions_are_allowed(expression: str) -> None:
    assert broken(SELECT.format(expression)) == []


def test_a_singular_test_may_select_a_star() -> None:
    sql = "with x as (select * from marts.x), final as (select * from x) select * from final"
    assert broken(sql, "tests") == []
    assert broken(sql, "metrics") == [(4, "final-star")]


def test_a_model_that_inherits_its_columns_may_select_all_but_some_of_them() -> None:
    sql = "with x as (select * from marts.x), final as (select * exclude (b) from x) select * from final"
    for key, findings in (
        ("inherits_columns_from", []),
        ("inherits_metrics_from", []),
        ("description", ["final-star"]),
    ):
        text = f"/*\n{key} = 'marts.x'\n*/\n{sql}\n"
        assert [finding.rule.name for finding in lint_text(Path("sql/metrics/x.sql"), text)] == findings


def test_a_finding_names_file_and_line_the_reason_and_what_to_write() -> None:
    sql = "with final as (\n    select\n        log(\n            b\n        ) as a\n    from marts.x\n)"
    (finding,) = lint_text(Path("sql/marts/x.sql"), f"/*\na = 1\n*/\n{sql}\nselect a from final\n")
    assert (
        str(finding)
        == "sql/marts/x.sql:6: bare-log: log(x) has base 10 here and base e on Spark. Write log10(x) or ln(x)."
    )


def test_every_folder_is_checked(tmp_path: Path) -> None:
    for folder in ("staging", "metrics", "tests"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.sql").write_text(f"/*\n*/\n{SELECT.format('log(b)')}\n")
    assert [(finding.path.parent.name, finding.line) for finding in lint(tmp_path)] == [
        ("metrics", 3),
        ("staging", 3),
        ("tests", 3),
    ]


def test_our_sql_has_no_findings() -> None:
    assert [str(finding) for finding in lint()] == []


def test_the_lint_is_a_command() -> None:
    done = subprocess.run([sys.executable, "-m", "warehouse.models.lint"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_command_names_a_header_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "marts").mkdir()
    (tmp_path / "marts/orders.sql").write_text('/*\ngrain = "day"\n*/\nselect 1 as a')
    with pytest.raises(SystemExit, match=r"orders\.sql:2: Expected `array`, got `str`"):
        main(tmp_path)


def test_the_command_ends_with_the_findings(tmp_path: Path) -> None:
    header = 'description = "Numbers."\ngrain = ["a"]\n[columns]\na = "A number."\n'
    (tmp_path / "marts").mkdir()
    (tmp_path / "marts/numbers.sql").write_text(
        f"/*\n{header}*/\nwith final as (select log(2) as a) select a from final"  # noqa: S608 - of this test
    )
    with pytest.raises(SystemExit, match=r"numbers\.sql:7: bare-log: "):
        main(tmp_path)
