"""Retention erases exactly what a rule selects, here, at the API or both, and refuses to erase too much."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from elevenlabs.client import ElevenLabs
from elevenlabs.core.api_error import ApiError

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.errors import CredentialsError
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from pipelines.usecases.retention import Rule, Selection, apply_upstream, select_expired
from tests.helpers.kept_home import KeptHome
from tests.helpers.recording_app import assert_equals
from tests.helpers.run_cli import run
from warehouse.schema.activity import WEBHOOK_EVENTS
from warehouse.storage import activity_log, landing
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
BEFORE = "2026-11-19T13:00:00"


class Failing(World):
    """A world in which every fifth conversation has failed."""

    def _document(self, blueprint, state):
        document = super()._document(blueprint, state)
        is_failed = document["status"] == "done" and blueprint.start % 5 == 0
        return document | {"status": "failed"} if is_failed else document


class Copied:
    """A world of four days and a copy of it."""

    def __init__(self, folder):
        self.folder, self.now = folder, UNTIL
        self.world = Failing(seed=13, conversations=40, days=4, until=UNTIL)
        self.app = create_app(self.world, clock=lambda: self.now)
        self.context = self.settings = None

    def copy(self, url, kept_home):
        settings = Settings(home=self.folder / "data", base_url=url, api_key="demo", on_upstream_delete="keep")
        self.settings = {"ELEVENLABS_API_KEY": "demo", "ELEVENLABS_BASE_URL": url}
        self.context = Context(settings, clock=lambda: self.now)
        kept_home.put(lambda: sync.sync(self.context, run_id="1"))
        self.now += timedelta(minutes=1)
        return self

    def documents(self):
        return list(self.world.details(self.now))

    def old_ids(self, **fields):
        before = datetime.fromisoformat(BEFORE).replace(tzinfo=UTC).timestamp()
        return {
            document["conversation_id"]
            for document in self.documents()
            if document["metadata"]["start_time_unix_secs"] < before and fields.items() <= document.items()
        }

    def stored_ids(self):
        readings = landing.latest_snapshots(self.context.home)
        return set(readings.filter(readings["kind"] != landing.ERASED)["conversation_id"])

    def retain(self, *arguments, **environment):
        return run(self.folder, "retain", "--older-than", BEFORE, *arguments, **self.settings, **environment)


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory):
    return KeptHome(tmp_path_factory.mktemp("retain") / "data")


@pytest.fixture
def copied(kept_home):
    copied = Copied(kept_home.root.parent)
    with running(copied.app) as url:
        yield copied.copy(url, kept_home)


def test_without_yes_it_only_counts_what_would_be_erased(copied):
    old_ids, stored_ids = copied.old_ids(), copied.stored_ids()
    result = copied.retain("--json", "--dry-run", "--yes")
    assert (result.code, set(result.data["ids"]), result.data["n_all"]) == (0, old_ids, len(stored_ids))
    assert result.data["share"] == len(old_ids) / len(stored_ids)
    result = copied.retain()
    assert (result.code, result.err.splitlines()[-1]) == (0, "a dry run: nothing is changed; --yes erases")
    assert copied.stored_ids() == stored_ids


def test_here_erases_exactly_the_old_conversations_and_no_sync_brings_them_back(copied):
    old_ids, stored_ids = copied.old_ids(), copied.stored_ids()
    result = copied.retain("--yes", "--json")
    assert (result.code, {receipt["conversation_id"] for receipt in result.data["receipts"]}) == (0, old_ids)
    assert copied.stored_ids() == stored_ids - old_ids
    sync.sync(copied.context, run_id="2", since=UNTIL - timedelta(days=9))
    assert_equals(
        copied.context, [document for document in copied.documents() if document["conversation_id"] not in old_ids]
    )
    assert copied.retain("--json").data["ids"] == []


@pytest.mark.parametrize("where", ["--here", "--upstream", "--both"])
def test_a_run_with_yes_that_finds_nothing_is_no_dry_run(where, copied):
    nothing = {"receipts": [], "unknown": [], "problems": [], "targets": {}}
    erased = {"upstream": {}} if where == "--upstream" else nothing
    options = ("--older-than", "2020-01-01", where, "--json")
    result = copied.retain(*options, "--yes")
    assert (result.code, result.data) == (0, {"is_dry_run": False, "failed": {}} | erased)
    for arguments in ((), ("--yes", "--dry-run")):
        assert copied.retain(*options, *arguments).data["is_dry_run"] is True


def test_a_rule_of_one_agent_and_one_outcome(copied):
    failed_ids = copied.old_ids(status="failed")
    assert failed_ids
    agent_id = next(
        document["agent_id"] for document in copied.documents() if document["conversation_id"] in failed_ids
    )
    of_agent = copied.old_ids(status="failed", agent_id=agent_id)
    assert of_agent < failed_ids
    assert set(copied.retain("--only", "failed", "--json").data["ids"]) == failed_ids
    assert set(copied.retain("--only", "failed", "--agent", agent_id, "--json").data["ids"]) == of_agent
    unknown = copied.retain("--agent", "../..", "--json")
    assert (unknown.code, unknown.data["error"]["message"]) == (2, "There is no agent '../..'.")
    assert "error: There is no agent '../..'." in unknown.err


def test_upstream_keeps_the_local_copy_and_both_keeps_nothing(copied):
    failed_ids, stored_ids = copied.old_ids(status="failed"), copied.stored_ids()
    result = copied.retain("--only", "failed", "--upstream", "--yes", "--json")
    assert (result.code, set(result.data["upstream"].values())) == (0, {"deleted"})
    assert set(result.data["upstream"]) == failed_ids
    assert copied.stored_ids() == stored_ids
    with httpx.Client() as client:
        sdk = ElevenLabs(api_key="demo", base_url=copied.context.settings.base_url, httpx_client=client)
        for conversation_id in failed_ids:
            with pytest.raises(ApiError) as refusal:
                sdk.conversational_ai.conversations.get(conversation_id)
            assert refusal.value.status_code == 404

    old_ids = copied.old_ids()
    result = copied.retain("--both", "--yes", "--json")
    assert (result.code, result.data["failed"]) == (0, {})
    assert {receipt["conversation_id"]: receipt["upstream"] for receipt in result.data["receipts"]} == {
        **dict.fromkeys(old_ids, "deleted"),
        **dict.fromkeys(failed_ids, "not_found"),
    }
    assert copied.stored_ids() == stored_ids - old_ids - failed_ids


@pytest.mark.parametrize("where", ["--here", "--upstream", "--both"])
def test_a_rule_that_selects_too_much_is_refused_before_anything_is_erased(where, copied):
    stored_ids, documents = copied.stored_ids(), copied.documents()
    n_all = len(stored_ids)
    n_finished = n_all - sum(document["status"] not in ("done", "failed") for document in documents)
    assert 0 < n_finished < n_all  # those in progress are never selected
    for arguments in (["--yes"], ["--dry-run"], ["--yes", "--max-share", "0.9"]):
        result = copied.retain("--older-than", "2030-01-01", where, *arguments)
        assert result.code == 1
        assert (
            f"The rule selects {n_finished} of {n_all} conversations ({100 * n_finished / n_all:.1f} %)" in result.err
        )
    assert (copied.stored_ids(), copied.documents()) == (stored_ids, documents)
    share = len(copied.old_ids()) / n_all
    assert copied.retain("--yes", CONVOHOUSE_RETAIN_MAX_SHARE=str(share - 0.01)).code == 1
    assert copied.retain("--dry-run", CONVOHOUSE_RETAIN_MAX_SHARE=str(share + 0.01)).code == 0
    assert copied.retain("--older-than", "2030-01-01", where, "--max-share", "1", "--dry-run").code == 0


def test_an_invalid_age_is_refused(copied):
    assert copied.retain("--older-than", "ninety").code == 2


@pytest.mark.parametrize("age", ["0d", "000d"])
def test_an_age_of_no_days_is_refused(age, copied):
    stored_ids = copied.stored_ids()
    result = copied.retain("--older-than", age, "--max-share", "1", "--yes")
    assert (result.code, "0d is not an age" in result.err, copied.stored_ids()) == (2, True, stored_ids)


def test_a_conversation_in_progress_is_never_selected(tmp_path):
    home = Home(tmp_path / "home").open()
    context = Context(Settings(home=home.root, api_key="demo"), clock=lambda: UNTIL)
    start = UNTIL - timedelta(days=9)
    statuses = ["initiated", "in-progress", "processing", "done", "failed", None]
    landing.land_documents(home, [snapshot(f"conv_{status}", start, status) for status in statuses])
    landing.land_documents(home, [snapshot("conv_processing", start, "done")])  # its latest status counts
    selection = select_expired(context, Rule(UNTIL), max_share=1)
    assert sorted(selection.all_ids) == ["conv_None", "conv_done", "conv_failed", "conv_processing"]


def test_what_the_api_is_known_to_have_deleted_is_selected_here_alone(tmp_path):
    home = Home(tmp_path / "home").open()
    context = Context(Settings(home=home.root, api_key="demo"), clock=lambda: UNTIL)
    start = UNTIL - timedelta(days=9)
    landing.land_documents(home, [snapshot(name, start, "done") for name in ("gone", "kept")])
    landing.land_documents(home, [snapshot("gone", start, None) | {"kind": "gone"}])
    for where, ids in (("here", ["gone", "kept"]), ("both", ["gone", "kept"]), ("upstream", ["kept"])):
        selection = select_expired(context, Rule(UNTIL), max_share=1, where=where)
        assert sorted(selection.all_ids) == ids


def test_what_a_webhook_announced_is_selected_by_its_first_event_and_never_at_the_api_alone(tmp_path):
    home = Home(tmp_path / "home").open()
    context = Context(Settings(home=home.root, api_key="demo"), clock=lambda: UNTIL)
    start, day = UNTIL - timedelta(days=9), timedelta(days=1)
    for name, at in (("late", start + day), ("announced", start + day), ("announced", start), ("landed", start)):
        event = {
            "conversation_id": name,
            "event_type": "x",
            "event_at": at,
            "received_at": UNTIL,
            "agent_id": "agent_a",
        }
        activity_log.append(home, WEBHOOK_EVENTS, [event])
    landing.land_documents(home, [snapshot("landed", start + day, "done")])
    for where, ids in (("here", ("announced",)), ("both", ("announced",)), ("upstream", ())):
        selection = select_expired(context, Rule(start + day, "agent_a"), max_share=1, where=where)
        assert (selection.all_ids, selection.n_all) == (ids, 1 if where == "upstream" else 3)


def test_the_first_moment_that_a_rule_does_not_select_is_its_own(tmp_path):
    home = Home(tmp_path / "home").open()
    context = Context(Settings(home=home.root, api_key="demo"), clock=lambda: UNTIL)
    before = UNTIL - timedelta(days=9)
    starts = {
        "older": before - timedelta(seconds=1),
        "exactly": before,
        "younger": before + timedelta(seconds=1),
        "oldest": before - timedelta(seconds=2),
    }
    landing.land_documents(home, [snapshot(name, start, "done") for name, start in starts.items()])
    # nor is the largest share that may be selected refused
    assert select_expired(context, Rule(before), max_share=1 / 2).all_ids == ("oldest", "older")


def test_at_the_api_only_workspaces_with_a_selected_conversation_need_a_key(tmp_path):
    workspaces = {name: {"key_variable": f"TEST_KEY_{name.upper()}"} for name in ("eu", "us")}
    context = Context(Settings(home=tmp_path / "home", workspaces=workspaces), clock=lambda: UNTIL)
    assert apply_upstream(context, Selection({"eu": (), "us": ()}, 2)) == ({}, {})
    with pytest.raises(CredentialsError, match="us"):
        apply_upstream(context, Selection({"eu": (), "us": ("conv_a",)}, 2))


def test_of_no_conversations_none_is_too_much(tmp_path):
    context = Context(Settings(home=Home(tmp_path / "home").open().root, api_key="demo"), clock=lambda: UNTIL)
    selection = select_expired(context, Rule(UNTIL), max_share=0.5, where="both")
    assert (selection.ids, selection.n_all, selection.share) == ({"main": ()}, 0, 0.0)


def snapshot(conversation_id, start, status):
    return {
        "conversation_id": conversation_id,
        "start_date": start.date(),
        "start_time_at": start,
        "kind": "document",
        "status": status,
        "fetched_at": UNTIL,
    }
