"""``metrics``, ``explain`` and a misspelt ``query`` on a small emulated API: output for people and for programs."""

from __future__ import annotations

import io
from pathlib import Path

import polars as pl
import pytest

from tests.helpers.run_cli import run
from tests.integration.conftest import Copied

LAST_DAY = "2026-11-21"
TABLES_HINT = "`convohouse tables` lists tables and columns; after an update, `convohouse build` adds new ones."


@pytest.fixture(scope="module")
def filled(three_days: Copied) -> Path:
    return three_days.folder


@pytest.fixture(scope="module")
def rows(filled: Path) -> list[dict[str, object]]:
    """The rows of agent_daily, by the way of ``query``."""
    answer = run(filled, "query", "from metrics.agent_daily order by start_date desc, workspace, agent_id", "--json")
    assert len(answer.data) > 3
    return answer.data


def test_metrics_lists_the_catalog_by_model_with_row_counts(filled: Path, rows: list[dict[str, object]]) -> None:
    models = {model["model"]: model for model in run(filled, "metrics", "--json").data["models"]}
    assert models["agent_daily"]["n_rows"] == len(rows)
    assert models["agent_daily"]["grain"] == ["workspace", "start_date", "agent_id"]
    assert "catalog" not in models
    catalog = run(filled, "query", "from metrics.catalog order by id", "--json").data
    assert [metric for model in models.values() for metric in model["metrics"]] == catalog
    shown = run(filled, "metrics")
    assert f"agent_daily: {len(rows)} rows, one per workspace, start_date, agent_id\n" in shown.text
    line = next(line for line in shown.text.splitlines() if line.startswith("agent_daily.success_rate "))
    assert [part.strip() for part in line.split("  ") if part] == [
        "agent_daily.success_rate",
        "Success rate",
        "share of 1",
        "high",
    ]
    assert "convohouse explain" in shown.err
    assert run(filled, "metrics", "--format", "json").data == catalog


def test_metrics_prints_a_model_newest_first(filled: Path, rows: list[dict[str, object]]) -> None:
    assert run(filled, "metrics", "agent_daily", "--json").data == rows
    assert run(filled, "metrics", "metrics.Agent_Daily", "--limit", "2", "--json").data == rows[:2]
    parquet = run(filled, "metrics", "agent_daily", "--format", "parquet").out
    assert pl.read_parquet(io.BytesIO(parquet)).height == len(rows)
    assert run(filled, "metrics", "agent_daily").text.startswith("start_date  agent  ")


def test_metrics_prints_a_model_without_days_by_its_keys(filled: Path) -> None:
    by_keys = "from metrics.conversation_flow order by workspace, agent_id, turn_position"
    answer = run(filled, "metrics", "conversation_flow", "--json").data
    assert answer == run(filled, "query", by_keys, "--json").data
    assert len(answer) > 3


def test_metrics_prints_the_rows_of_an_agent_and_of_days(filled: Path, rows: list[dict[str, object]]) -> None:
    agent = str(rows[0]["agent_id"])
    answer = run(filled, "metrics", "agent_daily", "--agent", agent, "--json").data
    assert answer == [row for row in rows if row["agent_id"] == agent]
    names = {row["agent_id"]: row["agent_name"] for row in run(filled, "query", "from marts.dim_agents", "--json").data}
    assert run(filled, "metrics", "agent_daily", "--agent", names[agent].upper(), "--json").data == answer
    answer = run(filled, "metrics", "agent_daily", "--since", LAST_DAY, "--json").data
    assert answer == [row for row in rows if str(row["start_date"]) >= LAST_DAY]
    answer = run(filled, "metrics", "agent_daily", "--until", LAST_DAY, "--json").data
    assert answer == [row for row in rows if str(row["start_date"]) < LAST_DAY]
    answer = run(
        filled, "metrics", "agent_daily", "--since", f"{LAST_DAY}T12:00", "--until", "2100-01-01", "--json"
    ).data
    assert answer == [row for row in rows if str(row["start_date"]) >= LAST_DAY]


