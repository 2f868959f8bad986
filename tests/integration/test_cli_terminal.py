"""The commands on a terminal of 80 columns: units, agents by name, no broken word; and ``convohouse summary``."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

from pipelines.cli.agents import agent_labels
from pipelines.emulator.data.agents import AGENTS
from pipelines.errors import UsageError
from pipelines.usecases.agents import resolve_agent, resolve_agents
from tests.helpers.run_cli import run
from tests.integration.conftest import Copied
from warehouse.schema.operations import AGENTS as AGENTS_TABLE
from warehouse.storage import lake
from warehouse.storage.home import Home

WIDTH = 80
FIRST = AGENTS[0]


@pytest.fixture(scope="module")
def filled(three_days: Copied) -> tuple[Path, dict[str, str]]:
    """A folder with a home of three days, and the settings with which its API answers."""
    return three_days.folder, three_days.settings


@pytest.fixture(scope="module")
def folder(three_days: Copied) -> Path:
    return three_days.folder


def test_summary_prints_the_six_facts(folder: Path) -> None:
    ended = run(folder, "summary")
    assert (ended.code, ended.err) == (0, "")
    assert [re.split(r"  +", line)[1] for line in ended.text.splitlines()] == [
        "conversations",
        "success rate",
        "cost",
        "cost per success",
        "wait, 95th percentile",
        "slowest tool",
    ]
    assert re.search(r"success rate +\d+\.\d %, with \d+\.\d % of the conversations judged\n", ended.text)
    assert re.search(r"cost +[\d,]+ credits, \$[\d,]+\.\d\d for \d+\.\d % of the conversations\n", ended.text)
    assert re.search(r"wait, 95th percentile +\d\.\d\d s, half are within \d\.\d\d s\n", ended.text)


def test_summary_as_data_is_what_sql_counts(folder: Path) -> None:
    data = run(folder, "summary", "--json").data
    sql = "select sum(n_calls)::int as n, sum(cost_credits)::int as credits from metrics.agent_daily"
    assert run(folder, "query", sql, "--json").data == [{"n": data["n_calls"], "credits": data["cost_credits"]}]


def test_the_requested_metric_is_the_first_value_column_and_agents_have_names(folder: Path) -> None:
    ended = run(folder, "metrics", "agent_daily.success_rate", "--agent", FIRST.name, width=WIDTH)
    head, first, *_ = ended.text.splitlines()
    assert head.split() == ["start_date", "agent", "success_rate", "n_success", "n_failure"]
    assert re.fullmatch(rf"2026-11-21  {FIRST.name} +(\d+\.\d %|–)  .*", first)  # noqa: RUF001 - a dash
    csv = run(folder, "metrics", "agent_daily.success_rate", "--format", "csv", width=WIDTH).text
    assert csv.splitlines()[0] == "workspace,start_date,agent_id,agent_name,n_success,n_failure,success_rate"


def test_columns_without_room_are_named_with_a_way_to_see_them(folder: Path) -> None:
    ended = run(folder, "metrics", "agent_daily", "--limit", "2", width=WIDTH)
    note = " ".join(ended.err.split())
    assert re.fullmatch(r"\(2 rows; no room for .+ and \d+ more: --format csv has all columns\)", note)
    assert run(folder, "metrics", "agent_daily", "--limit", "2").err == "(2 rows)\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["summary"],
        ["status"],
        ["metrics"],
        ["metrics", "agent_daily"],
        ["metrics", "agent_daily.cost_usd"],
        ["query", "from marts.fct_conversations"],
        ["query", "select conversation_id, agent_id, cost_usd from marts.fct_conversations limit 2"],
        ["tables"],
        ["tables", "lake.conversations"],
        ["tables", "metrics.agent_daily"],
        ["explain", "agent_daily.success_rate"],
        ["explain", "agent_daily"],
        ["find", "the"],
        ["tools"],
        ["drift"],
        ["check"],
        ["doctor"],
        ["retain", "--older-than", "1d", "--agent", FIRST.name, "--max-share", "1", "--dry-run"],
        ["metrics", "agent_daily", "--agent", "nobody"],
        ["sync", "--plan"],
        ["prices", FIRST.name],
        ["access", FIRST.name],
    ],
)
def test_no_line_is_broken_inside_a_word(arguments: list[str], filled: tuple[Path, dict[str, str]]) -> None:
    folder, settings = filled
    narrow = run(folder, *arguments, width=WIDTH, **settings)
    plain = run(folder, *arguments, **settings)
    assert narrow.code == plain.code
    lines = [*narrow.text.splitlines(), *(_without_progress(narrow.err))]
    too_long = [line for line in lines if len(line) > WIDTH and " " in line.strip() and not _has_long_word(line)]
    assert too_long == []
    new_words = set(narrow.text.split()) - set(plain.text.split())
    assert {word for word in new_words if not re.fullmatch(r"[\d.,:$%]+|.*…", word)} == set()


def _without_progress(text: str) -> list[str]:
    return [line for line in text.splitlines() if not re.search(r"━|…|\x1b", line)]


def _has_long_word(line: str) -> bool:
    return max(map(len, line.split())) > WIDTH // 2


def test_agents_are_found_by_name_in_any_case_or_by_id(folder: Path) -> None:
    home = Home(folder / "data")
    for text in (FIRST.agent_id, FIRST.name, FIRST.name.upper(), f" {FIRST.name.lower()} "):
        assert resolve_agent(home, text) == FIRST.agent_id
    assert resolve_agent(home, None) is None
    assert agent_labels(home)[FIRST.agent_id] == FIRST.name
    assert resolve_agents(home, ["agent_unseen"], allow_unseen=True) == ("agent_unseen",)


def test_blanks_in_the_name_of_an_agent_do_not_matter(folder: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "data").open()
    rows = lake.read(Home(folder / "data"), AGENTS_TABLE)
    names = pl.when(pl.col("agent_id") == FIRST.agent_id).then(pl.lit(" Front  Desk ")).otherwise(pl.lit(""))
    lake.overwrite_table(home, AGENTS_TABLE, rows.with_columns(agent_name=names))
    assert resolve_agent(home, "front desk") == FIRST.agent_id
    with pytest.raises(UsageError, match="There is no agent ''"):
        resolve_agent(home, "")


@pytest.mark.parametrize("text", ["agent_unseen", "Harbour", "", "../.."])
def test_an_unknown_agent_is_an_error_that_lists_the_known(text: str, folder: Path) -> None:
    with pytest.raises(UsageError) as raised:
        resolve_agent(Home(folder / "data"), text)
    assert raised.value.message == f"There is no agent {text!r}."
    assert [agent.name for agent in AGENTS if agent.name not in raised.value.hint] == []


def test_several_agents_of_one_name_are_told_apart_by_id(folder: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "data").open()
    rows = lake.read(Home(folder / "data"), AGENTS_TABLE).with_columns(agent_name=pl.lit("Twin"))
    lake.overwrite_table(home, AGENTS_TABLE, rows)
    with pytest.raises(UsageError, match="Several agents are called 'twin'") as raised:
        resolve_agent(home, "twin")
    assert FIRST.agent_id in raised.value.hint
    assert agent_labels(home)[FIRST.agent_id] == f"Twin ({FIRST.agent_id})"


def test_an_empty_home_takes_any_id_and_no_name(tmp_path: Path) -> None:
    home = Home(tmp_path / "data")
    assert resolve_agent(home, "agent_2201k5ge9f4t8x7q3mwcv6zd0nby") == "agent_2201k5ge9f4t8x7q3mwcv6zd0nby"
    assert resolve_agent(home, "Xq0BillingLineOldId4") == "Xq0BillingLineOldId4"
    with pytest.raises(UsageError, match="this home folder has no agents yet"):
        resolve_agent(home, "Harbour Clinic")
    ended = run(tmp_path, "sync", "--agent", "Harbour Clinic", ELEVENLABS_API_KEY="demo")
    assert (ended.code, list(tmp_path.iterdir())) == (2, [])
