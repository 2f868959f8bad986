"""What must not be removed: what was seen again, what another workspace lacks, and more than usual at once."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import timedelta

import polars as pl
import pytest

from pipelines.cli.main import cli
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.errors import ForeignWorkspaceError, RemovalsError
from pipelines.extract.fetch_conversations import LISTED_BUT_NOT_FOUND
from pipelines.extract.workspace_identity import host_of
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.account_data import AgentsCopy, BatchesCopy, TagsCopy
from pipelines.usecases.audio import download_audio
from pipelines.usecases.bill import BillCopy
from pipelines.usecases.reference_data import ToolsCopy
from tests.helpers.editing_app import intercept, vendor
from tests.helpers.nights import NIGHT, UNTIL
from warehouse.schema.operations import QUARANTINE, UNFETCHABLE
from warehouse.schema.reference_data import LANDED_TOOLS
from warehouse.schema.transcript import TURNS
from warehouse.storage import lake, landing, quarantine
from warehouse.storage.audio import AudioSelection
from warehouse.storage.landing_reference_data import folder, land_items

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")


@pytest.fixture
def nights(synced_nights):
    return synced_nights.begin()


def tools(context):
    with context.write_lock("tools"):
        ToolsCopy(context).fetch_and_land()


def agents(context):
    with context.write_lock("agents"):
        AgentsCopy(context).fetch_and_land()


def batches(context):
    with context.write_lock("batches"):
        BatchesCopy(context).fetch_and_land()


def tags(context):
    with context.write_lock("tags"):
        TagsCopy(context).fetch_and_land()


def bill(context):
    with context.write_lock("bill"):
        BillCopy(context).fetch_and_land()


def recordings(context):
    download_audio(context, AudioSelection(), budget_bytes=10**9)


def retry(context):
    sync.retry(context, run_id="retry")


@contextmanager
def answering_404(nights, ids):
    """The API answers 404 for the details of some conversations, and lists them all the same."""
    api = nights.app.app

    missing = vendor(404, "conversation_not_found")
    nights.app.app = intercept(api, lambda scope: missing if scope["path"].rpartition("/")[2] in ids else None)
    yield
    nights.app.app = api


def texts(context, conversation_id):
    return lake.read(context.home, TURNS).filter(conversation_id=conversation_id)["message"].to_list()


def kinds(context, conversation_id):
    return landing.snapshots(context.home, [conversation_id])["kind"].to_list()


@pytest.mark.parametrize("policy", ["redact", "erase"])
def test_a_listing_after_the_404_that_shows_the_conversation_makes_it_wanted_again(nights, policy):
    name = nights.finished()
    context = nights.context(nights.url, reread_days=(), on_upstream_delete=policy)
    said = texts(context, name)
    nights.world.hidden = {name}
    with answering_404(nights, {name}):
        nights.now += NIGHT
        assert sync.sync(context, run_id="2").run["n_gone"] == 1
    nights.world.hidden = set()
    nights.now += NIGHT
    assert sync.sync(context, run_id="3").run["n_changed"] >= 1
    assert kinds(context, name) == ["document", "gone", "unchanged"]
    assert (texts(context, name), nights.recorded(context)) == (said, [])


@pytest.mark.parametrize("policy", ["redact", "erase"])
def test_a_conversation_that_every_listing_shows_keeps_its_content_however_often_its_detail_is_404(nights, policy):
    name = nights.finished()
    context = nights.context(nights.url, reread_days=(1,), on_upstream_delete=policy, lookback_days=9)
    said, quarantined = texts(context, name), []
    with answering_404(nights, {name}):
        for number in range(2, 6):
            nights.now += NIGHT
            sync.sync(context, run_id=str(number))
            quarantined.append(lake.read(context.home, QUARANTINE)["conversation_id"].to_list())
    # the first 404 may be a deletion; that the list shows the conversation after it is not a deletion, and is named
    assert quarantined == [[], [name], [name], [name]]
    assert kinds(context, name).count("gone") == 1
    (row,) = lake.read(context.home, QUARANTINE).to_dicts()
    assert (row["reason"], row["error"]) == ("unfetchable", LISTED_BUT_NOT_FOUND)
    assert texts(context, name) == said
    nights.now += NIGHT
    outcome = sync.sync(context, run_id="6")  # the API has it again
    assert (outcome.problems, lake.read(context.home, QUARANTINE).height) == ((), 0)
    assert kinds(context, name)[-1] != "gone"


def test_a_conversation_that_the_list_shows_no_longer_after_two_404s_is_deleted(nights):
    name = nights.finished()
    context = nights.context(nights.url, reread_days=(1,), lookback_days=9)
    with answering_404(nights, {name}):
        for number in (2, 3):
            nights.now += NIGHT
            sync.sync(context, run_id=str(number))
        assert lake.read(context.home, QUARANTINE)["conversation_id"].to_list() == [name]
        nights.world.hidden = {name}
        for number in (4, 5, 6):
            nights.now += NIGHT
            outcome = sync.sync(context, run_id=str(number))
    assert (outcome.problems, lake.read(context.home, QUARANTINE).height) == ((), 0)
    assert set(texts(context, name)) - {None} <= {"<redacted>", "..."}


def test_a_second_404_counts_only_a_day_after_the_first(nights):
    name = nights.finished()
    context = nights.context(nights.url, reread_days=())
    said = texts(context, name)
    nights.world.delete(name, nights.now)
    for run_id, hours, n_gone in (("2", 1, 1), ("3", 23, 0), ("4", 0.9, 0)):
        nights.now += timedelta(hours=hours)
        assert (sync.sync(context, run_id=run_id).run["n_gone"], texts(context, name)) == (n_gone, said)
    nights.now += timedelta(hours=0.1)
    assert sync.sync(context, run_id="5").run["n_gone"] == 1
    assert set(texts(context, name)) - {None} <= {"<redacted>", "..."}


def test_a_conversation_that_is_there_again_after_its_redaction_has_its_content_again(nights):
    name = nights.finished()
    context = nights.context(nights.url, reread_days=(), lookback_days=9)
    said = texts(context, name)
    nights.world.hidden = {name}
    with answering_404(nights, {name}):
        for run_id in ("2", "3"):
            nights.now += NIGHT
            sync.sync(context, run_id=run_id)
    assert set(texts(context, name)) - {None} <= {"<redacted>", "..."}
    nights.world.hidden = set()
    nights.now += NIGHT
    assert sync.sync(context, run_id="4").problems == ()
    assert kinds(context, name) == ["document", "gone", "gone", "document"]
    assert (texts(context, name), nights.recorded(context)) == (said, [])


def landed(home):
    """All that is landed of conversations and listings, and what is remembered of the workspace."""
    frames = landing.snapshots(home), landing.latest_list_rows(home).sort("conversation_id")
    return [frame.to_dicts() for frame in frames], landing.listings(home), home.identity.read_text()


@pytest.mark.parametrize("later", [timedelta(hours=1), 12 * NIGHT])
@pytest.mark.parametrize("policy", ["redact", "erase"])
def test_another_workspace_is_noticed_before_anything_of_it_lands(nights, policy, later):
    """Its agents are the same here, so that only host and conversations tell them apart."""
    foreign = create_app(World(seed=99, conversations=60, days=6, until=UNTIL), clock=lambda: nights.now)
    with running(foreign) as foreign_url:
        context, wrong = (nights.context(url, on_upstream_delete=policy) for url in (nights.url, foreign_url))
        before, rows = landed(context.home), lake.read(context.home, TURNS)
        nights.now += later
        for run_id in ("2", "3"):
            with pytest.raises(ForeignWorkspaceError, match="another workspace: correct it") as caught:
                sync.sync(wrong, run_id=run_id)
            assert caught.value.exit_code == 1
        assert (landed(context.home), lake.read(context.home, TURNS).equals(rows)) == (before, True)
        assert sync.sync(context, run_id="4").problems == ()


@pytest.mark.parametrize("command", [tools, agents, batches, tags, bill, recordings, retry])
def test_a_command_that_lists_no_conversations_notices_another_workspace_too(nights, command):
    foreign = create_app(World(seed=99, conversations=60, days=6, until=UNTIL), clock=lambda: nights.now)
    with running(foreign) as foreign_url:
        context, wrong = nights.context(nights.url), nights.context(foreign_url)
        quarantine.add(context.home, nights.finished(), at=nights.now, reason=UNFETCHABLE, error="HTTP 403")
        before = landed(context.home)
        with pytest.raises(
            ForeignWorkspaceError, match=f"copied from {host_of(nights.url)}: the API at {host_of(foreign_url)}"
        ):
            command(wrong)
        assert landed(context.home) == before
        assert not any(context.home.files(context.home.root / "audio", "**/"))
        command(context)


def test_tools_of_which_none_is_known_are_of_another_workspace_unless_a_recent_conversation_is_there(nights):
    """The key is another one, on the same host."""
    context = nights.context(nights.url)
    context.home.identity.unlink()
    with running(create_app(World(seed=99, conversations=60, days=6, until=UNTIL), clock=lambda: nights.now)) as url:
        wrong = nights.context(url)
        for file in context.home.files(folder(context.home, LANDED_TOOLS)):
            file.unlink()
        tool = {"tool_id": "tool_of_mine", "content_sha256": "sha", "payload": b"{}", "usage_stats": b"null"}
        land_items(context.home, LANDED_TOOLS, nights.now, [tool | {"listed_at": nights.now}])
        with pytest.raises(ForeignWorkspaceError):
            tools(wrong)
        nights.now += timedelta(days=3)  # nothing is recent: what is gone since may have been deleted
        tools(wrong)


def test_what_is_remembered_of_a_workspace_is_its_host_and_agents_and_nothing_of_the_key(nights):
    context = nights.context(nights.url)
    agents = {document["agent_id"] for document in nights.documents().values()}
    identity = json.loads(context.home.identity.read_text())
    assert identity == {"host": nights.url.partition("://")[2], "agents": sorted(agents)}
    assert host_of("https://user:word@api.example.com:8443") == "api.example.com:8443"


@pytest.mark.parametrize("policy", ["redact", "erase"])
def test_a_run_that_would_remove_an_unusual_share_removes_nothing_and_says_what_to_do(nights, policy):
    context = nights.context(nights.url, on_upstream_delete=policy, lookback_days=30)
    documents = nights.documents().values()
    doomed = [document["conversation_id"] for document in documents if document["status"] == "done"][-12:]
    for name in doomed:
        nights.world.delete(name, nights.now)
    nights.now += NIGHT
    sync.sync(context, run_id="2")
    assert {name for name, *_ in nights.recorded(context)} == set(doomed)
    said = {name: texts(context, name) for name in doomed}
    nights.now += NIGHT
    for run_id in ("3", "4"):
        with pytest.raises(RemovalsError, match=r"12 of 1.. conversations .*sync --allow-removals` once") as caught:
            sync.sync(context, run_id=run_id)
        assert caught.value.exit_code == 1
    assert {name: texts(context, name) for name in doomed} == said
    assert sync.sync(context, run_id="5", allow_removals=True).problems == ()
    after = {name: set(texts(context, name)) - {None} for name in doomed}
    assert all(words <= {"<redacted>", "..."} for words in after.values())
    assert sync.sync(context, run_id="6").problems == ()


def test_a_share_that_the_setting_allows_is_removed(nights):
    context = nights.context(nights.url, max_removal_share=0.2, lookback_days=30)
    done = [document for document in nights.documents().values() if document["status"] == "done"]
    doomed = [document["conversation_id"] for document in done[-12:]]
    for name in doomed:
        nights.world.delete(name, nights.now)
    for run_id in ("2", "3"):
        nights.now += NIGHT
        assert sync.sync(context, run_id=run_id).problems == ()
    rows = lake.read(context.home, TURNS).filter(pl.col("conversation_id").is_in(doomed))
    assert set(rows["message"].drop_nulls()) <= {"<redacted>", "..."}


def test_the_settings_and_the_option_are_public():
    assert (Settings(home="x").confirm_deletion_hours, Settings(home="x").max_removal_share) == (24, 0.05)
    assert "--allow-removals" in {name for parameter in cli.commands["sync"].params for name in parameter.opts}