def test_metrics_prints_one_metric_with_its_keys_and_its_n(
    filled: Path, rows: list[dict[str, object]], tmp_path: Path
) -> None:
    def only(*names: str) -> list[dict[str, object]]:
        keys = ("workspace", "start_date", "agent_id", "agent_name")
        return [{name: row[name] for name in (*keys, *names)} for row in rows]

    for metric, names in {
        "success_rate": ("n_success", "n_failure", "success_rate"),
        "wait_p95_secs": ("n_waits", "wait_p95_secs"),
        "cost_usd": ("n_calls", "cost_usd"),
        "n_calls": ("n_calls",),
    }.items():
        assert run(filled, "metrics", f"agent_daily.{metric}", "--json").data == only(*names)
    target = tmp_path / "rate.csv"
    ended = run(filled, "metrics", "agent_daily.success_rate", "--output", str(target))
    assert (ended.code, ended.out, ended.err) == (0, b"", f"{len(rows)} rows written to {target}\n")
    assert (
        target.read_text().splitlines()[0]
        == "workspace,start_date,agent_id,agent_name,n_success,n_failure,success_rate"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["agent_dayly"], ["There is no model or metric 'agent_dayly'.", "Did you mean agent_daily"]),
        (["agent_daily.sucess_rate"], ["Did you mean agent_daily.success_rate"]),
        (["success_rate"], ["'success_rate' needs its model.", "agent_daily", "write agent_daily.success_rate"]),
        (["catalog"], ["There is no model or metric 'catalog'."]),
        (
            ["tool_reliability", "--agent", "a"],
            ["tool_reliability has no agent_id", "These models have it: agent_daily"],
        ),
        (
            ["conversation_flow", "--since", "7d"],
            ["conversation_flow has no date", "These models have one: agent_daily"],
        ),
        (["agent_daily", "--since", "soon"], ["'soon' is not a date"]),
        (["agent_daily", "--agent", "o'neill"], ['There is no agent "o\'neill".', "Known agents: ", "Hotel Alder"]),
        (["agent_daily", "--agent", "hotel aldr concierge"], ["Did you mean Hotel Alder Concierge?"]),
        (["agent_daily", "--agent", "alder"], ["Did you mean Hotel Alder Concierge?"]),
        (["agent_daily", "--since", "2026-11-21", "--until", "2026-11-20"], ["The window is empty"]),
        (["agent_daily", "--limit", "0"], ["0 is not in the range"]),
        (["--since", "7d"], ["need the NAME of a model"]),
        (["agent_daily", "--output", "no/such/a.csv"], ["There is no folder no/such"]),
    ],
)
def test_metrics_refuses_wrong_input(arguments: list[str], words: list[str], filled: Path) -> None:
    ended = run(filled, "metrics", *arguments)
    assert (ended.code, ended.out) == (2, b"")
    assert [word for word in words if word not in ended.err] == []


def test_explain_shows_definition_sql_and_lineage_without_any_data(tmp_path: Path) -> None:
    ended = run(tmp_path, "explain", "agent_daily.success_rate")
    assert (ended.code, ended.err, list(tmp_path.iterdir())) == (0, "", [])
    lines = ended.text.splitlines()
    assert lines[:2] == ["Success rate: metrics.agent_daily.success_rate", "Successes among the conversations judged."]
    assert [line for line in lines if line.startswith("  formula")] == [
        "  formula  n_success ÷ (n_success + n_failure)"
    ]
    assert "  file     sql/metrics/agent_daily.sql" in lines
    n_success = "count(*) filter(where included.is_counted and included.call_successful = 'success')"
    assert f"    sums.n_success = {n_success}" in lines
    assert lines[lines.index("Comes from") + 1 :] == [
        "  metrics.agent_daily.success_rate",
        "    intermediate.int_agent_measures.success_rate",
        "      marts.fct_conversations.call_successful",
        "        staging.stg_conversations.call_successful",
        "          lake.conversations.analysis_call_successful  ◀ analysis.call_successful",
        "      marts.fct_conversations.is_counted",
        "        intermediate.int_conversation_flags.is_counted",
        "          staging.stg_conversations.conversation_id",
        "            lake.conversations.conversation_id",
        "          staging.stg_conversations.status",
        "            lake.conversations.status  ◀ status",
    ]


def test_explain_shows_the_sources_of_a_column_once(tmp_path: Path) -> None:
    tree = run(tmp_path, "explain", "feedback.like_rate").text.partition("Comes from\n")[2].splitlines()
    depths = [len(line) - len(line.lstrip()) for line in tree]
    with_sources = [line.strip() for line, depth, below in zip(tree, depths, depths[1:], strict=False) if below > depth]
    assert len(with_sources) == len(set(with_sources)) > 3
    repeated = [line.removesuffix("  (see above)").strip() for line in tree if line.endswith("  (see above)")]
    assert repeated
    assert set(repeated) <= set(with_sources)


def test_explain_as_data(tmp_path: Path) -> None:
    answer = run(tmp_path, "explain", "fct_conversations.cost_usd", "--json").data
    assert (answer["name"], answer["unit"], answer["metric"]) == (
        "marts.fct_conversations.cost_usd",
        "US dollars",
        None,
    )
    origins = {origin["column"]: origin for origin in answer["lineage"]}
    assert origins["lake.conversations.cost_credits"]["paths"] == ["metadata.cost"]
    assert "seeds.credits_per_usd.credits_per_usd" in origins
    metric = run(tmp_path, "explain", "agent_daily.rating", "--json").data["metric"]
    assert (metric["name"], metric["denominator"]) == ("Rating", "n_ratings")


