"""The nightly job over several workspaces: it copies all, and one whose API is down takes nothing from the others."""

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
    """Two APIs, each with calls and a key of its own."""
    with ExitStack() as stack:
        found = {}
        for seed, name in enumerate(("eu", "us"), 11):
            world = World(seed=seed, conversations=20, days=2, until=NOW)
            api = found[name] = Emulated(world, NOW, key=f"sk_of_{name}")
            api.url = stack.enter_context(running(api))
        yield found


@pytest.fixture
def workspace_context(apis, tmp_path, monkeypatch):
    workspaces = {}
    for name, api in apis.items():
        monkeypatch.setenv(f"{name.upper()}_KEY", api.key)
        workspaces[name] = Workspace(key_variable=f"{name.upper()}_KEY", base_url=api.url)
    return Context(Settings(home=tmp_path / "home", workspaces=workspaces), clock=lambda: NOW, connect=impatient)


def calls_of(api):
    return {each["conversation_id"] for each in api.details()}


def copied_calls(workspace_context):
    """Ids of the calls in the warehouse, by workspace."""
    rows = query(
        workspace_context.home, "select workspace, list(conversation_id) from marts.fct_conversations group by all"
    ).rows()
    return {workspace: set(ids) for workspace, ids in rows}


def accounts(ran):
    """Outcome, error and calls read of the run, by workspace."""
    rows = lake.read(ran.workspace_context.home.all_workspaces, SYNC_RUNS).filter(run_id=ran.result.run_id).to_dicts()
    return {row["workspace"]: (row["outcome"], row["error"], row["n_fetched"]) for row in rows}


def test_the_nightly_job_copies_every_workspace(run, workspace_context, apis):
    ran = run(workspace_context)
    theirs = {name: calls_of(api) for name, api in apis.items()}
    assert ran.failures == []
    assert ran.result.success
    assert copied_calls(workspace_context) == theirs
    assert accounts(ran) == {name: ("complete", None, len(ids)) for name, ids in theirs.items()}
    n_calls = sum(map(len, theirs.values()))
    assert ran.metadata("landing.listings")["n_listed"] == n_calls
    assert ran.metadata("marts.fct_conversations")["dagster/row_count"] == n_calls


def test_one_whose_api_is_down_fails_the_run_and_takes_nothing_from_the_other(run, workspace_context, apis):
    apis["eu"].is_down = True
    ran = run(workspace_context)
    us, (said,) = calls_of(apis["us"]), ran.failures
    assert not ran.result.success
    assert said.startswith("eu: ")
    assert copied_calls(workspace_context) == {"us": us}
    assert accounts(ran) == {"eu": ("failed", said.removeprefix("eu: "), 0), "us": ("complete", None, len(us))}

    apis["eu"].is_down = False
    again = run(workspace_context)
    eu = calls_of(apis["eu"])
    assert again.failures == []
    assert copied_calls(workspace_context) == {"eu": eu, "us": us}
    assert accounts(again)["eu"] == ("complete", None, len(eu))
