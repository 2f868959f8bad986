"""A world with deletions, its API and a home folder, moved from night to night by a test."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from pipelines.api.client import ApiClient
from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.settings import Settings
from pipelines.usecases.context import Context
from tests.helpers.recording_app import Tap
from warehouse.schema.operations import DELETIONS
from warehouse.storage import lake

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
NIGHT = timedelta(days=1)


class Hiding(World):
    """A world whose list can leave out conversations that it has."""

    hidden: frozenset[str] | set[str] = frozenset()

    def rows(self, *arguments, **options):
        return (pair for pair in super().rows(*arguments, **options) if pair[0].conversation_id not in self.hidden)


class Nights:
    """A world, its server and a home folder that move together through the nights."""

    def __init__(self, home, *, conversations=130, days=6):
        self.home = home
        self.now = UNTIL
        self.world = Hiding(seed=14, conversations=conversations, days=days, until=UNTIL)
        self.app = Tap(create_app(self.world, clock=lambda: self.now))
        self.slept = 0.0

    def context(self, base_url, **settings):
        async def no_sleep(secs):
            self.slept += secs
            await asyncio.sleep(0)

        def connect(settings):
            return ApiClient(
                settings.base_url, settings.key(), concurrency=8, sleep=no_sleep, monotonic=lambda: self.slept
            )

        all_settings = Settings(home=self.home, base_url=base_url, api_key="demo", **settings)
        return Context(all_settings, clock=lambda: self.now, connect=connect)

    def documents(self):
        return {document["conversation_id"]: document for document in self.world.details(self.now)}

    def finished(self):
        """The id of a finished conversation of yesterday with texts that no other has."""
        documents = self.documents()
        return next(
            conversation_id
            for conversation_id, document in documents.items()
            if document["status"] == "done"
            and len(document["transcript"]) > 6
            and datetime.fromtimestamp(document["metadata"]["start_time_unix_secs"], UTC) > UNTIL - NIGHT
        )

    def recorded(self, context):
        return lake.read(context.home, DELETIONS).select("conversation_id", "noticed_at", "evidence", "reason").rows()