def test_explain_lists_the_outcomes_in_their_order_and_where_they_come_from(tmp_path: Path) -> None:
    text = run(tmp_path, "explain", "outcome").text
    places = [text.index(f"\n  {outcome}  ") for outcome in ("unknown", "not_reached", "voicemail", "contained")]
    assert places == sorted(places)
    assert "lake.conversations.termination_reason  ◀ metadata.termination_reason" in text
    data = run(tmp_path, "explain", "fct_conversations.outcome", "--json").data
    assert [value["value"] for value in data["values"]][:3] == ["unknown", "not_reached", "voicemail"]
    assert len(data["values"]) == 9
    outcome = run(tmp_path, "explain", "outcome:abandoned", "--json").data
    assert outcome["values"] == [
        {
            "value": "abandoned",
            "holds_when": "the user said no word, whoever hung up and however long it took",
            "reasons": "`silence` after the silence timeout, else `hung_up`",
        }
    ]
    assert run(tmp_path, "explain", "success_rate", "--json").data.keys() == {"name", "several"}
    assert run(tmp_path, "explain", "agent_daily.n_calls", "--json").data["values"] == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("outcome:abandonned", "Its values: unknown, not_reached"),
        ("fct_conversations.is_error:x", "It has no values"),
    ],
)
def test_explain_refuses_a_value_that_the_column_does_not_have(tmp_path: Path, name: str, hint: str) -> None:
    ended = run(tmp_path, "explain", name)
    assert ended.code == 2
    assert hint in ended.err


def test_explain_shows_a_model_and_prints_its_sql(tmp_path: Path) -> None:
    shown = run(tmp_path, "explain", "agent_daily").text
    assert shown.startswith("metrics.agent_daily\nAn agent's day: ")
    assert "  reads  intermediate.int_agent_measures\n" in shown
    assert "\n  wait_p99_secs               99th percentile of the wait over entries.\n" in shown
    printed = run(tmp_path, "explain", "agent_daily", "--sql").text
    assert printed.startswith("with measures as (\n    select * from intermediate.int_agent_measures\n")
    assert printed.endswith("\n\nselect * from final\n")


def test_explain_lists_the_models_that_have_a_column(tmp_path: Path) -> None:
    ended = run(tmp_path, "explain", "success_rate")
    assert ended.code == 0
    assert "  agent_daily.success_rate " in ended.text
    assert "convohouse explain metrics.agent_daily.success_rate" in ended.err
    several = run(tmp_path, "explain", "success_rate", "--json").data["several"]
    about = "Successes among the conversations judged."
    assert several[0] == {"name": "metrics.agent_daily.success_rate", "about": about}
    assert len(several) == len(ended.text.splitlines())


def test_explain_suggests_what_was_meant(tmp_path: Path) -> None:
    ended = run(tmp_path, "explain", "fct_conversation.cost_usd")
    assert (ended.code, ended.out) == (2, b"")
    assert "There is no metric, model or column 'fct_conversation.cost_usd'." in ended.err
    assert "Did you mean fct_conversations.cost_usd" in ended.err


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("from stg_turns", "stg_turns is in schema staging: write staging.stg_turns."),
        ("from mart.fct_turns", "fct_turns is in schema marts: write marts.fct_turns."),
        ("from marts.fct_conversation", "Did you mean marts.fct_conversations or "),
        ("from agentdaily", "Did you mean metrics.agent_daily"),
        ("select cost_us from marts.fct_conversations", "Did you mean cost_usd (of marts.fct_conversations, "),
        (
            "select t.mesage from marts.fct_turns t",
            "Did you mean message (of marts.fct_turns, staging.stg_turns, lake.turns)",
        ),
        ("select * exclude (mesage) from marts.fct_turns", "Did you mean message (of marts.fct_turns, "),
        ("select wait_p95_secs from marts.fct_turns", "wait_p95_secs is a column of metrics.agent_daily, "),
    ],
)
def test_query_suggests_the_nearest_names_of_all_schemas(sql: str, said: str, filled: Path) -> None:
    ended = run(filled, "query", sql)
    assert (ended.code, ended.out) == (2, b"")
    assert ended.err.splitlines()[-1].startswith(said)
    assert ended.err.endswith(f"{TABLES_HINT}\n")


def test_query_suggests_nothing_where_nothing_is_near(filled: Path) -> None:
    ended = run(filled, "query", "from zzzzzz")
    assert ended.err.splitlines()[-1] == TABLES_HINT


def test_doctor_says_which_seeds_are_the_users(tmp_path: Path) -> None:
    def seeds() -> tuple[int, dict[str, str]]:
        ended = run(tmp_path, "doctor", "--offline", "--json", ELEVENLABS_API_KEY="demo")
        return ended.code, next(finding for finding in ended.data["findings"] if finding["name"] == "seeds")

    assert (seeds()[0], seeds()[1]["said"]) == (0, "all are built in")
    user_seeds = tmp_path / "data" / "seeds"
    user_seeds.mkdir(parents=True)
    (user_seeds / "budgets.csv").write_text(
        "month_start_date,agent_id,budget_usd\n2026-11-01,*,100\n2026-12-01,*,100\n"
    )
    assert (seeds()[0], seeds()[1]["said"]) == (0, "yours: budgets (2 rows); the others are built in")
    (user_seeds / "budgets.csv").write_text("month_start_date,agent_id\n2026-11-01,*\n")
    code, finding = seeds()
    assert (code, finding["said"]) == (
        1,
        "data/seeds/budgets.csv:1: column budget_usd: missing; the columns are month_start_date,agent_id,budget_usd.",
    )
