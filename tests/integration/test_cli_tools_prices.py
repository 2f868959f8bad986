"""``convohouse tools`` and ``convohouse prices`` on the emulator: output for people and for programs."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from pipelines.emulator.data.agents import AGENTS
from pipelines.emulator.data.story import STORY
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers.run_cli import run
from warehouse.schema.reference_data import LLM_PRICES
from warehouse.serve.query import query
from warehouse.storage import lake
from warehouse.storage.home import Home

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
FIRST = AGENTS[0].agent_id
UNPRICED = "Xq0BillingLineOldId4"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A few calls, synced; what a sync copies of tools and prices is taken away again."""
    folder = tmp_path_factory.mktemp("cli")
    with running(create_app(World(conversations=60, days=3, until=UNTIL), clock=lambda: UNTIL)) as url:
        settings = Settings(home=folder / "data", base_url=url, api_key="demo", prices_every_days=0)
        assert sync.sync(Context(settings, clock=lambda: UNTIL), run_id="run").is_complete
        yield folder, {"ELEVENLABS_API_KEY": "demo", "ELEVENLABS_BASE_URL": url}


def test_tools_lists_the_tools_of_the_api_and_those_used_in_conversations(folder):
    here, settings = folder
    synced = run(here, "tools", "--sync", **settings)
    assert synced.code == 0
    assert "main: 14 tools listed" in synced.err
    again = run(here, "tools")
    assert again.out == synced.out
    head, *lines = again.text.splitlines()
    assert re.split(r"  +", head) == [
        *("tool", "type", "calls", "errors", "state", "changed", "timeout", "vendor's count"),
    ]
    by_name = {line.split()[0]: line for line in lines}
    assert "webhook" in by_name["find_customer"]
    assert "  not listed  " in by_name["lookup_reservation"]
    counts = [
        int(line.split()[2].replace(",", "")) for line in lines if "not listed" not in line and "never used" not in line
    ]
    assert counts == sorted(counts, reverse=True)
    assert again.err.splitlines()[-1].startswith(f"{len(lines)} tools, ")


def test_tools_as_data_are_the_rows_of_the_mart(folder):
    here, settings = folder
    assert run(here, "tools", "--sync", **settings).code == 0
    data = run(here, "tools", "--json").data
    keys = [row["tool_key"] for row in data["tools"]]
    mart = query(Home(here / "data"), "select tool_key from marts.dim_tools order by n_tool_calls desc, tool_name")
    assert keys == mart["tool_key"].to_list()
    assert data["problems"] == []


def test_tools_with_a_key_without_the_scope_says_which(folder):
    here, _ = folder
    with running(
        create_app(World(conversations=1, days=1, until=UNTIL), clock=lambda: UNTIL, denied=["/tools"])
    ) as url:
        ended = run(here, "tools", "--sync", ELEVENLABS_API_KEY="demo", ELEVENLABS_BASE_URL=url)
    assert ended.code == 3
    assert "GET /v1/convai/tools answered 403" in ended.err
    assert "convai_read" in ended.err


def test_prices_are_the_cheapest_first_beside_what_is_paid(folder):
    here, settings = folder
    ended = run(here, "prices", FIRST, "--prompt-length", "4000", "--pages", "2", "--no-rag", "--json", **settings)
    assert ended.code == 0
    (agent,) = ended.data["agents"]
    request = {name: value for name, value in agent.items() if name != "prices"}
    assert request == {
        "agent_id": FIRST,
        "prompt_length": 4000,
        "number_of_pages": 2,
        "is_rag_enabled": False,
        "prompt_basis": "given",
        "workspace": "main",
    }
    estimates = [row["price_per_minute_usd"] for row in agent["prices"]]
    assert estimates == sorted(estimates)
    minutes, paid = query(
        Home(here / "data"),
        f"""
        select sum(call_duration_secs) / 60, sum(llm_cost_usd)
        from marts.fct_conversations
        where is_counted and llm_cost_usd is not null and agent_id = '{FIRST}'
        """,  # noqa: S608 - our own id
    ).row(0)
    used = {row["llm"]: row["paid_usd_per_minute"] for row in agent["prices"] if row["paid_usd"]}
    assert used == {STORY.new_version.model: pytest.approx(paid / minutes)}  # the version of those days speaks with it


def test_before_the_first_build_prices_are_listed_and_nothing_is_known_to_be_paid(folder):
    here, settings = folder
    warehouse = Home(here / "data").warehouse
    aside = warehouse.rename(warehouse.with_suffix(".aside"))
    try:
        ended = run(here, "prices", FIRST, "--json", **settings)
    finally:
        aside.rename(warehouse)
    (agent,) = ended.data["agents"]
    assert ended.code == 0
    assert len(agent["prices"]) > 1
    assert {(row["paid_usd"], row["paid_usd_per_minute"]) for row in agent["prices"]} == {(None, None)}


def test_prices_of_all_agents_for_people_name_those_that_have_none(folder):
    here, settings = folder
    ended = run(here, "prices", **settings)
    assert ended.code == 0
    first, *_ = ended.text.splitlines()
    assert first.endswith("characters, measured)")
    name = next(agent.name for agent in AGENTS if agent.agent_id == UNPRICED)
    assert f"{name} lacks prices: The API returned no prices for it." in ended.err
    assert UNPRICED not in ended.text
    assert name not in ended.text


def test_an_agent_that_was_named_and_has_no_prices_ends_with_1(folder):
    here, settings = folder
    n_before = lake.read(Home(here / "data"), LLM_PRICES).height
    ended = run(here, "prices", "agent_none/../../tools", **settings)
    assert (ended.code, ended.out) == (1, b"")
    assert "agent_none%2F..%2F..%2Ftools/llm-usage/calculate answered 404" in ended.err
    assert lake.read(Home(here / "data"), LLM_PRICES).height == n_before


def test_prices_without_any_conversation_have_no_agent_to_ask_for(tmp_path):
    Home(tmp_path / "data").open()
    ended = run(tmp_path, "prices", ELEVENLABS_API_KEY="demo", ELEVENLABS_BASE_URL="http://127.0.0.1:1")
    assert ended.code == 2
    assert ended.err.startswith("error: There is no agent to ask for.")


@pytest.mark.parametrize("wrong", [["--pages", "-1"], ["--prompt-length", "long"]])
def test_a_wrong_number_is_refused(tmp_path, wrong):
    assert run(tmp_path, "prices", *wrong).code == 2
