"""Explanations of metrics, columns and models, and which of them a name refers to."""

from __future__ import annotations

from pathlib import Path

import pytest

from warehouse.models.headers import Header, Metric
from warehouse.models.project import SQL_DIR, Model, Project, ordered_models, read_project
from warehouse.models.select_parser import Select, read_selects
from warehouse.serve.explain import ColumnRef, Explanation, LineageColumn, LineageStep, explain, suggest, targets

RATE = Metric(
    name="Rate",
    unit="share of 1",
    numerator="n",
    denominator="m",
    null_when="never",
    direction="high",
    source="convohouse",
    differs_from_vendor="",
)


def model(key: str, sql: str, **columns: str) -> Model:
    schema, name = key.split(".")
    (select,) = read_selects([sql])
    assert isinstance(select, Select)
    metrics = {column: RATE for column in columns if schema == "metrics" and column.endswith("_rate")}
    header = Header(description=f"{name}.", grain=tuple(columns)[:1], columns=columns, metrics=metrics)
    return Model(schema, name, SQL_DIR / schema / f"{name}.sql", header, sql, select.reads, sql)


@pytest.fixture(scope="module")
def project() -> Project:
    stage = model(
        "staging.stg_turns",
        "with source as (select * from lake.turns), "
        "final as (select conversation_id, role as speaker, message from source) select * from final",
        conversation_id="Call.",
        speaker="Who.",
        message="What.",
    )
    mart = model(
        "marts.facts",
        "with turns as (select * from staging.stg_turns), "
        "spoken as (select conversation_id, message, speaker = 'USER' as is_user from turns "
        "where message is not null), "
        "final as (select conversation_id, is_user, message from spoken) select * from final",
        conversation_id="Call.",
        is_user="Whether the user.",
        message="What was said.",
    )
    metric = model(
        "metrics.daily",
        "with facts as (select * from marts.facts), "
        "counted as (select conversation_id, count(*) as n_turns, count(*) filter (where is_user) as n_user "
        "from facts group by all), "
        "final as (select conversation_id, n_turns, n_user / n_turns as user_rate from counted) select * from final",
        conversation_id="Call.",
        n_turns="Turns.",
        user_rate="Of the user.",
    )
    models = {model.key: model for model in (stage, mart, metric)}
    return Project(ordered_models(models, ()), (), ())


def test_a_metric_is_explained_back_to_the_json(project: Project) -> None:
    assert explain(project, ColumnRef("metrics.daily", "user_rate")) == Explanation(
        name="metrics.daily.user_rate",
        file=str(Path("sql", "metrics", "daily.sql")),
        description="Of the user.",
        unit="share of 1",
        grain=("conversation_id",),
        metric=RATE,
        columns={},
        reads=("marts.facts",),
        lineage=(
            LineageColumn(
                "metrics.daily.user_rate",
                "Of the user.",
                (
                    LineageStep("final", "user_rate", "counted.n_user / counted.n_turns", None),
                    LineageStep("counted", "n_user", "count(*) filter(where facts.is_user)", None),
                    LineageStep("counted", "n_turns", "count(*)", None),
                ),
                ("marts.facts.is_user",),
                (),
            ),
            LineageColumn(
                "marts.facts.is_user",
                "Whether the user.",
                (LineageStep("spoken", "is_user", "turns.speaker = 'USER'", "not turns.message is null"),),
                ("staging.stg_turns.speaker",),
                (),
            ),
            LineageColumn("staging.stg_turns.speaker", "Who.", (), ("lake.turns.role",), ()),
            LineageColumn("lake.turns.role", "user or agent.", (), (), ("transcript[].role",)),
        ),
        sql=project.by_key["metrics.daily"].sql,
        values={},
    )


def test_a_column_that_is_passed_on_shows_the_filter(project: Project) -> None:
    first = explain(project, ColumnRef("marts.facts", "message")).lineage[0]
    assert first.steps == (LineageStep("spoken", "message", "turns.message", "not turns.message is null"),)
    assert first.sources == ("staging.stg_turns.message",)


def test_a_column_that_counts_rows_comes_from_no_column(project: Project) -> None:
    explained = explain(project, ColumnRef("metrics.daily", "n_turns"))
    assert explained.lineage == (
        LineageColumn(
            "metrics.daily.n_turns", "Turns.", (LineageStep("counted", "n_turns", "count(*)", None),), (), ()
        ),
    )
    assert (explained.metric, explained.unit, explained.reads) == (None, "count", ("marts.facts",))


def test_a_model_has_columns_and_no_lineage(project: Project) -> None:
    explained = explain(project, ColumnRef("marts.facts"))
    assert (explained.name, explained.description, explained.lineage) == ("marts.facts", "facts.", ())
    assert list(explained.columns) == ["conversation_id", "is_user", "message"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("daily", ["metrics.daily"]),
        ("Metrics.Daily", ["metrics.daily"]),
        ("daily.user_rate", ["metrics.daily.user_rate"]),
        ("metrics.daily.user_rate", ["metrics.daily.user_rate"]),
        ("user_rate", ["metrics.daily.user_rate"]),
        ("conversation_id", ["metrics.daily.conversation_id", "marts.facts.conversation_id"]),
        ("speaker", ["staging.stg_turns.speaker"]),
        ("facts.user_rate", []),
        ("lake.turns", []),
        ("", []),
    ],
)
def test_what_a_name_refers_to(project: Project, text: str, expected: list[str]) -> None:
    assert [str(target) for target in targets(project, text)] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dayly", ["daily"]),
        ("metrics.dayly", ["daily"]),
        ("facts.mesage", ["facts.message"]),
        ("fact.message", ["facts.message"]),
        ("marts.facts.mesage", ["facts.message"]),
        ("USER_RAT", ["user_rate"]),
        ("zzz", []),
    ],
)
def test_which_name_is_suggested(project: Project, text: str, expected: list[str]) -> None:
    assert suggest(project, text) == expected


def test_a_metric_of_ours_goes_back_to_the_verdict_of_the_api() -> None:
    lineage = explain(read_project(), ColumnRef("metrics.agent_daily", "success_rate")).lineage
    assert [(column.column, column.paths) for column in lineage] == [
        ("metrics.agent_daily.success_rate", ()),
        ("intermediate.int_agent_measures.success_rate", ()),
        ("marts.fct_conversations.call_successful", ()),
        ("marts.fct_conversations.is_counted", ()),
        ("staging.stg_conversations.call_successful", ()),
        ("intermediate.int_conversation_flags.is_counted", ()),
        ("lake.conversations.analysis_call_successful", ("analysis.call_successful",)),
        ("staging.stg_conversations.conversation_id", ()),
        ("staging.stg_conversations.status", ()),
        ("lake.conversations.conversation_id", ()),
        ("lake.conversations.status", ("status",)),
    ]
