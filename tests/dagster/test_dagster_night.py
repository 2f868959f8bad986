"""A night in the life: the schedule's tick, everything killed halfway, a new start, and nothing is missing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin

from pipelines.orchestration.alert_sensor import alert_sensor
from pipelines.orchestration.killed_runs import KILLED
from pipelines.settings import Settings
from pipelines.usecases.context import Context
from tests.helpers.alert_receivers import Slack, slack
from tests.helpers.dagster_processes import MODULE, Machine, machine, wait_for
from tests.helpers.emulated_dagster import KEY
from tests.independent import row_counts
from warehouse.models.data_quality import check_fresh
from warehouse.schema.operations import SYNC_RUNS
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.serve.query import query
from warehouse.storage import lake

pytestmark = pytest.mark.timeout(900)  # five processes that each load Dagster

TWO = datetime(2025, 11, 21, 2, tzinfo=UTC)
BEFORE, TICK, RESTART = (moment.isoformat() for moment in (TWO - timedelta(minutes=1), TWO, TWO + timedelta(minutes=9)))
PAGE = "http://dagster.example"


@dataclass
class Night:
    """A night that was killed and started again."""

    machine: Machine
    instance: dg.DagsterInstance
    slack: Slack
    killed_run_id: str

    def runs(self, **filters: object) -> list[dg.RunRecord]:
        return self.instance.get_run_records(dg.RunsFilter(job_name="nightly", **filters))


@pytest.fixture(scope="module")
def night(first, emulated, tmp_path_factory) -> Iterator[Night]:
    """The night after the first run: daemon, code server and worker are killed while conversations are fetched."""
    folder, moment = tmp_path_factory.mktemp("night"), emulated.now
    shutil.copytree(first.app_context.home.root, folder / "home")
    emulated.now, emulated.holds_details = TWO, True
    with slack() as receiver:
        variables = {
            "ELEVENLABS_API_KEY": KEY,
            "ELEVENLABS_BASE_URL": emulated.url,
            "CONVOHOUSE_ALERT_WEBHOOK": receiver.url,
            "CONVOHOUSE_DAGSTER_URL": PAGE,
        }
        with (
            machine(folder / "home", folder / "dagster", **variables) as computer,
            dg.DagsterInstance.from_config(str(computer.folder)) as instance,
        ):
            started = computer.run(BEFORE, "schedule", "start", "nightly", *MODULE)
            assert started.returncode == 0, started.stderr
            daemon = computer.start(TICK, "daemon", "run", *MODULE)
            wait_for("a request for a conversation", lambda: emulated.n_held, computer.logs)
            computer.kill(daemon)
            (record,) = instance.get_run_records(dg.RunsFilter(job_name="nightly"))
            assert record.dagster_run.status == dg.DagsterRunStatus.STARTED
            emulated.holds_details = False
            night = Night(computer, instance, receiver, record.dagster_run.run_id)
            computer.start(RESTART, "daemon", "run", *MODULE)
            succeeded = [dg.DagsterRunStatus.SUCCESS]
            wait_for("a complete run", lambda: night.runs(statuses=succeeded), computer.logs)
            wait_for("an alert", lambda: receiver.posts, computer.logs)
            yield night
    emulated.now = moment


def test_the_killed_run_is_ended_and_started_again(night):
    again, killed = night.runs()
    assert killed.dagster_run.run_id == night.killed_run_id
    assert killed.dagster_run.status == dg.DagsterRunStatus.FAILURE
    assert again.dagster_run.status == dg.DagsterRunStatus.SUCCESS
    assert (again.dagster_run.parent_run_id, again.dagster_run.root_run_id) == (night.killed_run_id,) * 2
    assert {run.dagster_run.tags["dagster/partition"] for run in (again, killed)} == {"2025-11-21"}


def test_the_night_ends_complete_and_the_data_is_fresh(night, emulated):
    home = Context(Settings(home=night.machine.home, api_key=KEY)).home
    rows = {table.name: lake.read(home, table).height for table in DOCUMENT_TABLES}
    assert rows == dict.fromkeys(rows, 0) | row_counts.rows(emulated.details())
    n_calls = query(home, "select count(*) from marts.fct_conversations").item()
    assert n_calls == len(emulated.details())
    outcomes = lake.read(home, SYNC_RUNS).sort("started_at")["outcome"].to_list()
    assert outcomes == ["complete", "incomplete", "complete"]
    fresh = check_fresh([home], now=TWO + timedelta(hours=1), within=timedelta(hours=2))
    assert fresh.is_passed
    health = night.instance.get_latest_materialization_event(dg.AssetKey(["metrics", "sync_health"]))
    assert health.run_id == night.runs()[0].dagster_run.run_id


def test_one_alert_is_sent_and_says_what_to_do(night):
    context = Context(
        Settings(home=night.machine.home, api_key=KEY, alert_webhook=night.slack.url, now=TWO + timedelta(minutes=20))
    )
    with dg.build_sensor_context(instance=night.instance, resources={"app_context": context}) as sensor_context:
        sensor_context._code_location_origin = RegisteredCodeLocationOrigin(MODULE[-1])
        assert alert_sensor(sensor_context).skip_message == "There is nothing new."
    (post,) = night.slack.posts
    assert post == {
        "text": "convohouse: the run nightly failed\n"
        f"- {KILLED}\n"
        "What was fetched is kept, and the next run continues. docs/operations.md says what to do for each reason.\n"
        f"{PAGE}/runs/{night.killed_run_id}"
    }
