from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from warehouse.errors import ModelError
from warehouse.models.docs import METRICS_ORDER, metrics_text, tables_text
from warehouse.models.examples import read_examples
from warehouse.models.headers import Header, Metric, parse_header, split_header
from warehouse.models.lineage import column_lineage
from warehouse.models.project import Model, Project, ordered_models, read_project, relations_with_days
from warehouse.models.select_parser import Select, read_selects
from warehouse.schema.registry import TABLES

ROOT = Path(__file__).parent.parent.parent


def model(key: str, sql: str, *columns: str) -> Model:
    schema, name = key.split(".")
    (select,) = read_selects([sql])
    assert isinstance(select, Select)
    header = Header(description="", grain=(), columns=dict.fromkeys(columns, ""))
    return Model(schema, name, Path(f"{name}.sql"), header, sql, select.reads, sql)


def by_key(*models: Model) -> dict[str, Model]:
    return {model.key: model for model in models}


def test_order_follows_the_reads() -> None:
    models = ordered_models(
        by_key(
            model("marts.c", "select 1 from marts.b, seeds.s"),
            model("marts.b", "select 1 from staging.a"),
            model("staging.a", "select 1 from lake.turns"),
        ),
        {"seeds.s"},
    )
    assert [found_model.key for found_model in models] == ["staging.a", "marts.b", "marts.c"]


@pytest.mark.parametrize(
    ("columns", "grain", "is_kept"),
    [
        ("workspace, agent_id, agent_name", '["workspace", "agent_id"]', True),
        ("workspace, agent_id, agent_name", '["agent_name"]', False),
        ("workspace, upper(agent_id) as agent_id, agent_name", '["workspace", "agent_id"]', False),
    ],
)
def test_a_model_keeps_the_key_of_its_table_if_its_grain_is_the_key_as_it_is(
    tmp_path: Path, columns: str, grain: str, *, is_kept: bool
) -> None:
    header = f'description = "Agents."\ngrain = {grain}\ninherits_columns_from = "lake.agents"\n'
    (tmp_path / "staging").mkdir()
    select = f"with final as (select {columns} from lake.agents) select * from final"  # noqa: S608 - of this test
    (tmp_path / "staging" / "stg_agents.sql").write_text(f"/*\n{header}*/\n{select}")
    (stg_agents,) = read_project(tmp_path).models
    assert stg_agents.keeps_lake_key == is_kept


def test_days_have_daily_tables_views_on_them_alone_and_tables_with_the_column() -> None:
    models = [
        model("staging.of_days", "select 1 from lake.turns", "start_date"),
        model("staging.on_a_view", "select 1 from staging.of_days", "start_date"),
        model("staging.of_no_days", "select 1 from lake.tools", "start_date"),
        model("staging.of_both", "select 1 from lake.turns, lake.tools", "start_date"),
        model("staging.without_the_column", "select 1 from lake.turns", "turn_index"),
        model("marts.with_the_column", "select 1 from lake.tools", "start_date"),
        model("marts.without_the_column", "select 1 from lake.turns", "turn_index"),
    ]
    daily_tables = {f"lake.{table.name}" for table in TABLES if table.is_daily}
    assert {"lake.turns", "lake.tools"} & daily_tables == {"lake.turns"}
    names = {"staging.of_days", "staging.on_a_view", "marts.with_the_column"}
    assert relations_with_days(models) == daily_tables | names


def test_unknown_dependency_names_the_file() -> None:
    with pytest.raises(ModelError, match=r"b\.sql: marts\.gone is not a model, a seed or a table of the lake"):
        ordered_models(by_key(model("marts.b", "select 1 from marts.gone")), ())


def test_cycle_names_its_path() -> None:
    models = by_key(
        model("marts.a", "select 1 from marts.b"),
        model("marts.b", "select 1 from marts.c"),
        model("marts.c", "select 1 from marts.a"),
    )
    with pytest.raises(ModelError, match="in a cycle") as raised:
        ordered_models(models, ())
    steps = raised.value.message.removesuffix(".").rpartition(": ")[2].split(" reads ")
    assert steps[0] == steps[-1]
    assert [(step, models[step].reads) for step in steps[:-1]] == [
        (step, (following,)) for step, following in pairwise(steps)
    ]


def test_upstream_is_what_a_model_needs() -> None:
    project = read_project().upstream("marts.fct_evaluations")
    assert {model.key for model in project.models} == {
        "staging.stg_evaluation_results",
        "staging.stg_conversations",
        "intermediate.int_agent_names",
        "intermediate.int_conversation_flags",
        "marts.fct_evaluations",
    }


