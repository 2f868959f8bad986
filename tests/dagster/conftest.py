"""The emulated API and the first full run, which the tests share."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.serve import running
from tests.helpers.emulated_dagster import Emulated, Runner, started_at


@pytest.fixture(scope="session")
def emulated():
    """Four days of conversations; the first run is in the middle of the last day, during a conversation."""
    midnight = datetime(2025, 11, 21, tzinfo=UTC)
    api = Emulated(World(conversations=60, days=4, until=midnight), now=midnight - timedelta(hours=6))
    before_now = (document for document in api.world.details(midnight) if started_at(document) < api.now)
    api.now = started_at(next(before_now)) + timedelta(seconds=5)
    with running(api) as api.url:
        yield api


@pytest.fixture(scope="session")
def run():
    """Run a job in this process."""
    with ExitStack() as stack:
        yield Runner(stack)


@pytest.fixture(scope="session")
def first(run, emulated, tmp_path_factory):
    """The first nightly run."""
    return run(emulated.app_context(tmp_path_factory.mktemp("first") / "home"))


@pytest.fixture
def copied(first, emulated, tmp_path):
    """A copy of the home folder after the first run; the API is at the moment of that run."""
    moment = emulated.now
    shutil.copytree(first.app_context.home.root, tmp_path / "home")
    yield emulated.app_context(tmp_path / "home")
    emulated.now, emulated.invalid_id = moment, None
