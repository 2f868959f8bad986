"""The emulator with tools and prices, and a home beside it."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from pipelines.emulator.server.serve import running
from pipelines.settings import Settings
from pipelines.usecases.context import Context
from tests.helpers.account_night import Night
from tests.helpers.reference_night import api


@pytest.fixture
def clock():
    return Night()


@pytest.fixture
def emulated(tmp_path, clock):
    """A context over an emulator; ``app`` may stand in front of the API."""
    with ExitStack() as servers:

        def open_context(app=None, **changes):
            base_url = servers.enter_context(running(app or api(clock)))
            context = Context(
                Settings(home=tmp_path / "home", base_url=base_url, api_key="demo", **changes), clock=clock
            )
            context.home.open()
            return context

        yield open_context
