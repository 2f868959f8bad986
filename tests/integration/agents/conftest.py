"""A home with every metric, for agents that ask and for the contracts that describe it; nobody changes it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from tests.helpers import day
from tests.helpers.run_cli import run
from warehouse.connection import open_warehouse
from warehouse.storage.home import Home


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """Ten days of conversations, so that there are two whole weeks of some agent or parts of three."""
    folder = tmp_path_factory.mktemp("mcp")
    until = day.midnight()
    with running(create_app(World(conversations=250, days=10, until=until), clock=lambda: until)) as url:
        assert run(folder, "sync", ELEVENLABS_API_KEY="demo", ELEVENLABS_BASE_URL=url).code == 0
    home = Home(folder / "data")
    built_at = day.now().timestamp()  # by the clock of the tests
    os.utime(home.warehouse, (built_at, built_at))
    with open_warehouse(home):  # to open it again for each question takes most of the answer's time
        yield home
