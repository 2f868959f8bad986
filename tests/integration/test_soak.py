"""A month of nightly runs: conversations start, finish, change late, are emptied and deleted, and none is lost.

The clock of the world moves from night to night, at two in the morning in Berlin. In the night of the change to winter
time that hour comes twice. Until the change it is midnight in UTC, when some conversations are always in progress.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.faults import Faults
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync, sync_steps
from pipelines.usecases.context import Context
from tests.helpers.fake_api import Time
from tests.helpers.recording_app import assert_equals
from warehouse.build.runner import BuildResult
from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS
from warehouse.schema.operations import DELETIONS
from warehouse.storage import lake

BERLIN = ZoneInfo("Europe/Berlin")
FIRST_NIGHT = datetime(2026, 10, 13, 2, 0, tzinfo=BERLIN)
N_NIGHTS = 33
"""The last re-reads are in night 30; what they show as emptied is confirmed and erased up to three nights later."""
DAYS_WITH_CALLS = 12
REREAD_DAYS = (1, 7, 17)
FAULTS = "429=0.02,5xx=0.02,reset=0.01,truncate=0.01,repeat_rows=0.1,seed=5"
LATE = {"analysis_call_successful": "success", "feedback_likes": 0, "feedback_rating": 0, "cost_credits": 0}


def night(number):
    """Two in the morning in Berlin, by the calendar: 23, 24 or 25 hours after the night before."""
    there = FIRST_NIGHT.replace(tzinfo=None) + timedelta(days=number)
    return there.replace(tzinfo=BERLIN)


class Clock:
    """The time of the world and of the sync; each call moves it on, so that no two snapshots have the same time."""

    def __init__(self):
        self.now = FIRST_NIGHT

    def __call__(self):
        self.now += timedelta(microseconds=1)
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def world():
    until = FIRST_NIGHT.astimezone(UTC).replace(hour=0, minute=0) + timedelta(days=DAYS_WITH_CALLS)
    return World(seed=24, conversations=150, days=DAYS_WITH_CALLS + 2, until=until)


@pytest.fixture
def context(clock, tmp_path):
    def make(url):
        chosen = Settings(
            home=tmp_path / "home",
            base_url=url,
            api_key="demo",
            reread_days=REREAD_DAYS,
            on_upstream_delete="erase",
            timezone="Europe/Berlin",
        )
        return Context(chosen, clock=clock, connect=partial(Time().connect, concurrency=8))

    return make


def late_values(document):
    """Values that can change after the end of a conversation, and its cost, which must not."""
    feedback, analysis = document["metadata"]["feedback"], document.get("analysis") or {}
    return (
        document["status"],
        analysis.get("call_successful"),
        feedback["likes"],
        feedback["rating"],
        document["metadata"]["cost"],
    )


def copied_values(home):
    """By conversation, when it was last checked, and its late values in the lake."""
    columns = ["status", *(name for name in LATE)]
    checks = lake.read(home, CONVERSATION_CHECKS, ["conversation_id", "checked_at"])
    rows = checks.join(lake.read(home, CONVERSATIONS, ["conversation_id", *columns]), "conversation_id")
    return {row[0]: (row[1], row[2:]) for row in rows.rows()}


def ends(document):
    metadata = document["metadata"]
    return datetime.fromtimestamp(metadata["start_time_unix_secs"] + metadata["call_duration_secs"], UTC)


@pytest.mark.usefixtures("few_models", "conversations_alone")
def test_a_month_of_nights_ends_with_the_warehouse_equal_to_the_world(world, clock, context, monkeypatch):
    app = create_app(world, clock=lambda: clock.now, faults=Faults.parse(FAULTS))
    builds = SimpleNamespace(
        skipped=lambda *_, **__: BuildResult((), (), is_swapped=True), real=sync_steps.build_models
    )
    kinds = Counter()
    with running(app) as url:
        here = context(url)
        for number in range(N_NIGHTS + 1):
            clock.now = began = night(number)
            monkeypatch.setattr(sync_steps, "build_models", builds.real if number % 11 == 0 else builds.skipped)
            done = sync.sync(here, run_id=f"night-{number:02}")
            assert done.problems == (), f"night {number}"
            copied = copied_values(here.home)
            assert_kept_promises(world, copied, began, number)
            kinds.update({name: done.run[name] for name in ("n_new", "n_open", "n_changed", "n_due", "n_gone")})
        assert_equals(here, [document for document in world.details(clock.now) if not is_blanked(document)])
    removed = lake.read(here.home, DELETIONS)
    truth = list(world.details(clock.now))
    assert sorted(removed["reason"].unique()) == ["erased"]
    assert min(kinds.values()) > 0, kinds
    assert lake.read(here.home, CONVERSATIONS).height + removed.height == kinds["n_new"]
    assert {document["conversation_id"] for document in truth if is_blanked(document)} <= set(
        removed["conversation_id"]
    )
    assert lake.read(here.home, CONVERSATION_CHECKS).filter(pl.col("settle_state") != "settled").height == 0


def is_blanked(document):
    return document["metadata"]["deletion_settings"]["deleted_transcript_at_time_unix_secs"] is not None


def assert_kept_promises(world, copied, began, number):
    """The lake has every conversation as of its last fetch, and each was fetched when it was due."""
    for document in world.details(began):
        name = document["conversation_id"]
        if name not in copied:
            assert is_blanked(document), f"night {number}: {name} is missing"
            continue
        checked_at, values = copied[name]
        assert values == late_values(world.detail(name, checked_at)), f"night {number}: {name} has other values"
        due = [ends(document) + timedelta(days=days) for days in REREAD_DAYS]
        is_open = document["status"] not in ("done", "failed")
        promised = [began] if is_open else [due_at for due_at in due if due_at <= began]
        assert checked_at >= max(promised, default=checked_at), f"night {number}: {name} was not fetched again"
