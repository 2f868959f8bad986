"""Quarantined conversations are tried again by the next sync and by ``retry``; data without a recent run is stale."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.errors import UsageError
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from pipelines.usecases.status import read_status
from tests.helpers.recording_app import Tap, assert_equals
from tests.helpers.run_cli import run
from warehouse.models.data_quality import FRESH
from warehouse.storage import run_records

pytestmark = pytest.mark.usefixtures("few_models")

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


def test_retry_fetches_the_quarantined_conversations_and_no_others(spoilt, world, tmp_path):
    bad = spoilt.spoilt
    with running(spoilt) as url:
        settings = HASTY | {"ELEVENLABS_BASE_URL": url}
        assert run(tmp_path, "sync", **settings).code == 1

        still = run(tmp_path, "retry", "--json", **settings)
        assert (still.code, still.data["run"]["n_asked"] + still.data["run"]["n_new"]) == (1, 1)
        assert any(bad in problem for problem in still.data["problems"])

        spoilt.spoilt = None
        spoilt.asked.clear()
        done = run(tmp_path, "retry", **settings)
        assert (done.code, dict(spoilt.details)) == (0, {f"/v1/convai/conversations/{bad}": 1})
        assert "complete: the quarantine is empty" in done.err
        spoilt.asked.clear()
        assert run(tmp_path, "retry").code == 0  # without a key, as no request is needed
        assert spoilt.details.total() == 0
    here = Context(Settings(home=tmp_path / "data"))
    assert_equals(here, list(world.details(UNTIL)))


@pytest.mark.parametrize(("hours", "is_fresh"), [(35, True), (37, False)])
def test_a_home_without_a_recent_complete_run_is_stale(world, tmp_path, hours, is_fresh):
    moments = [UNTIL]
    with running(create_app(world, clock=lambda: UNTIL)) as url:
        context = Context(Settings(home=tmp_path / "home", base_url=url, api_key="demo"), clock=lambda: moments[0])
        assert sync.sync(context, run_id="1").problems == ()
    moments[0] += timedelta(hours=hours)
    (result,) = [result for result in sync.check(context) if result.check == FRESH]
    assert result.is_passed is is_fresh
    sample = () if is_fresh else ({"workspace": "main", "last_full_listing_at": UNTIL},)
    assert result.sample_rows == sample


def test_an_incomplete_run_does_not_count_as_fresh(spoilt, tmp_path):
    with running(spoilt) as url:
        settings = HASTY | {"ELEVENLABS_BASE_URL": url}
        run(tmp_path, "sync", **settings)
        checked = run(tmp_path, "check", "--json", **settings)
    failed = {result["check"]: result["sample"] for result in checked.data["failed"]}
    assert failed["sync_is_fresh"] == [{"workspace": "main", "last_full_listing_at": None}]


def test_only_a_listing_of_all_agents_up_to_now_makes_a_home_fresh(world, tmp_path):
    """Other runs are complete, and say nothing about what has happened at the API since."""
    moments = [UNTIL]
    with running(create_app(world, clock=lambda: UNTIL)) as url:
        context = Context(Settings(home=tmp_path / "home", base_url=url, api_key="demo"), clock=lambda: moments[0])
        sync.sync(context, run_id="nightly")
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
            with pytest.raises(UsageError, match="no agents are known here yet"):
                run_agent(context, agent_id="agent_nope")
        agent_id = next(world.details(UNTIL))["agent_id"]
        assert sync.sync(context, run_id="2", agent_id=agent_id).problems == ()
        for run_agent in (partial(sync.sync, run_id="3"), sync.plan):
            with pytest.raises(UsageError, match=r"Known agents: [A-Z]") as raised:
                run_agent(context, agent_id="agent_nope")
            assert raised.value.exit_code == 2
    assert run_records.records(context.home).sort("run_id")["outcome"].to_list() == ["failed", "complete", "failed"]


def freshness(context):
    (result,) = [result for result in sync.check(context) if result.check == FRESH]
    return result


def status_of(context):
    settings = context.settings
    return read_status(
        context.home, now=context.clock(), reread_days=settings.reread_days, confirm_after=settings.confirm_after
    )
