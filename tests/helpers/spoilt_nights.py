"""Nights of a home whose APIs give wrong answers."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial

from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings, Workspace
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers.fake_api import Time
from tests.helpers.spoiling_app import SpoilingApp
from warehouse.schema.operations import QUARANTINE, SYNC_RUNS
from warehouse.storage import lake

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
NIGHT = timedelta(days=1)


def spoiling(world, details=()):
    """The API of a world, with answers in place of some details."""
    return SpoilingApp(create_app(world, clock=lambda: UNTIL), details=dict(details))


class SpoiltNights:
    """A home, one or more APIs that can be spoilt, and a clock that goes on by a night with each run."""

    def __init__(self, folder, apis):
        """``apis`` by the names of their workspaces."""
        self.apis = apis
        self.now, self.n_runs, self.time = UNTIL + timedelta(hours=2), 0, Time()
        self.settings = Settings(
            home=folder / "home", api_key="demo", reread_days=(), prices_every_days=0, concurrency=4
        )

    @property
    def api(self):
        """The only one."""
        (api,) = self.apis.values()
        return api

    def context(self, urls=()):
        """With the URLs of the APIs by workspace, if they are served."""
        settings = self.settings
        if len(urls) == 1:
            settings = settings.model_copy(update={"base_url": urls["main"]})
        elif urls:
            workspaces = {
                name: Workspace(key_variable="ELEVENLABS_API_KEY", base_url=url) for name, url in urls.items()
            }
            settings = settings.model_copy(update={"workspaces": workspaces})
        return Context(settings, clock=lambda: self.now, connect=partial(self.time.connect, concurrency=4))

    def run(self, command=sync.sync, **options):
        self.n_runs += 1
        self.now += NIGHT
        with ExitStack() as stack:
            urls = {name: stack.enter_context(running(api)) for name, api in self.apis.items()}
            return command(self.context(urls), run_id=f"run {self.n_runs}", **options)

    def quarantined(self):
        return dict(lake.read(self.context().home, QUARANTINE, ["conversation_id", "reason"]).rows())

    def last_run(self):
        return lake.read(self.context().home, SYNC_RUNS).sort("started_at").row(-1, named=True)
