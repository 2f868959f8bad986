"""The main job over real HTTP: the warehouse equals an independent recount of what the API holds, faults or none."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.faults import Faults
from pipelines.emulator.server.serve import running
from pipelines.errors import ApiUnavailableError, CredentialsError
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from tests.helpers.fake_api import Time
from tests.helpers.recording_app import Tap, assert_equals
from tests.independent import row_counts
from warehouse.schema.landing import LANDED_DOCUMENTS
from warehouse.schema.operations import AGENTS, CONVERSATION_LIST, SYNC_RUNS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.serve.query import query
from warehouse.storage import lake, parquet

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
SINCE = UNTIL - timedelta(days=10)
RUN_AT = UNTIL + timedelta(hours=2)
FAULTS = "429=0.08,5xx=0.08,reset=0.03,truncate=0.03,garbage=0.02,repeat_rows=0.2"


@pytest.fixture(scope="module")
def large_world():
    return World(seed=11, conversations=600, days=10, until=UNTIL)


@pytest.fixture(scope="module")
def world():
    """As large as the tests need that are not about every number."""
    return World(seed=11, conversations=150, days=5, until=UNTIL)


@pytest.fixture(scope="module")
def documents(world):
    return list(world.details(UNTIL))


@pytest.fixture
def context(tmp_path):
    """Makes a context for a base URL: a clock that does not move, and retries that do not wait."""
    time = Time()

    def connect(settings):
        return time.connect(settings, concurrency=settings.concurrency)

    def make(base_url, **changes):
        settings = Settings(home=tmp_path / "home [1]", base_url=base_url, api_key="demo", **changes)
        return Context(settings, clock=lambda: RUN_AT, connect=connect)

    return make


@pytest.mark.usefixtures("every_model")
@pytest.mark.parametrize("faults", [None, FAULTS], ids=["calm", "faults"])
def test_a_sync_equals_the_recount(faults, large_world, context):
    documents = list(large_world.details(UNTIL))
    app = Tap(create_app(large_world, clock=lambda: UNTIL, faults=Faults.parse(faults) if faults else None))
    with running(app) as base_url:
        here = context(base_url)
        done = sync.sync(here, run_id="run", since=SINCE)

        assert done.problems == ()
        assert_equals(here, documents)
        starts = lake.read(here.home, AGENTS).select("agent_id", pl.col("first_call_at", "last_call_at").dt.epoch("s"))
        assert {agent: (first, last) for agent, first, last in starts.rows()} == row_counts.agents(documents)
        assert lake.read(here.home, CONVERSATION_LIST).height == len(documents)
        run = lake.read(here.home, SYNC_RUNS).row(0, named=True)
        counts = {name: run[name] for name in ("n_listed", "n_new", "n_fetched", "n_landed", "n_flattened")}
        assert set(counts.values()) == {len(documents)}
        assert (run["outcome"], run["error"]) == ("complete", None)
        assert (run["n_requests"] > len(documents), run["n_retries"] > 0) == (True, faults is not None)


def test_a_second_run_fetches_only_open_conversations(world, documents, context):
    n_open = sum(document["status"] not in ("done", "failed") for document in documents)
    app = Tap(create_app(world, clock=lambda: UNTIL))
    with running(app) as base_url:
        here = context(base_url)
        sync.sync(here, run_id="first")
        before = query(here.home, "from metrics.agent_daily order by all")
        app.requests.clear()
        again = sync.sync(here, run_id="second")
    assert n_open > 0
    assert (app.details.total(), again.run["n_fetched"], again.run["n_landed"]) == (n_open, n_open, 0)
    assert query(here.home, "from metrics.agent_daily order by all").equals(before)
    assert_equals(here, documents)


def test_a_stopped_run_is_continued_by_the_next(world, documents, context):
    app = Tap(create_app(world, clock=lambda: UNTIL))
    with running(app) as base_url:
        here = context(base_url, concurrency=4)

        def stop(stage, done, _total):
            if stage == "fetch" and done >= 125:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            sync.sync(here, run_id="stopped", progress=stop)
        assert lake.read(here.home, SYNC_RUNS).row(0, named=True)["outcome"] == "failed"
        sync.sync(here, run_id="next")
    n_open = sum(document["status"] not in ("done", "failed") for document in documents)
    assert app.details.total() < len(documents) + n_open + 10  # only requests that were in flight are repeated
    assert_equals(here, documents)


def test_a_malformed_document_is_named_and_the_others_are_loaded(world, documents, context):
    bad = documents[50]["conversation_id"]
    app = Tap(create_app(world, clock=lambda: UNTIL))
    with running(app) as base_url:
        here = context(base_url)
        app.spoilt = bad
        done = sync.sync(here, run_id="malformed", since=SINCE)
        assert done.run["outcome"] == "incomplete"
        assert any(bad in problem for problem in done.problems)
        assert_equals(here, [document for document in documents if document["conversation_id"] != bad])

        app.spoilt = None
        assert sync.sync(here, run_id="repaired", since=SINCE).problems == ()
    assert_equals(here, documents)


def test_a_conversation_deleted_between_list_and_detail_is_a_deletion_and_no_loss(documents, context):
    world = World(seed=11, conversations=150, days=5, until=UNTIL)  # not the shared one, as it is changed
    gone = documents[25]["conversation_id"]

    def delete(stage, done, _total):
        if (stage, done) == ("fetch", 0):
            world.delete(gone, UNTIL)

    with running(create_app(world, clock=lambda: UNTIL)) as base_url:
        here = context(base_url)
        done = sync.sync(here, run_id="run", progress=delete)
    assert (done.problems, done.run["n_gone"]) == ((), 1)
    assert_equals(here, [document for document in documents if document["conversation_id"] != gone])


def test_an_agent_and_a_window_limit_what_is_copied(world, documents, context):
    agent = documents[0]["agent_id"]
    starts = sorted(document["metadata"]["start_time_unix_secs"] for document in documents)
    since, until = (
        datetime.fromtimestamp(starts[at], UTC) for at in (37, 112)
    )  # bounds that equal the start of a conversation
    with running(create_app(world, clock=lambda: UNTIL)) as base_url:
        here = context(base_url)
        done = sync.sync(here, run_id="run", since=since, until=until, agent_id=agent)
    inside = [
        document
        for document in documents
        if document["agent_id"] == agent
        and since.timestamp() <= document["metadata"]["start_time_unix_secs"] < until.timestamp()
    ]
    assert inside
    assert (done.problems, done.run["n_listed"]) == ((), len(inside))
    shown = lake.read(here.home, DOCUMENT_TABLES[0])["conversation_id"]
    assert set(shown) == {document["conversation_id"] for document in inside}


def test_a_rejected_key_stops_the_run_and_is_named_in_the_run_record(world, context):
    with running(create_app(world, clock=lambda: UNTIL, key="another")) as base_url:
        here = context(base_url)
        with pytest.raises(CredentialsError) as caught:
            sync.sync(here, run_id="run")
    run = lake.read(here.home, SYNC_RUNS).row(0, named=True)
    assert run["outcome"] == "failed"
    assert caught.value.message in run["error"]
    assert "demo" not in run["error"]


async def down(_scope, _receive, _send):
    raise ConnectionError


@pytest.mark.parametrize("cause", [ApiUnavailableError, CredentialsError], ids=["outage", "revoked key"])
def test_when_the_api_stops_answering_all_responses_before_are_landed_and_counted(world, documents, context, cause):
    app = Tap(create_app(world, clock=lambda: UNTIL))
    refusing = create_app(world, clock=lambda: UNTIL, key="another")

    def stop_answering(stage, done, _total):
        if stage == "fetch" and done >= 100:
            app.app = down if cause is ApiUnavailableError else refusing

    with running(app) as base_url:
        here = context(base_url)
        with pytest.raises(cause):
            sync.sync(here, run_id="stopped", progress=stop_answering)
    landed = parquet.read_files(LANDED_DOCUMENTS, here.home.landing.glob("start_date=*/*.parquet"), ["conversation_id"])
    assert 100 <= landed.height < len(documents)
    run = lake.read(here.home, SYNC_RUNS).row(0, named=True)
    assert (run["outcome"], run["n_new"]) == ("failed", len(documents))
    assert run["n_fetched"] == run["n_landed"] == run["n_flattened"] == landed.height
    assert lake.read(here.home, DOCUMENT_TABLES[0]).height == landed.height
