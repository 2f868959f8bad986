"""A home with conversations, which the tools of these tests read."""

from __future__ import annotations

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from tests.helpers.day import midnight
from tests.helpers.run_cli import run
from warehouse.storage.home import Home


@pytest.fixture(scope="session")
def synced_home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """Ten days of conversations; nobody changes it."""
    folder = tmp_path_factory.mktemp("synced")
    with running(create_app(World(conversations=250, days=10, until=midnight()), clock=midnight)) as url:
        assert run(folder, "sync", ELEVENLABS_API_KEY="demo", ELEVENLABS_BASE_URL=url).code == 0
    return Home(folder / "data")