def test_header_is_read_with_its_metrics() -> None:
    toml, sql = split_header(
        Path("m.sql"),
        '/*\ndescription = "M."\ngrain = ["day"]\n[columns]\nday = "Day."\nn = "Number."\n[tests]\nnot_null = ["n"]\n'
        '[metrics.n]\nname = "Number"\nunit = "count"\nnumerator = "rows"\nnull_when = "never"\ndirection = "high"\n'
        'differs_from_vendor = "No."\n*/\nselect 1\n',
    )
    header = parse_header(Path("m.sql"), toml, Header)
    assert sql == "select 1\n"
    assert (header.description, header.grain, header.columns) == ("M.", ("day",), {"day": "Day.", "n": "Number."})
    assert header.tests.not_null == ("n",)
    assert header.metrics == {
        "n": Metric(
            name="Number",
            unit="count",
            numerator="rows",
            null_when="never",
            direction="high",
            source="convohouse",
            differs_from_vendor="No.",
        )
    }


METRIC = 'name = "N"\nnumerator = "rows"\nnull_when = "never"\ndirection = "high"\n'
"""The keys that every metric needs."""


@pytest.mark.parametrize(
    ("column", "unit"), [("n_rows", "count"), ("error_rate", "share of 1"), ("wait_p50_secs", "seconds")]
)
def test_a_metric_takes_its_unit_from_its_name_and_has_no_counterpart_by_default(column: str, unit: str) -> None:
    toml = f'\ndescription = "M."\ngrain = []\n[columns]\n{column} = "C."\n[metrics.{column}]\n{METRIC}'
    metric = parse_header(Path("m.sql"), toml, Header).metrics[column]
    assert (metric.unit, metric.differs_from_vendor) == (unit, "No counterpart known.")
    explicit = parse_header(Path("m.sql"), f'{toml}unit = "points"\ndiffers_from_vendor = "Yes."\n', Header)
    assert (explicit.metrics[column].unit, explicit.metrics[column].differs_from_vendor) == ("points", "Yes.")


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (f"[metrics.rating]\n{METRIC}", r"m\.sql:6: metrics\.rating: .*missing required field `unit`"),
        (
            f"[metrics.n_rows]\n{METRIC}[metrics.n_users]\n{METRIC.replace('high', 'higher')}",
            r"m\.sql:15: metrics\.n_users: Invalid enum value 'higher' .*\. Possible values: high, low, neither\.",
        ),
        ("[metrics]\nrating = 3\n", r"m\.sql:6: metrics\.rating: .*Expected `object`, got `int`"),
        ("[values]\nrating = 3\n", r"m\.sql:6: values\.rating: .*Expected `object`, got `int`"),
        ("metrics = 3\n", r"m\.sql:1: .*Expected `object`, got `int`"),
    ],
)
def test_a_metric_without_a_unit_and_metrics_or_values_that_are_no_table_are_refused(
    metrics: str, message: str
) -> None:
    top, below = (metrics, "") if metrics.startswith("metrics") else ("", metrics)
    toml = f'{top}\ndescription = "M."\ngrain = []\n[columns]\nrating = "R."\n{below}'
    with pytest.raises(ModelError, match=message):
        parse_header(Path("m.sql"), toml, Header)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('\ndescription = "M."\ngrain = [\n', r"m\.sql:\d+: the header is not TOML"),
        ('\ndescription = "M."\n', r"m\.sql:1: .*missing required field `grain`"),
        ('\ndescription = "M."\ngrain = "day"\n', r"m\.sql:3: Expected `array`, got `str`"),
        (
            '\ndescription = "M."\ngrain = []\n[columns]\n[metrics.n]\ndirection = "up"\n',
            r"m\.sql:6: metrics\.n: Invalid enum value 'up'",
        ),
        (
            '\ndescription = "M."\ngrain = []\nincremental_by = "day"\n',
            r"m\.sql:4: Invalid enum value 'day' .*\. Possible values: start_date\.",
        ),
        ('\ndescription = "M."\ngrain = []\n', r"m\.sql:1: the header has no columns"),
        (
            '\ndescription = "M."\ngrain = []\ninherits_columns_from = "s.a"\ninherits_metrics_from = "s.b"\n',
            r"m\.sql:1: the header inherits by two keys",
        ),
    ],
)
def test_bad_header_names_file_and_line(toml: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        parse_header(Path("m.sql"), toml, Header)


def test_metric_must_be_a_column() -> None:
    metric = (
        'name = "N"\nunit = "count"\nnumerator = "rows"\n'
        'null_when = "never"\ndirection = "high"\ndiffers_from_vendor = "No."\n'
    )
    toml = f'\ndescription = "M."\ngrain = []\n[columns]\nday = "Day."\n[metrics.n]\n{metric}'
    with pytest.raises(ModelError, match=r"m\.sql:6: n is not a column of the header"):
        parse_header(Path("m.sql"), toml, Header)


def test_lineage_goes_through_ctes_to_the_columns_that_are_read() -> None:
    stage = model(
        "staging.a", "with final as (select turn_index as n, role from lake.turns) select * from final", "n", "role"
    )
    mart = model(
        "marts.b",
        "with a as (select * from staging.a), s as (select * from seeds.s), "
        "both_ as (select a.n + s.k as m, a.role from a join s on a.role = s.role union all select k, role from s), "
        "final as (select role, max(m) as top, count(*) as n_rows from both_ group by all) select * from final",
        "role",
        "top",
        "n_rows",
    )
    seed = next(seed for seed in read_project().seeds if seed.name == "credits_per_usd")
    sql = (
        mart.sql.replace("seeds.s", seed.key)
        .replace("s.k", "s.credits_per_usd")
        .replace("select k", "select credits_per_usd")
    )
    mart = model(
        mart.key,
        sql.replace("s.role", "s.tier").replace("credits_per_usd, role", "credits_per_usd, tier"),
        *mart.header.columns,
    )
    assert column_lineage(Project((stage, mart), (seed,), ())) == {
        "staging.a": {"n": [("lake.turns", "turn_index")], "role": [("lake.turns", "role")]},
        "marts.b": {
            "role": [("seeds.credits_per_usd", "tier"), ("staging.a", "role")],
            "top": [("seeds.credits_per_usd", "credits_per_usd"), ("staging.a", "n")],
            "n_rows": [],
        },
    }


def test_lineage_of_all_models_covers_every_column() -> None:
    project = read_project()
    lineage = column_lineage(project)
    assert {key: list(columns) for key, columns in lineage.items()} == {
        model.key: list(model.header.columns) for model in project.models
    }
    assert lineage["metrics.agent_daily"]["cost_usd_per_success"] == [
        ("intermediate.int_agent_measures", "cost_usd_per_success")
    ]
    assert lineage["intermediate.int_agent_measures"]["cost_usd_per_success"] == [
        ("marts.fct_conversations", "call_successful"),
        ("marts.fct_conversations", "cost_usd"),
        ("marts.fct_conversations", "is_counted"),
    ]


def test_committed_docs_are_the_generated_ones() -> None:
    assert (ROOT / "docs" / "tables.md").read_text() == tables_text()
    assert (ROOT / "docs" / "metrics.md").read_text() == metrics_text(read_project(), read_examples())


def test_the_contents_of_the_metrics_link_every_heading_as_github_does() -> None:
    text = metrics_text(read_project())
    anchors, seen = [], dict[str, int]()
    for line in text.splitlines():
        if line.startswith("##"):
            slug = line.lstrip("# ").lower().replace(".", "").replace(" ", "-")
            seen[slug] = seen.get(slug, -1) + 1
            anchors.append(f"#{slug}" + (f"-{seen[slug]}" if seen[slug] else ""))
    contents = text.partition("\n## ")[0]
    assert re.findall(r"\]\((#[^)]*)\)", contents) == anchors


def test_the_metrics_are_in_the_order_of_reading_and_an_unknown_model_comes_last() -> None:
    project = read_project()
    unlisted = {model.name for model in project.models if model.schema == "metrics"}.symmetric_difference(METRICS_ORDER)
    assert unlisted.isdisjoint(METRICS_ORDER), "METRICS_ORDER names models that are gone"
    new = replace(project.by_key["metrics.agent_daily"], name="brand_new")
    text = metrics_text(replace(project, models=(new, *project.models)))
    headings = [line.removeprefix("### metrics.") for line in text.splitlines() if line.startswith("### metrics.")]
    assert headings == [*METRICS_ORDER, *sorted({*unlisted, "brand_new"})]


def test_the_docs_list_every_column_and_metric_of_a_model_once_and_say_where_the_others_are() -> None:
    project = read_project()
    sections = metrics_text(project).split("\n### ")[1:]
    by_key = {heading: text for heading, _, text in (section.partition("\n") for section in sections)}
    for model in project.models:
        text = by_key[model.key]
        rows = [row.partition(" | ")[0].strip("*") for row in re.findall(r"^\| (.+)$", text, re.MULTILINE)]
        other = [
            name.strip("*")
            for names in re.findall(r"^As in .*: (.*)\.$", text, re.MULTILINE)
            for name in names.split(", ")
        ]
        columns, metrics = list(model.header.columns), list(model.header.metrics) if model.schema == "metrics" else []
        listed = rows[rows.index("column") + 1 :] if "column" in rows else []
        assert sorted([*listed, *other]) == sorted(columns), model.key
        defined = rows[1 : rows.index("column")] if metrics and rows[0] == "metric" else []
        assert set(defined) <= set(metrics)
        assert defined == metrics or "metrics are those of [metrics.agent_daily](#metricsagent_daily)." in text, (
            model.key
        )
    assert len(re.findall(r"^\| success_coverage \| Success coverage \|", metrics_text(project), re.MULTILINE)) == 1


def test_docs_name_every_column_of_a_table_with_its_path_and_unit() -> None:
    assert "| **turn_index** * | integer |  |  |  | Position of the transcript entry, from 0. |" in tables_text()
    assert "| cost_credits | integer | credits |  | `metadata.cost` |" in tables_text()
    assert "| message | text |  | free text | `transcript[].message` |" in tables_text()
    assert "| user_id | text |  | identifier | `user_id` |" in tables_text()
    assert "| success_rate | Success rate | share of 1 | n_success | n_success + n_failure |" in metrics_text(
        read_project()
    )
