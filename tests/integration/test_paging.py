"""Paging through a list that changes or misbehaves: no row is lost or repeated, and no list is endless."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.faults import Faults
from pipelines.emulator.server.serve import running
from pipelines.errors import CursorRefusedError
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers.editing_app import respond, vendor
from tests.helpers.recording_app import Tap, assert_equals
from tests.helpers.run_cli import run
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import CONVERSATION_LIST
from warehouse.storage import lake, landing

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)
LIST = "/v1/convai/conversations"


@pytest.fixture(scope="module")
def world():
    return World(seed=5, conversations=250, days=8, until=UNTIL)


def context_for(folder, url, clock=lambda: UNTIL, **changes):
    settings = Settings(home=folder / "home", base_url=url, api_key="demo", reread_days=(), **changes)
    return Context(settings, clock=clock)


class Pages(Tap):
    """Records the cursors of the requested pages of 100, and rejects some of those requests, numbered from 0."""

    def __init__(self, app, rejected=()):
        super().__init__(app)
        self.cursors, self.rejected = [], rejected

    async def __call__(self, scope, receive, send):
        query = scope["query_string"]
        if scope["path"] == LIST and b"cursor=" in query and b"page_size=100&" in query:
            self.cursors.append(query)
            if len(self.cursors) - 1 in self.rejected:
                await respond(send, vendor(400, "invalid_cursor"))
                return
        await super().__call__(scope, receive, send)


def test_conversations_that_start_during_the_paging_are_neither_lost_nor_repeated(world, tmp_path):
    """Two minutes pass with each request: conversations start, continue and end between any two requests."""
    now = [UNTIL - timedelta(days=2, hours=14)]

    def tick():
        now[0] = min(now[0] + timedelta(minutes=2), UNTIL)
        return now[0]

    tap = Tap(create_app(world, clock=tick, faults=Faults(repeat_rows=0.4)))
    with running(tap) as url:
        here = context_for(tmp_path, url, clock=lambda: now[0])
        first = sync.sync(here, run_id="first")
        between = now[0]
        second = sync.sync(here, run_id="second")
        now[0] = UNTIL
        last = sync.sync(here, run_id="last")

    assert [done.problems for done in (first, second, last)] == [(), (), ()]
    assert between < UNTIL
    new = [done.run["n_new"] for done in (first, second, last)]
    listed = lake.read(here.home, CONVERSATION_LIST)["conversation_id"]
    assert min(new) > 0
    assert sum(new) == len(listed) == listed.n_unique()
    visible = {conversation.conversation_id for conversation in world.visible(UNTIL)}
    assert visible <= set(listed)  # one was deleted meanwhile
    assert sorted(lake.read(here.home, CONVERSATIONS)["conversation_id"]) == sorted(listed)


def test_a_rejected_cursor_starts_its_part_again(world, tmp_path):
    documents = list(world.details(UNTIL))
    tap = Pages(create_app(world, clock=lambda: UNTIL), rejected={1})
    with running(tap) as url:
        here = context_for(tmp_path, url)
        done = sync.sync(here, run_id="run")
    assert (done.problems, done.run["n_listed"]) == ((), len(documents))
    assert tap.cursors[2:4] == tap.cursors[:2]
    assert_equals(here, documents)


def test_a_cursor_that_is_always_rejected_ends_the_run_and_lands_no_listing(world, tmp_path):
    tap = Pages(create_app(world, clock=lambda: UNTIL), rejected=range(100))
    with running(tap) as url:
        here = context_for(tmp_path, url)
        with pytest.raises(CursorRefusedError):
            sync.sync(here, run_id="run")
    assert len(tap.cursors) == 3
    assert landing.listings(here.home) == []


def test_rows_that_pages_repeat_are_one_conversation_each(world, tmp_path):
    documents = list(world.details(UNTIL))
    tap = Tap(create_app(world, clock=lambda: UNTIL, faults=Faults(repeat_rows=1.0)))
    with running(tap) as url:
        here = context_for(tmp_path, url)
        done = sync.sync(here, run_id="run")
    assert (done.problems, done.run["n_listed"]) == ((), len(documents))
    assert set(tap.details.values()) == {1}
    assert_equals(here, documents)


def test_a_cursor_that_repeats_ends_with_a_clear_error(world, tmp_path):
    with running(create_app(world, clock=lambda: UNTIL, faults=Faults(repeat_cursor=1.0))) as url:
        ended = run(tmp_path, "sync", "--json", ELEVENLABS_API_KEY="demo", ELEVENLABS_BASE_URL=url)
    assert (ended.code, list(ended.data), len(ended.err.splitlines())) == (3, ["error"], 2)
    assert "The list loops: the same cursor came twice" in ended.err
