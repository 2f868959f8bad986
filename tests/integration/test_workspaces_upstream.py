"""With several workspaces, requests go to the API of the workspace that the conversation or agent belongs to."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings, Workspace
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers.kept_home import KeptHome
from tests.helpers.run_cli import run
from warehouse.schema.activity import AGENT_ACCESS, AUDIO_FILES, FEEDBACK_SENT
from warehouse.storage import lake
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
NAMES = ("eu", "us")


@pytest.fixture
def worlds():
    return {name: World(seed=seed, conversations=30, days=2, until=UNTIL) for seed, name in enumerate(NAMES, 11)}


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory):
    return KeptHome(tmp_path_factory.mktemp("workspaces") / "data")


@pytest.fixture
def folder(kept_home):
    """Where the commands run."""
    return kept_home.root.parent


@pytest.fixture
def settings(worlds, kept_home, folder, monkeypatch):
    """The folder is set up by a ``convohouse.toml``, and all is copied."""
    keys = {f"{name.upper()}_KEY": f"sk_of_{name}" for name in NAMES}
    for variable, key in keys.items():
        monkeypatch.setenv(variable, key)
    with ExitStack() as stack:
        urls = {
            name: stack.enter_context(running(create_app(world, clock=lambda: UNTIL, key=f"sk_of_{name}")))
            for name, world in worlds.items()
        }
        workspaces = {name: Workspace(key_variable=f"{name.upper()}_KEY", base_url=urls[name]) for name in NAMES}
        context = Context(Settings(home=kept_home.root, workspaces=workspaces), clock=lambda: UNTIL)
        kept_home.put(lambda: sync.sync(context, run_id="1"))
        (folder / "convohouse.toml").write_text(
            "".join(
                f'[workspaces.{name}]\nkey_variable = "{name.upper()}_KEY"\nbase_url = "{urls[name]}"\n'
                for name in NAMES
            )
        )
        yield keys


def finished(world):
    return [document for document in world.details(UNTIL) if document["status"] == "done"]


def rows(folder, table, *columns):
    return set(lake.read(Home(folder / "data").all_workspaces, table).select("workspace", *columns).rows())


def test_feedback_reaches_the_api_of_each_conversation(worlds, settings, folder):
    first, second = (finished(worlds[name])[0]["conversation_id"] for name in NAMES)
    file = folder / "reviewed.csv"
    file.write_text(f"conversation_id,feedback\n{first},like\n{second},dislike\n")
    assert run(folder, "feedback", "--from", str(file), "--yes", **settings).code == 0
    assert rows(folder, FEEDBACK_SENT, "conversation_id", "outcome") == {
        ("eu", first, "sent"),
        ("us", second, "sent"),
    }
    rated = [worlds["eu"].detail(first, UNTIL), worlds["us"].detail(second, UNTIL)]
    assert [
        (document["metadata"]["feedback"]["likes"], document["metadata"]["feedback"]["dislikes"]) for document in rated
    ] == [
        (1, 0),
        (0, 1),
    ]
    unknown = run(folder, "feedback", "conv_unknown", "like", "--yes", **settings)
    assert (unknown.code, "is in none of the 2 workspaces" in unknown.err) == (2, True)


def test_each_api_is_asked_for_its_own_agents_and_recordings(worlds, settings, folder):
    assert run(folder, "access", **settings).code == 0
    assert rows(folder, AGENT_ACCESS, "agent_id") == {
        (name, document["agent_id"]) for name in NAMES for document in worlds[name].details(UNTIL)
    }
    assert run(folder, "audio", "--sample", "3", **settings).code == 0
    saved = rows(folder, AUDIO_FILES, "conversation_id", "outcome")
    assert [sum(row[0] == name for row in saved) for name in NAMES] == [3, 3]
    assert {row[2] for row in saved} == {"saved"}


def test_retention_deletes_at_both_apis(worlds, settings, folder):
    before = {name: len(list(worlds[name].details(UNTIL))) for name in NAMES}
    middle = UNTIL.replace(day=21)
    old_ids = {
        document["conversation_id"]
        for name in NAMES
        for document in worlds[name].details(UNTIL)
        if document["metadata"]["start_time_unix_secs"] < middle.timestamp()
    }
    arguments = ["--older-than", "2026-11-21", "--both", "--max-share", "1", "--yes", "--json"]
    result = run(folder, "retain", *arguments, **settings)
    assert (result.code, {receipt["conversation_id"] for receipt in result.data["receipts"]}) == (0, old_ids)
    assert {receipt["upstream"] for receipt in result.data["receipts"]} == {"deleted"}
    assert sum(before.values()) - len(old_ids) == sum(len(list(worlds[name].details(UNTIL))) for name in NAMES)


@pytest.mark.parametrize("command", ["erase", "retain --both", "retain --upstream"])
def test_nothing_is_deleted_at_any_api_if_the_key_of_one_is_missing(command, worlds, settings, folder):
    before = {name: sorted(map(str, worlds[name].details(UNTIL))) for name in NAMES}
    ids = [finished(worlds[name])[0]["conversation_id"] for name in NAMES]
    name, *option = command.split()
    arguments = ["--older-than", "2026-11-22", "--max-share", "1", *option] if option else [*ids, "--upstream"]
    keys = settings | {"US_KEY": ""}
    result = run(folder, name, *arguments, "--yes", "--json", **keys)
    assert (result.code, "No API key is set for workspace us." in result.err) == (3, True)
    assert {name: sorted(map(str, worlds[name].details(UNTIL))) for name in NAMES} == before
    assert run(folder, "query", "select count(*) as n from lake.deletions", "--json").data == [{"n": 0}]
    if not option:
        of_eu = run(folder, "erase", ids[0], "--upstream", "--yes", "--json", **keys)
        assert (of_eu.code, of_eu.data["receipts"][0]["upstream"]) == (0, "deleted")


def test_a_receiver_needs_the_name_of_its_workspace(settings, folder):
    result = run(folder, "webhook", ELEVENLABS_WEBHOOK_SECRET="wsec_1", **settings)  # noqa: S106 - of this test
    assert (result.code, "Give --workspace: eu, us." in result.err) == (2, True)
