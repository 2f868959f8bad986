"""The emulator with account data that a test edits, and a home beside it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases.context import Context
from tests.helpers.account_night import NIGHT, Night
from tests.helpers.editing_app import EditingApp


@pytest.fixture
def clock():
    return Night()


@pytest.fixture(scope="module")
def world():
    return World(conversations=120, days=20, until=NIGHT + timedelta(days=10))


@pytest.fixture
def api(world, clock):
    return EditingApp(create_app(world, clock=clock))


@pytest.fixture
def emulated(tmp_path, clock, api):
    """A context over an emulator."""
    with ExitStack() as servers:
        base_url = servers.enter_context(running(api))

        def open_context(**changes):
            settings = Settings(home=tmp_path / "home", base_url=base_url, api_key="demo", **changes)
            context = Context(settings, clock=clock)
            context.home.open()
            return context

        yield open_context
