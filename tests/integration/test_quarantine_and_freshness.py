"""Quarantined conversations are tried again by the next sync and by ``retry``; data without a recent run is stale."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import polars as pl
import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.errors import UsageError
from pipelines.extract import run_log
from pipelines.extract.landing_rows import deleted_row
from pipelines.extract.time_window import Window
from pipelines.settings import Settings
from pipelines.transform.refresh_lake import refresh_lake
from pipelines.usecases import sync, sync_steps
from pipelines.usecases.context import Context
from pipelines.usecases.run_session import end_copy, finish_runs, run_session
from pipelines.usecases.status import read_status
from tests.helpers.kept_home import KeptHome
from tests.helpers.nights import Nights
from tests.helpers.recording_app import Tap, assert_equals
from tests.helpers.run_cli import run
from warehouse.models.data_quality import FRESH
from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.storage import lake, landing, run_records

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
HASTY = {"ELEVENLABS_API_KEY": "demo", "CONVOHOUSE_REQUEST_DEADLINE_SECS": "1"}


@pytest.fixture
def world():
    return World(seed=11, conversations=30, days=3, until=UNTIL)


@pytest.fixture
def spoilt(world):
    """The API with one finished conversation whose detail is not JSON."""
    app = Tap(create_app(world, clock=lambda: UNTIL))
    app.spoilt = next(detail["conversation_id"] for detail in world.details(UNTIL) if detail["status"] == "done")
    return app


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory):
    return KeptHome(tmp_path_factory.mktemp("freshness") / "home")


@pytest.fixture
def synced(kept_home, world):
    """The context of a home that is synced once, and the time of its clock."""
    moments = [UNTIL]
    with running(create_app(world, clock=lambda: UNTIL)) as url:
        context = Context(Settings(home=kept_home.root, base_url=url, api_key="demo"), clock=lambda: moments[0])
        kept_home.put(lambda: sync.sync(context, run_id="1"))
        yield context, moments


def test_retry_fetches_the_quarantined_conversations_and_no_others(spoilt, world, tmp_path):
    bad = spoilt.spoilt
    with running(spoilt) as url:
        settings = HASTY | {"ELEVENLABS_BASE_URL": url}
        assert run(tmp_path, "sync", **settings).code == 1

        still = run(tmp_path, "retry", "--json", **settings)
        assert (still.code, still.data["run"]["n_asked"] + still.data["run"]["n_new"]) == (1, 1)
        assert any(bad in problem for problem in still.data["problems"])

        spoilt.spoilt = None
        spoilt.requests.clear()
        done = run(tmp_path, "retry", **settings)
        assert (done.code, dict(spoilt.details)) == (0, {f"/v1/convai/conversations/{bad}": 1})
        assert "complete: the quarantine is empty" in done.err
        spoilt.requests.clear()
        assert run(tmp_path, "retry").code == 0  # without a key, as no request is needed
        assert spoilt.details.total() == 0
    here = Context(Settings(home=tmp_path / "data"))
    assert_equals(here, list(world.details(UNTIL)))


@pytest.mark.parametrize(("hours", "is_fresh"), [(35, True), (37, False)])
def test_a_home_without_a_recent_complete_run_is_stale(synced, hours, is_fresh):
    context, moments = synced
    moments[0] += timedelta(hours=hours)
    (result,) = [result for result in sync.check(context) if result.check == FRESH]
    assert result.is_passed is is_fresh
    sample = () if is_fresh else ({"workspace": "main", "last_full_listing_at": UNTIL},)
    assert result.sample_rows == sample


def test_an_item_in_quarantine_makes_runs_incomplete_and_not_stale(spoilt, tmp_path):
    """Every night names it and ends with exit 1; that nothing newer is known would be wrong."""
    times = [UNTIL]
    with running(spoilt) as url:
        settings = Settings(home=tmp_path / "home", base_url=url, api_key="demo", request_deadline_secs=1)
        context = Context(settings, clock=lambda: times[0])
        for run_id in ("1", "2"):
            times[0] = UNTIL + timedelta(days=int(run_id))
            result = sync.sync(context, run_id=run_id)
            assert (result.run["outcome"], [spoilt.spoilt in problem for problem in result.problems]) == (
                "incomplete",
                [True],
            )
            assert status_of(context).last_full_listing_at == times[0]
            assert freshness(context).is_passed


@pytest.mark.parametrize("is_gone", [False, True])
@pytest.mark.parametrize("change", [{"conversation_id": "conv_lost"}, {"fingerprint": "another"}, {}])
def test_a_run_after_which_what_a_listing_showed_is_not_copied_is_not_fresh(change, is_gone, synced):
    """As when a sync was killed after its listing, and then `reprocess` or `retry` ran."""
    context, _ = synced
    row = landing.latest_list_rows(context.home, LANDED_LISTINGS.column_names).tail(1)
    if is_gone:
        gone = deleted_row(row.row(0, named=True) | {"content_sha256": None}, UNTIL)
        landing.land_documents(context.home, [gone])
    with context.worker_pool() as worker_pool:
        shown = row.with_columns(**{name: pl.lit(value) for name, value in change.items()})
        landing.land_listing(
            context.home, Window(None, UNTIL).as_listing(UNTIL), shown.select(LANDED_LISTINGS.column_names)
        )
        sync_steps.flatten_conversations(context, "1", worker_pool=worker_pool)
    run_log.start_run(context.home, "2", at=UNTIL, window=None)
    copy_problems = end_copy([context], "2")
    is_missed = bool(change) or is_gone  # a conversation that is listed after a 404 is there again
    assert len(finish_runs([context], "2", copy_problems, is_built=True)) == is_missed
    assert run_log.row(context.home, "2")["last_full_listing_at"] == (None if is_missed else UNTIL)
    assert sync.sync(context, run_id="3").problems == ()


def test_a_run_is_fresh_once_its_warehouse_is_in_place(synced):
    """The warehouse that it builds has its time; until the run has ended, and if it was killed, nothing else has it."""
    context, moments = synced
    moments[0] += timedelta(days=2)
    sync_steps.list_conversations(context, sync_steps.window_of(context)[0], "2")
    with context.worker_pool() as worker_pool:
        sync_steps.fetch_documents(context, "2", worker_pool=worker_pool)
        sync_steps.flatten_conversations(context, "2", worker_pool=worker_pool)
    copy_problems = end_copy([context], "2")
    assert run_log.row(context.home, "2")["last_full_listing_at"] == moments[0]
    assert status_of(context).last_full_listing_at == UNTIL
    assert not freshness(context).is_passed

    finish_runs([context], "2", copy_problems, ["a check of the warehouse failed"], is_built=False)
    assert run_log.row(context.home, "2")["last_full_listing_at"] is None
    sync.sync(context, run_id="3")
    assert status_of(context).last_full_listing_at == moments[0]


def test_other_days_of_rereading_change_which_conversations_are_settled(synced):
    """Without a request to the API, and back again."""
    context, _ = synced
    before = lake.read(context.home, CONVERSATION_CHECKS).sort("conversation_id")
    assert set(before["settle_state"]) >= {"open", "settling"}
    for reread_days, expected in (((), "settled"), (context.settings.reread_days, "settling")):
        refresh_lake(context.home, reread_days=reread_days)
        checks = lake.read(context.home, CONVERSATION_CHECKS).sort("conversation_id")
        settled_by_days = checks.filter(before["settle_state"] == "settling")["settle_state"]
        assert set(settled_by_days) == {expected}
    assert checks.equals(before)


def test_conversations_that_an_earlier_listing_had_skipped_are_copied_and_reported(tmp_path):
    nights = Nights(tmp_path / "home")
    starts = {name: document["metadata"]["start_time_unix_secs"] for name, document in nights.documents().items()}
    skipped = sorted(name for name, start in starts.items() if start < UNTIL.timestamp() - 3600)[:7]
    nights.world.hidden = set(skipped)
    with running(nights.app) as url:
        context = nights.context(url, lookback_days=9)
        first = sync.sync(context, run_id="1")
        assert (first.run["n_skipped"], first.warnings) == (0, ())
        nights.world.hidden = set()
        nights.now += timedelta(hours=2)
        second = sync.sync(context, run_id="2")
        assert second.run["n_skipped"] == 7
        assert second.warnings == (
            "The API's list had skipped 7 conversations, which this run copies: " + ", ".join(skipped[:5]) + ", …",
        )
        assert set(skipped) <= set(lake.read(context.home, CONVERSATIONS)["conversation_id"])
        nights.now += timedelta(hours=2)
        assert sync.sync(context, run_id="3").run["n_skipped"] == 0


def test_only_a_listing_of_all_agents_up_to_now_makes_a_home_fresh(synced, world):
    """Other runs are complete, and say nothing about what has happened at the API since."""
    context, moments = synced
    moments[0] += timedelta(days=5)
    yesterday = moments[0] - timedelta(days=1)
    agent_id = next(world.details(UNTIL))["agent_id"]
    results = [
        sync.reprocess(context, run_id="reprocess"),
        sync.retry(context, run_id="retry"),
        sync.sync(context, run_id="backfill", since=UNTIL - timedelta(days=2), until=UNTIL),
        sync.sync(context, run_id="one agent", agent_id=agent_id),
        sync.sync(context, run_id="with a gap before it", since=yesterday),
    ]
    assert {result.run["outcome"] for result in results} == {"complete"}
    assert freshness(context).sample_rows == ({"workspace": "main", "last_full_listing_at": UNTIL},)
    assert status_of(context).last_full_listing_at == UNTIL

    sync.sync(context, run_id="next night")
    assert freshness(context).is_passed
    assert status_of(context).last_full_listing_at == moments[0]


def test_an_agent_that_no_listing_has_shown_is_a_usage_error_that_names_the_known_ones(world, tmp_path):
    """The API's list of its conversations is empty, as it is for an agent that rests."""
    with running(create_app(world, clock=lambda: UNTIL)) as url:
        context = Context(Settings(home=tmp_path / "home", base_url=url, api_key="demo"), clock=lambda: UNTIL)
        for run_agent in (partial(sync.sync, run_id="1"), sync.plan):
            with pytest.raises(UsageError, match="this home folder has no agents yet"):
                run_agent(context, agent_id="agent_nope")
        agent_id = next(world.details(UNTIL))["agent_id"]
        assert sync.sync(context, run_id="2", agent_id=agent_id).problems == ()
        for run_agent in (partial(sync.sync, run_id="3"), sync.plan):
            with pytest.raises(UsageError, match=r"Known agents: [A-Z]") as raised:
                run_agent(context, agent_id="agent_nope")
            assert raised.value.exit_code == 2
    assert run_records.records(context.home).sort("run_id")["outcome"].to_list() == ["failed", "complete", "failed"]


@pytest.mark.parametrize(
    ("error", "recorded"),
    [
        (OSError(28, "No space left on device", "/srv/data/x"), "No space left on device"),
        (OSError("Anna said no"), "OSError"),
        (ValueError("Anna said no"), "ValueError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
)
def test_the_record_of_a_run_has_the_reason_of_the_system_and_no_text_that_may_quote_data(error, recorded, tmp_path):
    context = Context(Settings(home=tmp_path / "home", api_key="demo"), clock=lambda: UNTIL)
    with pytest.raises(type(error)), run_session(context, run_id="1", what="sync"):
        raise error
    assert run_records.records(context.home)["error"].to_list() == [recorded]


def freshness(context):
    (result,) = [result for result in sync.check(context) if result.check == FRESH]
    return result


def status_of(context):
    settings = context.settings
    return read_status(
        context.home, now=context.clock(), reread_days=settings.reread_days, confirm_after=settings.confirm_after
    )
