"""The plan of a sync: what it would fetch, without fetching it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.cli.sync import WHY
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.extract.fetch_policy import REASONS
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers.recording_app import Tap
from tests.helpers.run_cli import run

pytestmark = pytest.mark.usefixtures("few_models")

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)
KEY = {"ELEVENLABS_API_KEY": "demo", "CONVOHOUSE_REREAD_DAYS": "[]"}


@pytest.fixture
def world():
    return World(seed=5, conversations=80, days=4, until=UNTIL)


@pytest.fixture
def api(world):
    tap = Tap(create_app(world, clock=lambda: UNTIL))
    with running(tap) as url:
        yield url, tap


def content(folder):
    return {
        str(file.relative_to(folder)): (file.stat().st_mtime_ns, file.read_bytes() if file.is_file() else None)
        for file in folder.rglob("*")
    }


def test_before_the_first_run_everything_is_new_and_no_folder_is_made(api, world, tmp_path):
    url, tap = api
    settings = KEY | {"ELEVENLABS_BASE_URL": url}
    as_data, as_text = (run(tmp_path, "sync", "--plan", *more, **settings) for more in (["--json"], []))
    every = [conversation.conversation_id for conversation in world.visible(UNTIL)]
    n = len(every)

    assert (as_data.code, as_data.err) == (0, "")
    listed = as_data.data["workspaces"]["main"]
    assert listed["window"]["since"] is None
    assert (listed["n_listed"], listed["wanted"]) == (n, dict.fromkeys(WHY, 0) | {"new": n})
    assert [(call["conversation_id"], call["reason"]) for call in listed["conversations"]] == [
        (conversation_id, "new") for conversation_id in reversed(every)
    ]
    assert as_text.text.splitlines()[0].startswith("  would list   the first conversation to ")
    assert as_text.text.splitlines()[0].endswith(f"UTC: {n} conversations")
    assert as_text.text.splitlines()[1:] == [
        f"  would fetch  {n} conversations",
        f"               {n} new: never fetched",
    ]
    assert (tap.details.total(), list(tmp_path.iterdir())) == (0, [])


def test_it_says_what_the_sync_then_fetches_and_changes_nothing(world, tmp_path):
    """An open conversation, one that is no longer listed, one that is due, and new ones."""
    visible = list(world.visible(UNTIL))
    now = [datetime.fromtimestamp(visible[10].start + 1, UTC)]
    tap = Tap(create_app(world, clock=lambda: now[0]))
    with running(tap) as url:
        settings = Settings(home=tmp_path / "home", base_url=url, api_key="demo", reread_days=(1,))
        here = Context(settings, clock=lambda: now[0])
        sync.sync(here, run_id="before")
        now[0] = UNTIL
        assert world.delete(visible[12].conversation_id, UNTIL)
        tap.requests.clear()
        before = content(settings.home)

        planned = sync.plan(here)["main"]
        assert tap.details.total() == 0
        assert content(settings.home) == before
        done = sync.sync(here, run_id="run")

    reasons = dict(planned.to_fetch.select("conversation_id", "reason").rows())
    assert [reasons[visible[number].conversation_id] for number in (0, 10, 12)] == ["new", "open", "missing"]
    assert "due" in reasons.values()
    assert {path.rsplit("/", 1)[1] for path in tap.details} == set(reasons)
    counts = {reason: planned.to_fetch.filter(reason=reason).height for reason in REASONS}
    assert counts == {reason: done.run[f"n_{reason}"] for reason in REASONS}
    assert (planned.n_listed, planned.window.since) == (done.run["n_listed"], done.run["since_at"])


def test_it_is_limited_to_a_window_and_an_agent(api, world, tmp_path):
    url, _ = api
    newest = next(world.visible(UNTIL))
    since = UNTIL - timedelta(days=2)
    here = Context(Settings(home=tmp_path / "home", base_url=url, api_key="demo"), clock=lambda: UNTIL)
    planned = sync.plan(here, since=since, agent_id=newest.agent.agent_id)["main"]
    inside = {
        conversation.conversation_id
        for conversation in world.visible(UNTIL)
        if conversation.agent is newest.agent and conversation.start >= since.timestamp()
    }
    assert planned.n_listed == len(inside)
    assert set(planned.to_fetch["conversation_id"]) == inside
    assert (planned.window.since, planned.window.until) == (since, UNTIL)


def test_a_folder_with_other_files_is_rejected_before_any_request(api, tmp_path):
    url, tap = api
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("mine")
    ended = run(tmp_path, "sync", "--plan", "--home", "theirs", **KEY, ELEVENLABS_BASE_URL=url)
    assert (ended.code, ended.out, tap.requests.total()) == (2, b"", 0)
    assert "theirs is not empty and is not a convohouse home" in ended.err


def test_every_reason_has_a_description():
    assert set(WHY) == set(REASONS)
