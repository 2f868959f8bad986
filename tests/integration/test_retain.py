"""Retention takes what a rule says and no more, here, at the API or both, and stops before it takes too much."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from elevenlabs.client import ElevenLabs
from elevenlabs.core.api_error import ApiError

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Site
from tests.helpers.recording_app import assert_equals
from tests.helpers.run_cli import run
from warehouse.storage import landing

pytestmark = pytest.mark.usefixtures("few_models")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
BEFORE = "2026-11-19T13:00:00"


class Failing(World):
    """A world in which every fifth call has failed."""

    def _document(self, known, current):
        shown = super()._document(known, current)
        is_failed = shown["status"] == "done" and known.start % 5 == 0
        return shown | {"status": "failed"} if is_failed else shown


class Copied:
    """A world of four days and a copy of it."""

    def __init__(self, folder):
        self.folder, self.now = folder, UNTIL
        self.world = Failing(seed=13, conversations=40, days=4, until=UNTIL)
        self.app = create_app(self.world, clock=lambda: self.now)
        self.site = self.settings = None

    def copy(self, url):
        own = Settings(home=self.folder / "data", base_url=url, api_key="demo", on_upstream_delete="keep")
        self.settings = {"ELEVENLABS_API_KEY": "demo", "ELEVENLABS_BASE_URL": url}
        self.site = Site(own, clock=lambda: self.now)
        sync.sync(self.site, run_id="1")
        self.now += timedelta(minutes=1)
        return self

    def documents(self):
        return list(self.world.details(self.now))

    def old(self, **own):
        before = datetime.fromisoformat(BEFORE).replace(tzinfo=UTC).timestamp()
        return {
            each["conversation_id"]
            for each in self.documents()
            if each["metadata"]["start_time_unix_secs"] < before and own.items() <= each.items()
        }

    def held(self):
        readings = landing.latest_readings(self.site.home)
        return set(readings.filter(readings["kind"] != landing.ERASED)["conversation_id"])

    def retain(self, *arguments, **more):
        return run(self.folder, "retain", "--older-than", BEFORE, *arguments, **self.settings, **more)


@pytest.fixture
def copied(tmp_path):
    copied = Copied(tmp_path)
    with running(copied.app) as url:
        yield copied.copy(url)


def test_without_yes_it_only_says_what_would_go(copied):
    old, held = copied.old(), copied.held()
    ended = copied.retain("--json", "--dry-run", "--yes")
    assert (ended.code, set(ended.data["ids"]), ended.data["n_all"]) == (0, old, len(held))
    assert ended.data["share"] == len(old) / len(held)
    said = copied.retain()
    assert (said.code, said.err.splitlines()[-1]) == (0, "a dry run: nothing is touched; --yes erases")
    assert copied.held() == held


def test_here_takes_exactly_the_old_calls_out_and_no_sync_brings_them_back(copied):
    old, held = copied.old(), copied.held()
    ended = copied.retain("--yes", "--json")
    assert (ended.code, {receipt["conversation_id"] for receipt in ended.data["receipts"]}) == (0, old)
    assert copied.held() == held - old
    sync.sync(copied.site, run_id="2", since=UNTIL - timedelta(days=9))
    assert_equals(copied.site, [each for each in copied.documents() if each["conversation_id"] not in old])
    assert copied.retain("--yes", "--json").data["ids"] == []


def test_a_rule_of_one_agent_and_one_outcome(copied):
    failed = copied.old(status="failed")
    assert failed
    agent_id = next(each["agent_id"] for each in copied.documents() if each["conversation_id"] in failed)
    of_agent = copied.old(status="failed", agent_id=agent_id)
    assert set(copied.retain("--only", "failed", "--json").data["ids"]) == failed
    assert set(copied.retain("--only", "failed", "--agent", agent_id, "--json").data["ids"]) == of_agent
    assert copied.retain("--agent", "../..", "--json").data["ids"] == []


def test_upstream_alone_leaves_the_copy_and_both_leaves_nothing(copied):
    failed, held = copied.old(status="failed"), copied.held()
    ended = copied.retain("--only", "failed", "--upstream", "--yes", "--json")
    assert (ended.code, set(ended.data["upstream"].values())) == (0, {"deleted"})
    assert set(ended.data["upstream"]) == failed
    assert copied.held() == held
    with httpx.Client() as line:
        vendors = ElevenLabs(api_key="demo", base_url=copied.site.settings.base_url, httpx_client=line)
        for conversation_id in failed:
            with pytest.raises(ApiError) as refusal:
                vendors.conversational_ai.conversations.get(conversation_id)
            assert refusal.value.status_code == 404

    old = copied.old()
    ended = copied.retain("--both", "--yes", "--json")
    assert (ended.code, ended.data["failed"]) == (0, {})
    assert {receipt["conversation_id"]: receipt["upstream"] for receipt in ended.data["receipts"]} == {
        **dict.fromkeys(old, "deleted"),
        **dict.fromkeys(failed, "not_found"),
    }
    assert copied.held() == held - old - failed


@pytest.mark.parametrize("where", ["--here", "--upstream", "--both"])
def test_a_rule_that_takes_too_much_is_stopped_before_anything_is_touched(where, copied):
    held, there = copied.held(), copied.documents()
    n_all = len(held)
    for arguments in (["--yes"], ["--dry-run"], ["--yes", "--max-share", "0.9"]):
        ended = copied.retain("--older-than", "2030-01-01", where, *arguments)
        assert ended.code == 1
        assert f"The rule takes {n_all} of {n_all} calls (100%)" in ended.err
    assert (copied.held(), copied.documents()) == (held, there)
    few = len(copied.old()) / n_all
    assert copied.retain("--yes", CONVOHOUSE_RETAIN_MAX_SHARE=str(few - 0.01)).code == 1
    assert copied.retain("--dry-run", CONVOHOUSE_RETAIN_MAX_SHARE=str(few + 0.01)).code == 0
    assert copied.retain("--older-than", "2030-01-01", where, "--max-share", "1", "--dry-run").code == 0


def test_an_age_that_is_none_is_refused(copied):
    assert copied.retain("--older-than", "ninety").code == 2
