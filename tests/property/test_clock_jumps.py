"""However the clock jumped while things landed, the lake becomes what an exact clock makes of them."""

from __future__ import annotations

import asyncio
import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.transform.worker_pool import WorkerPool
from pipelines.usecases import feedback, sync_steps
from pipelines.usecases.context import Context
from pipelines.usecases.run_session import run_session
from pipelines.webhook.batch_writer import BatchWriter
from pipelines.webhook.events import read_event
from tests.helpers.examples import examples
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import CONVERSATION_LIST, DELETIONS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.storage import lake

START = datetime(2026, 11, 16, 6, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OF_OUR_CLOCK = {"fetched_at", "checked_at", "deleted_at", "noticed_at", "first_seen_at", "last_seen_at"}
JUMPS = st.sampled_from([timedelta(), -30 * HOUR, 30 * HOUR, -10 * DAY, 10 * DAY, -700 * DAY, 700 * DAY])
ACTIONS = st.sampled_from(["sync", "sync", "webhook", "event", "feedback"])
STEPS = st.lists(st.tuples(st.integers(1, 30), JUMPS, ACTIONS, st.integers(0, 20)), min_size=2, max_size=6)
"""Hours that pass, what the clock is ahead then, what happens, and to the conversation of which number."""


class Home:
    """A home whose clock is ahead of its world's, or behind."""

    def __init__(self, folder):
        self.now, self.ahead, self.n_runs = START, timedelta(), 0
        self.world = World(seed=21, conversations=40, days=9, until=START + 8 * DAY)
        self.settings = Settings(home=folder / "home", api_key="demo", reread_days=(1, 7, 30))

    def play(self, steps):
        """Take the steps, then nights with an exact clock; yields after the first of them and at the end."""
        with running(create_app(self.world, clock=lambda: self.now)) as url:
            settings = self.settings.model_copy(update={"base_url": url})
            self.context = Context(settings, clock=lambda: self.now + self.ahead)
            self.sync()
            for hours, self.ahead, action, number in steps:
                self.now += timedelta(hours=hours)
                self.act(action, number)
            self.ahead, self.now = timedelta(), START + 8 * DAY
            self.sync()
            yield
            self.deleted_id = next(self.world.details(self.now))["conversation_id"]
            self.world.delete(self.deleted_id, self.now)
            for days in (1, 1, 40):
                self.now += timedelta(days=days)
                self.sync()
            yield

    def act(self, action, number):
        done = [document for document in self.world.details(self.now) if document["status"] == "done"]
        document = done[number % len(done)]
        if action == "sync":
            self.sync()
        elif action == "feedback":
            feedback.submit_feedback(self.context, {document["conversation_id"]: ("like", "dislike")[number % 2]})
        else:
            kind = {"webhook": "post_call_transcription", "event": "post_call_transcription_otel"}[action]
            at = int(self.now.timestamp()) - 60 * number
            body = json.dumps({"type": kind, "event_timestamp": at, "data": document}).encode()
            landing = read_event(body, self.context.clock(), None)
            assert asyncio.run(BatchWriter(self.context.home).land(landing.conversation_id, landing.rows))

    def sync(self):
        """List, fetch and flatten, without a build."""
        self.n_runs += 1
        run_id = str(self.n_runs)
        with run_session(self.context, run_id, "sync"), WorkerPool(0) as worker_pool:
            window, _ = sync_steps.window_of(self.context)
            sync_steps.list_conversations(self.context, window, run_id)
            stats = sync_steps.fetch_documents(self.context, run_id, worker_pool=worker_pool)
            result = sync_steps.flatten_conversations(self.context, run_id, worker_pool=worker_pool)
        assert (stats.failed, result.errors) == ({}, {})

    def statuses(self):
        """Status by id, of the conversations that the world has."""
        rows = lake.read(self.context.home, CONVERSATIONS).select("conversation_id", "status").rows()
        in_world = self.in_world()
        return {conversation_id: status for conversation_id, status in rows if conversation_id in in_world}

    def in_world(self):
        return {document["conversation_id"]: document["status"] for document in self.world.details(self.now)}

    def lake(self):
        """Every row of the tables about conversations, without the times of our clock.

        Left out is what the world itself deletes or empties: a clock that is behind may list it too late.
        """
        remaining = [row.conversation_id for row in self.world.visible(self.now) if row.redacted_at is None]
        is_compared = pl.col("conversation_id").is_in([*remaining, self.deleted_id])
        tables = (*DOCUMENT_TABLES, CONVERSATION_LIST, DELETIONS)
        frames = {table.name: lake.read(self.context.home, table).filter(is_compared) for table in tables}
        return {name: rows.drop(OF_OUR_CLOCK, strict=False).sort(pl.all()).rows() for name, rows in frames.items()}


@pytest.mark.whole_build
@pytest.mark.timeout(400)
@settings(
    max_examples=examples(3),
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
@example([(8, 700 * DAY, "sync", 0), (8, -700 * DAY, "sync", 0), (8, 10 * DAY, "webhook", 3), (8, DAY, "feedback", 4)])
@given(STEPS)
def test_a_clock_that_jumps_ends_with_the_lake_of_an_exact_clock(steps):
    with tempfile.TemporaryDirectory() as folder:
        exact, jumping = Home(Path(folder, "exact")), Home(Path(folder, "jumping"))
        exact_steps = [(hours, timedelta(), action, number) for hours, _, action, number in steps]
        for _ in zip(exact.play(exact_steps), jumping.play(steps), strict=True):
            assert jumping.statuses() == jumping.in_world()
            assert exact.statuses() == exact.in_world()
        assert jumping.lake() == exact.lake()
