"""A world with deletions, its API and a home folder, moved from night to night by a test."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers.fake_api import Time
from tests.helpers.kept_home import KeptHome
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
        self.time, self.url = Time(), ""

    def context(self, base_url, **settings):
        all_settings = Settings(home=self.home, base_url=base_url, api_key="demo", **settings)
        return Context(all_settings, clock=lambda: self.now, connect=partial(self.time.connect, concurrency=8))

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


class SyncedNights:
    """Nights that begin with a home that is synced once, as run "1", by an API whose address stays the same."""

    def __init__(self, home):
        self._kept, self._nights = KeptHome(home), Nights(home)

    async def __call__(self, scope, receive, send):
        await self._nights.app(scope, receive, send)

    @contextmanager
    def served(self):
        """With the API; for a fixture of a module."""
        with running(self) as self._url:
            yield self

    def begin(self):
        """New nights after the first sync, with the address of their API; nothing is deleted from their world yet."""
        self._nights = nights = Nights(self._kept.root)
        nights.url = self._url
        self._kept.put(lambda: sync.sync(nights.context(nights.url), run_id="1"))
        nights.app.requests.clear()
        return nights
