"""A month of nights: calls come, finish, change late, are blanked and deleted, and no night loses or doubles any.

The clock is the world's: it moves a night at a time in a zone that changes to winter time in between, at two, which
the night of the change has twice; it is midnight in UTC before, when some calls of the world are always going on.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from pipelines.api.client import ApiClient
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.faults import Faults
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync, sync_steps
from pipelines.usecases.context import Site
from tests.helpers.recording_app import assert_equals
from warehouse.build.runner import BuildResult
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import DELETIONS
from warehouse.storage import lake

BERLIN = ZoneInfo("Europe/Berlin")
FIRST_NIGHT = datetime(2026, 10, 13, 2, 0, tzinfo=BERLIN)
N_NIGHTS = 30
DAYS_WITH_CALLS = 12
REREAD_DAYS = (1, 7, 17)
FAULTS = "429=0.02,5xx=0.02,reset=0.01,truncate=0.01,repeat_rows=0.1,seed=5"
LATE = {"analysis_call_successful": "success", "feedback_likes": 0, "feedback_rating": 0, "cost_credits": 0}


def night(number):
    """Two in the morning in Berlin, by the calendar: 23, 24 or 25 hours after the night before."""
    there = FIRST_NIGHT.replace(tzinfo=None) + timedelta(days=number)
    return there.replace(tzinfo=BERLIN)


class Clock:
    """The time of the world and of the sync; each reading is a moment later, so that no two are the same."""

    def __init__(self):
        self.now, self.slept = FIRST_NIGHT, 0.0

    def __call__(self):
        self.now += timedelta(microseconds=1)
        return self.now

    async def sleep(self, secs):
        self.slept += secs
        await asyncio.sleep(0)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def world():
    until = FIRST_NIGHT.astimezone(UTC).replace(hour=0, minute=0) + timedelta(days=DAYS_WITH_CALLS)
    return World(seed=24, conversations=150, days=DAYS_WITH_CALLS + 2, until=until)


@pytest.fixture
def site(clock, tmp_path):
    def make(url):
        def connect(settings):
            return ApiClient(
                settings.base_url, settings.key(), concurrency=8, sleep=clock.sleep, monotonic=lambda: clock.slept
            )

        chosen = Settings(
            home=tmp_path / "home",
            base_url=url,
            api_key="demo",
            reread_days=REREAD_DAYS,
            on_upstream_delete="erase",
            timezone="Europe/Berlin",
        )
        return Site(chosen, clock=clock, connect=connect)

    return make


def said(document):
    """What can change late, and what must not have."""
    feedback, analysis = document["metadata"]["feedback"], document.get("analysis") or {}
    return (
        document["status"],
        analysis.get("call_successful"),
        feedback["likes"],
        feedback["rating"],
        document["metadata"]["cost"],
    )


def shown(home):
    columns = ["status", *(name for name in LATE)]
    rows = lake.read(home, CONVERSATIONS, ["conversation_id", "checked_at", *columns])
    return {row[0]: (row[1], row[2:]) for row in rows.rows()}


def ends(document):
    metadata = document["metadata"]
    return datetime.fromtimestamp(metadata["start_time_unix_secs"] + metadata["call_duration_secs"], UTC)


def test_a_month_of_nights_ends_with_the_warehouse_equal_to_the_world(world, clock, site, monkeypatch):
    app = create_app(world, clock=lambda: clock.now, faults=Faults.parse(FAULTS))
    builds = SimpleNamespace(
        skipped=lambda *_, **__: BuildResult((), (), is_swapped=True), real=sync_steps.build_models
    )
    kinds = Counter()
    with running(app) as url:
        here = site(url)
        for number in range(N_NIGHTS + 1):
            clock.now = began = night(number)
            monkeypatch.setattr(sync_steps, "build_models", builds.real if number % 10 == 0 else builds.skipped)
            done = sync.sync(here, run_id=f"night-{number:02}")
            assert done.problems == (), f"night {number}"
            copied = shown(here.home)
            assert_kept_promises(world, copied, began, number)
            kinds.update({name: done.run[name] for name in ("n_new", "n_open", "n_changed", "n_due", "n_gone")})
        assert_equals(here, [each for each in world.details(clock.now) if not is_blanked(each)])
    removed = lake.read(here.home, DELETIONS)
    truth = list(world.details(clock.now))
    assert sorted(removed["reason"].unique()) == ["erased"]
    assert min(kinds.values()) > 0, kinds
    assert lake.read(here.home, CONVERSATIONS).height + removed.height == kinds["n_new"]
    assert {each["conversation_id"] for each in truth if is_blanked(each)} <= set(removed["conversation_id"])
    assert lake.read(here.home, CONVERSATIONS).filter(pl.col("settle_state") != "settled").height == 0


def is_blanked(document):
    return document["metadata"]["deletion_settings"]["deleted_transcript_at_time_unix_secs"] is not None


def assert_kept_promises(world, copied, began, number):
    """Every call of the world is there as it was when it was last read, and was read when that was promised."""
    for document in world.details(began):
        each = document["conversation_id"]
        if each not in copied:
            assert is_blanked(document), f"night {number}: {each} is missing"
            continue
        read_at, now = copied[each]
        assert now == said(world.detail(each, read_at)), f"night {number}: {each} is not what was read"
        due = [ends(document) + timedelta(days=days) for days in REREAD_DAYS]
        is_open = document["status"] not in ("done", "failed")
        promised = [began] if is_open else [mark for mark in due if mark <= began]
        assert read_at >= max(promised, default=read_at), f"night {number}: {each} was not read again"
