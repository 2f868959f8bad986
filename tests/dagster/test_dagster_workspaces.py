"""The nightly job over several workspaces: it copies all, and an API that is down does not stop the others."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings, Workspace
from pipelines.usecases.context import Context
from tests.helpers.emulated_dagster import Emulated, impatient
from warehouse.schema.operations import SYNC_RUNS
from warehouse.serve.query import query
from warehouse.storage import lake

pytestmark = pytest.mark.usefixtures("few_models")

NOW = datetime(2025, 11, 21, tzinfo=UTC)


@pytest.fixture
def apis():
    """Two APIs, each with its own conversations and key."""
    with ExitStack() as stack:
        apis = {}
        for seed, name in enumerate(("eu", "us"), 11):
            world = World(seed=seed, conversations=20, days=2, until=NOW)
            api = apis[name] = Emulated(world, NOW, key=f"sk_of_{name}")
            api.url = stack.enter_context(running(api))
        yield apis


@pytest.fixture
def app_context(apis, tmp_path, monkeypatch):
    workspaces = {}
    for name, api in apis.items():
        monkeypatch.setenv(f"{name.upper()}_KEY", api.key)
        workspaces[name] = Workspace(key_variable=f"{name.upper()}_KEY", base_url=api.url)
    return Context(Settings(home=tmp_path / "home", workspaces=workspaces), clock=lambda: NOW, connect=impatient)


def ids_of(api):
    return {document["conversation_id"] for document in api.details()}


def copied_ids(app_context):
    """Ids of the conversations in the warehouse, by workspace."""
    rows = query(
        app_context.home, "select workspace, list(conversation_id) from marts.fct_conversations group by all"
    ).rows()
    return {workspace: set(ids) for workspace, ids in rows}


def run_records(ran):
    """Outcome, error and number of fetched conversations of the run, by workspace."""
    rows = lake.read(ran.app_context.home.all_workspaces, SYNC_RUNS).filter(run_id=ran.result.run_id).to_dicts()
    return {row["workspace"]: (row["outcome"], row["error"], row["n_fetched"]) for row in rows}


def test_the_nightly_job_copies_every_workspace(run, app_context, apis):
    ran = run(app_context)
    expected_ids = {name: ids_of(api) for name, api in apis.items()}
    assert ran.failures == []
    assert ran.result.success
    assert copied_ids(app_context) == expected_ids
    assert run_records(ran) == {name: ("complete", None, len(ids)) for name, ids in expected_ids.items()}
    n_calls = sum(map(len, expected_ids.values()))
    assert ran.metadata("landing.listings")["n_listed"] == n_calls
    assert ran.metadata("marts.fct_conversations")["dagster/row_count"] == n_calls


def test_an_api_that_is_down_fails_the_run_and_the_other_workspace_is_copied(run, app_context, apis):
    apis["eu"].is_down = True
    ran = run(app_context)
    us, (error,) = ids_of(apis["us"]), ran.failures
    assert not ran.result.success
    assert error.startswith("eu: ")
    assert copied_ids(app_context) == {"us": us}
    assert run_records(ran) == {"eu": ("failed", error.removeprefix("eu: "), 0), "us": ("complete", None, len(us))}

    apis["eu"].is_down = False
    again = run(app_context)
    eu = ids_of(apis["eu"])
    assert again.failures == []
    assert copied_ids(app_context) == {"eu": eu, "us": us}
    assert run_records(again)["eu"] == ("complete", None, len(eu))
