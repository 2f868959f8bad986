"""The emulated API and the first whole run, which the tests share."""

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
    """Four days of calls; at the moment of the first run the last day is half over and a call is going on."""
    midnight = datetime(2025, 11, 21, tzinfo=UTC)
    api = Emulated(World(conversations=60, days=4, until=midnight), now=midnight - timedelta(hours=6))
    on_the_last_day = (each for each in api.world.details(midnight) if started_at(each) < api.now)
    api.now = started_at(next(on_the_last_day)) + timedelta(seconds=5)
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
    return run(emulated.workspace_context(tmp_path_factory.mktemp("first") / "home"))


@pytest.fixture
def copied(first, emulated, tmp_path):
    """A copy of what the first run left, to go on from; the API stands where it stood then."""
    moment = emulated.now
    shutil.copytree(first.workspace_context.home.root, tmp_path / "home")
    yield emulated.workspace_context(tmp_path / "home")
    emulated.now, emulated.spoilt = moment, None
