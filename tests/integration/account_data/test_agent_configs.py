"""Agents' configurations from the emulator: what lands, its history, and what a failure costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import polars as pl
import pytest

from pipelines.emulator.data.agents import AGENTS
from pipelines.emulator.server import agents_endpoint
from pipelines.errors import ApiError, CredentialsError
from pipelines.transform.agent_configs import refresh_agent_configs
from pipelines.transform.listed_items import refresh_items
from pipelines.transform.schema_drift import new_unknown
from pipelines.usecases import sync
from pipelines.usecases.account_data import (
    AgentsCopy,
    BatchesCopy,
    TagsCopy,
)
from pipelines.usecases.context import no_progress
from pipelines.usecases.items_copy import ItemsResult
from pipelines.usecases.sync_reference_data import copy_and_build, sync_reference_data
from tests.helpers.account_night import NIGHT, quarantined, rename, rows
from tests.helpers.disk_contents import contents
from tests.helpers.editing_app import vendor
from warehouse.schema.account_data import (
    AGENT_BRANCHES,
    AGENT_CONFIGS,
    AGENT_VERSIONS,
    BATCH_CALLS,
    LANDED_AGENTS,
    LANDED_BATCHES,
    LANDED_TAGS,
)
from warehouse.schema.operations import UNKNOWN_FIELDS
from warehouse.storage import lake, landing_merge
from warehouse.storage.landing_reference_data import item_rows

FIRST, SECOND = AGENTS[:2]
PATH = "/v1/convai/agents"
TABLES = (AGENT_CONFIGS, AGENT_BRANCHES, AGENT_VERSIONS, BATCH_CALLS)


def test_agents_land_with_branches_and_versions(emulated, clock):
    context = emulated()
    assert AgentsCopy(context).fetch_and_land() == ItemsResult(len(AGENTS), {})
    (config,) = rows(context, AGENT_CONFIGS, agent_id=FIRST.agent_id)
    current = agents_endpoint.current_version(FIRST, clock())
    assert {name: config[name] for name in ("valid_from_at", "last_seen_at", "is_current", "changes", "prompt")} == {
        "valid_from_at": NIGHT,
        "last_seen_at": NIGHT,
        "is_current": True,
        "changes": None,
        "prompt": None,
    }
    prompt = agents_endpoint.document(FIRST, current)["conversation_config"]["agent"]["prompt"]["prompt"]
    measured = ("agent_name", "prompt_length", "n_tools", "n_criteria", "n_data_collection_fields", "version_id")
    assert tuple(config[name] for name in measured) == (FIRST.name, len(prompt), 3, 3, 4, current)
    older, newer = sorted(rows(context, AGENT_VERSIONS, agent_id=FIRST.agent_id), key=lambda row: row["committed_at"])
    said = ("version_id", "description", "author_name", "author_email", "parent_version_id", "changes", "llm")
    assert [tuple(row[name] for name in said) for row in (older, newer)] == [
        (
            FIRST.versions[0].version_id,
            "First version",
            "Robin Demo",
            "robin.demo@example.com",
            None,
            None,
            "gemini-2.5-flash",
        ),
        (
            FIRST.versions[1].version_id,
            "Confirm before tools are used",
            "Kim Example",
            "kim.example@example.com",
            FIRST.versions[0].version_id,
            '["conversation_config.agent.prompt.llm","conversation_config.agent.prompt.prompt"]',
            "gemini-2.5-flash-lite",
        ),
    ]
    branches = rows(context, AGENT_BRANCHES, agent_id=FIRST.agent_id)
    states = {(row["branch_name"], row["current_live_percentage"], row["is_archived"]) for row in branches}
    assert states == {("Main", 100.0, False), ("Shorter greeting", 0.0, True)}


def test_no_text_of_a_configuration_is_on_the_disk_unless_a_setting_says_so(emulated):
    context = emulated()
    AgentsCopy(context).fetch_and_land()
    disk = contents(context.home.root)
    assert b"You are the assistant" not in disk
    assert FIRST.greeting.encode() not in disk
    with_texts = emulated(agent_texts=True)
    AgentsCopy(with_texts).fetch_and_land()
    (config,) = rows(with_texts, AGENT_CONFIGS, agent_id=FIRST.agent_id)  # the texts have landed; nothing has changed
    assert config["prompt"].startswith("You are the assistant of Harbour Clinic Reception.")
    AgentsCopy(context).fetch_and_land()
    (config,) = rows(context, AGENT_CONFIGS, agent_id=FIRST.agent_id)
    assert (config["prompt"], config["valid_from_at"]) == (None, NIGHT)


def test_credentials_and_people_are_masked(emulated, api):
    secrets = {"custom_llm": {"api_key": "pl4nted00"}, "note": "Call +43 660 1234567, robin.demo@example.com"}
    api.edits[f"{PATH}/{FIRST.agent_id}"] = lambda agent: agent | {"workflow": secrets}
    context = emulated(pii="hash", pii_key="0123456789abcdef", agent_texts=True)
    AgentsCopy(context).fetch_and_land()
    BatchesCopy(context).fetch_and_land()
    disk = contents(context.home.root)
    planted = (b"pl4nted", b"1234567", b"robin.demo@example.com", b"kim.example@example.com", b"+15550")
    assert [word for word in planted if word in disk] == []
    assert {row["author_email"] for row in rows(context, AGENT_VERSIONS)} == {"<email>"}


@pytest.mark.usefixtures("few_models")
def test_a_field_that_only_agents_have_is_new_after_the_sync_that_fetched_it(emulated, api, clock):
    context = emulated()
    sync.sync(context, run_id="first")
    assert new_unknown(context.home)[0].is_empty()
    clock.now = NIGHT + timedelta(days=1)
    api.edits[f"{PATH}/{FIRST.agent_id}"] = lambda agent: agent | {"brand_new": 1}
    sync.sync(context, run_id="second")
    new_fields, _ = new_unknown(context.home)
    assert new_fields.select("path", "first_seen_at", "example_id").rows() == [
        ("agent.brand_new", clock.now, FIRST.agent_id)
    ]


@pytest.mark.usefixtures("few_models")
def test_a_field_that_only_agents_have_is_counted_by_the_command_that_fetches_them(emulated, api):
    context = emulated()
    api.edits[f"{PATH}/{FIRST.agent_id}"] = lambda agent: agent | {"brand_new": 1}
    copy_and_build(context, "versions", lambda workspace: AgentsCopy(workspace).fetch_and_land().errors, no_progress)
    paths = sorted(row["path"] for row in rows(context, UNKNOWN_FIELDS))
    assert paths == ["agent.brand_new", "version.agent.brand_new"]


def test_a_second_day_lands_only_what_has_changed_and_asks_for_no_version_again(emulated, api, clock):
    context = emulated()
    AgentsCopy(context).fetch_and_land()
    api.requests.clear()
    clock.now += timedelta(hours=3)
    assert not AgentsCopy.is_due(context)  # the same UTC day
    assert api.requests == {}
    clock.now = NIGHT + timedelta(days=1)
    api.edits[f"{PATH}/{FIRST.agent_id}"] = rename("New name")
    api.edits[f"{PATH}/{SECOND.agent_id}/branches"] = lambda page: (
        page | {"results": [branch | {"current_live_percentage": 40.0, "calls_7d": 99} for branch in page["results"]]}
    )
    assert AgentsCopy.is_due(context)
    assert AgentsCopy(context).fetch_and_land().n_listed == len(AGENTS)
    assert [path for path in api.requests if "version" in path] == []
    landed = item_rows(context.home, LANDED_AGENTS).filter(pl.col("listed_at") == clock.now)
    assert sorted(landed.filter(pl.col("payload").is_not_null())["item_id"]) == sorted(
        [FIRST.agent_id, f"{SECOND.agent_id}/branches/{SECOND.branch_id}"]
    )
    before, after = rows(context, AGENT_CONFIGS, agent_id=FIRST.agent_id)
    assert [(row["agent_name"], row["changes"], row["is_current"]) for row in (before, after)] == [
        (FIRST.name, None, False),
        ("New name", '["name"]', True),
    ]
    assert [
        (row["current_live_percentage"], row["changes"], row["valid_from_at"], row["last_seen_at"], row["is_current"])
        for row in rows(context, AGENT_BRANCHES, agent_id=SECOND.agent_id)
    ] == [
        (100.0, None, NIGHT, NIGHT, False),
        (40.0, '["current_live_percentage"]', clock.now, clock.now, True),
    ]


def test_history_follows_the_landing_and_not_the_clock(emulated, api, clock):
    context = emulated()
    for name, days in (("A", 0), ("B", -30), ("B", 900), ("A", 0)):
        clock.now = NIGHT + timedelta(days=days)
        api.edits[f"{PATH}/{FIRST.agent_id}"] = rename(name)
        AgentsCopy(context).fetch_and_land()
    configs = sorted(rows(context, AGENT_CONFIGS, agent_id=FIRST.agent_id), key=lambda row: row["valid_from_at"])
    tick = timedelta(microseconds=1)
    assert [row["agent_name"] for row in configs] == ["A", "B", "A"]
    assert [row["valid_from_at"] for row in configs] == [NIGHT, NIGHT + tick, NIGHT + 2 * tick]
    assert [row["is_current"] for row in configs] == [False, False, True]


def test_a_wrong_clock_does_not_put_the_next_listing_off(emulated, clock):
    context = emulated()
    clock.now = NIGHT + timedelta(days=900)
    assert AgentsCopy.is_due(context)
    assert AgentsCopy(context).fetch_and_land().n_listed == len(AGENTS)
    clock.now = NIGHT
    assert AgentsCopy.is_due(context)
    assert AgentsCopy(context).fetch_and_land().n_listed == len(AGENTS)


def test_an_agent_that_is_no_longer_listed_is_not_current(emulated, api, clock):
    context = emulated()
    AgentsCopy(context).fetch_and_land()
    clock.now += timedelta(days=1)
    api.edits[PATH] = lambda page: page | {"agents": page["agents"][1:]}
    assert AgentsCopy(context).fetch_and_land().n_listed == len(AGENTS) - 1
    assert [row["is_current"] for row in rows(context, AGENT_CONFIGS, agent_id=FIRST.agent_id)] == [False]
    assert {row["is_current"] for row in rows(context, AGENT_BRANCHES, agent_id=FIRST.agent_id)} == {False}
    assert {row["is_current"] for row in rows(context, AGENT_CONFIGS, agent_id=SECOND.agent_id)} == {True}


def test_an_agent_that_fails_is_quarantined_and_stays_as_it_was(emulated, api, clock):
    context = emulated()
    AgentsCopy(context).fetch_and_land()
    clock.now += timedelta(days=1)
    api.edits[f"{PATH}/{FIRST.agent_id}"] = vendor(422)
    api.edits[f"{PATH}/{SECOND.agent_id}/branches"] = vendor(401, "invalid_api_key")
    assert AgentsCopy.is_due(context)
    assert AgentsCopy(context).fetch_and_land().n_listed == len(AGENTS)
    assert quarantined(context) == {
        FIRST.agent_id: "agent_unavailable",
        f"{SECOND.agent_id}/branches": "agent_unavailable",
    }
    assert {row["is_current"] for table in (AGENT_CONFIGS, AGENT_BRANCHES) for row in rows(context, table)} == {True}
    api.edits.clear()
    clock.now += timedelta(hours=1)
    assert AgentsCopy.is_due(context)
    assert AgentsCopy(context).fetch_and_land().n_listed == len(AGENTS)  # tried again on the same day
    assert quarantined(context) == {}


def test_versions_that_the_api_no_longer_has_are_no_error(emulated, api):
    version_id = FIRST.versions[0].version_id
    api.edits[f"{PATH}/{FIRST.agent_id}/versions/{version_id}"] = vendor(422)
    api.edits[f"{PATH}/{SECOND.agent_id}/branches"] = vendor(404)
    context = emulated()
    assert AgentsCopy(context).fetch_and_land() == ItemsResult(len(AGENTS), {})
    (newer,) = rows(context, AGENT_VERSIONS, agent_id=FIRST.agent_id)
    assert (newer["parent_version_id"], newer["changes"]) == (version_id, None)
    api.edits.clear()
    AgentsCopy(context).fetch_and_land()  # what is landed names it
    versions = {row["version_id"] for row in rows(context, AGENT_VERSIONS, agent_id=FIRST.agent_id)}
    assert versions == {version.version_id for version in FIRST.versions}


def test_an_item_that_cannot_be_flattened_is_quarantined(emulated, monkeypatch):
    def fail(item_id, _document):
        if item_id == FIRST.agent_id:
            raise ValueError("too deep")

    monkeypatch.setattr(AgentsCopy, "kind", replace(AgentsCopy.kind, check=fail))
    context = emulated()
    assert list(AgentsCopy(context).fetch_and_land().errors) == [FIRST.agent_id]
    assert rows(context, AGENT_CONFIGS, agent_id=FIRST.agent_id) == []
    assert len(rows(context, AGENT_CONFIGS)) == len(AGENTS) - 1


LISTS = {
    PATH: (AgentsCopy, LANDED_AGENTS, "agents"),
    "/v1/convai/batch-calling/workspace": (BatchesCopy, LANDED_BATCHES, "batches"),
    "/v1/convai/tags": (TagsCopy, LANDED_TAGS, "tags"),
}


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("error", [vendor(403, "missing_permissions"), vendor(404), vendor(500)])
def test_what_cannot_be_listed_lands_nothing_and_is_a_warning(emulated, api, path, error):
    api.edits[path] = error
    context = emulated(request_deadline_secs=1.0)
    copy, table, name = LISTS[path]
    with pytest.raises(ApiError):
        copy(context).fetch_and_land()
    assert item_rows(context.home, table).is_empty()
    (warning,) = sync_reference_data(context)
    assert warning.startswith(f"The {name} could not be fetched: GET {path}")


def test_a_key_that_is_refused_meanwhile_ends_the_listing(emulated, api):
    for agent in AGENTS:
        api.edits[f"{PATH}/{agent.agent_id}"] = vendor(401, "invalid_api_key")
    api.edits[PATH] = lambda page: api.edits.update({PATH: vendor(401, "invalid_api_key")}) or page
    context = emulated()
    with pytest.raises(CredentialsError):
        AgentsCopy(context).fetch_and_land()
    assert item_rows(context.home, LANDED_AGENTS).is_empty()


def test_the_lake_follows_from_the_landing_also_after_a_merge(emulated, api, clock):
    context = emulated()
    for day in range(6):
        clock.now = NIGHT + timedelta(days=day)
        api.edits[f"{PATH}/{FIRST.agent_id}"] = rename(f"Name {day // 2}")
        AgentsCopy(context).fetch_and_land()
        BatchesCopy(context).fetch_and_land()
    before = {table.name: rows(context, table) for table in TABLES}
    landing_merge.merge(context.home)
    assert len(list((context.home.landing / "agents").iterdir())) == 1
    for table in TABLES:
        for file in context.home.files(context.home.table(table)):
            file.unlink()
    refresh_agent_configs(context.home)
    refresh_items(context.home, LANDED_BATCHES)
    assert {table.name: rows(context, table) for table in TABLES} == before
    names = {row["agent_name"] for row in rows(context, AGENT_CONFIGS, agent_id=FIRST.agent_id)}
    assert names == {"Name 0", "Name 1", "Name 2"}


def test_workspaces_do_not_touch_each_other(emulated, api):
    context = emulated()
    AgentsCopy(context).fetch_and_land()
    api.edits[f"{PATH}/{FIRST.agent_id}"] = rename("Second")
    second = replace(context, settings=emulated(workspace="second").settings)
    AgentsCopy(second).fetch_and_land()
    names = lake.read(context.home.all_workspaces, AGENT_CONFIGS).filter(agent_id=FIRST.agent_id)
    assert sorted(names.select("workspace", "agent_name", "is_current").rows()) == [
        ("main", FIRST.name, True),
        ("second", "Second", True),
    ]
