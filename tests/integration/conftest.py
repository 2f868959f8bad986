"""What the tests of commands and whole syncs share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.usecases import sync_reference_data
from tests.helpers.few_models import RECOUNTED
from tests.helpers.nights import SyncedNights
from tests.helpers.recording_app import assert_equals
from tests.helpers.run_cli import run


@pytest.fixture
def few_keys(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Tests of the copy look at the lake; those that compare it with a recount, at conversations and their metrics."""
    return RECOUNTED if assert_equals.__name__ in request.function.__code__.co_names else ("marts.dim_agents",)


@pytest.fixture
def reference_data() -> None:
    """For a test among those of ``conversations_alone`` that looks at agents, prices, batches, tags or the bill."""


@pytest.fixture
def conversations_alone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Syncs in this process copy, of all reference data, the tools alone: the rest is a fifth of a first sync.

    For tests whose subject is the copy of conversations; those of every model copy everything.
    """
    if not {"every_model", reference_data.__name__} & set(request.fixturenames):
        monkeypatch.setattr(sync_reference_data, "AFTER_FLATTENING", ())


@pytest.fixture(scope="session")
def synced_nights(tmp_path_factory):
    with SyncedNights(tmp_path_factory.mktemp("nights") / "home [1]").served() as synced:
        yield synced


@dataclass(frozen=True)
class Copied:
    """A folder with a synced home, the world that it was copied from at a moment, and the settings of its API."""

    folder: Path
    world: World
    until: datetime
    settings: dict[str, str]


@pytest.fixture(scope="session")
def three_days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copied]:
    """A home of three days without prices, for commands that change nothing else of it."""
    folder, until = tmp_path_factory.mktemp("three_days"), datetime(2026, 11, 22, tzinfo=UTC)
    world = World(conversations=60, days=3, until=until)
    with running(create_app(world, clock=lambda: until)) as url:
        settings = {"ELEVENLABS_API_KEY": "demo", "ELEVENLABS_BASE_URL": url, "CONVOHOUSE_PRICES_EVERY_DAYS": "0"}
        assert run(folder, "sync", **settings).code == 0
        yield Copied(folder, world, until, settings)
