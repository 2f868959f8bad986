"""A sync lists the tools while it fetches conversations, and requests the other reference data side by side.

An error of one does not become one of the other.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.errors import CredentialsError
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers.recording_app import Tap
from warehouse.schema.account_data import AGENT_CONFIGS, BATCH_CALLS, BILLED_USAGE, TAG_DEFINITIONS
from warehouse.schema.operations import SYNC_RUNS
from warehouse.schema.reference_data import LANDED_TOOLS, LLM_PRICES, TOOLS
from warehouse.storage import lake
from warehouse.storage.landing_reference_data import item_rows

pytestmark = pytest.mark.usefixtures("few_models")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
WORLD = World(seed=3, conversations=40, days=2, until=UNTIL)
TOOLS_PATH = "/v1/convai/tools"


@pytest.fixture
def context(tmp_path):
    """A context for a base URL; its clock does not move."""
    return lambda base_url: Context(
        Settings(home=tmp_path / "home", base_url=base_url, api_key="demo"), clock=lambda: UNTIL
    )


def api(**options):
    return create_app(WORLD, clock=lambda: UNTIL, **options)


class Meeting(Tap):
    """Answers the tools and the first conversation only after both have been requested."""

    def __init__(self, app):
        super().__init__(app)
        self.tools, self.detail = asyncio.Event(), asyncio.Event()

    async def __call__(self, scope, receive, send):
        path = scope.get("path", "")
        if path == TOOLS_PATH or "/conversations/" in path:
            mine, other = (self.tools, self.detail) if path == TOOLS_PATH else (self.detail, self.tools)
            mine.set()
            await asyncio.wait_for(other.wait(), timeout=20)
        await super().__call__(scope, receive, send)


def test_the_tools_are_listed_while_conversations_are_fetched_and_are_not_counted_as_requests(context):
    app = Meeting(api())
    with running(app) as base_url:
        here = context(base_url)
        result = sync.sync(here, run_id="run")
    assert (result.problems, result.warnings) == ((), ())
    assert lake.read(here.home, TOOLS).height == 14
    assert app.requests[TOOLS_PATH] == 1
    n_of_conversations = sum(n for path, n in app.requests.items() if "/conversations" in path)
    assert (result.run["n_requests"], result.run["n_retries"]) == (n_of_conversations, 0)


class MeetingOfAll(Tap):
    """Answers a first request for prices, agents, batches, tags or the bill only after all have been requested."""

    WAITED_FOR = ("llm-usage/calculate", "/v1/convai/agents", "batch-calling", "/v1/convai/tags", "analytics/usage")

    def __init__(self, app):
        super().__init__(app)
        self.requested, self.all_requested = set(), asyncio.Event()

    async def __call__(self, scope, receive, send):
        kind = next((kind for kind in self.WAITED_FOR if kind in scope.get("path", "")), None)
        if kind is not None:
            self.requested.add(kind)
            if len(self.requested) == len(self.WAITED_FOR):
                self.all_requested.set()
            await asyncio.wait_for(self.all_requested.wait(), timeout=20)
        await super().__call__(scope, receive, send)


def test_reference_data_is_requested_side_by_side_and_one_that_fails_is_one_warning(context):
    app = MeetingOfAll(api(denied=("/batch-calling/workspace",)))
    with running(app) as base_url:
        here = context(base_url)
        result = sync.sync(here, run_id="run")
    (warning,) = result.warnings
    assert warning.startswith("The batches could not be fetched: GET /v1/convai/batch-calling/workspace answered 403")
    assert result.problems == ()
    landed = (LLM_PRICES, AGENT_CONFIGS, BATCH_CALLS, TAG_DEFINITIONS, BILLED_USAGE)
    assert [not lake.read(here.home, table).is_empty() for table in landed] == [True, True, False, True, True]


def test_tools_that_are_refused_are_a_warning_and_the_conversations_are_complete(context):
    with running(api(denied=("/tools",))) as base_url:
        here = context(base_url)
        result = sync.sync(here, run_id="run")
    (warning,) = result.warnings
    assert warning.startswith("The tools could not be fetched: GET /v1/convai/tools answered 403: the key lacks")
    assert (result.problems, result.run["outcome"]) == ((), "complete")
    assert result.run["n_fetched"] == result.run["n_listed"] > 0
    assert lake.read(here.home, TOOLS).is_empty()


def test_a_run_without_anything_to_fetch_lists_the_tools_as_well(context):
    app = Tap(api())
    with running(app) as base_url:
        here = context(base_url)
        sync.sync(here, run_id="first")
        app.requests.clear()
        result = sync.sync(here, run_id="second", until=datetime(2000, 1, 1, tzinfo=UTC))
    assert result.run["n_fetched"] == 0
    assert app.requests[TOOLS_PATH] == 1
    assert item_rows(here.home, LANDED_TOOLS).height == 28


def test_conversations_that_are_all_refused_end_the_run_and_no_tools_are_landed(context):
    with running(api(denied=[document["conversation_id"] for document in WORLD.details(UNTIL)])) as base_url:
        here = context(base_url)
        with pytest.raises(CredentialsError, match="the key lacks a scope"):
            sync.sync(here, run_id="run")
    assert lake.read(here.home, SYNC_RUNS).row(0, named=True)["outcome"] == "failed"
    assert item_rows(here.home, LANDED_TOOLS).is_empty()
