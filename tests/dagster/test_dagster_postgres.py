"""A night whose runs, events and ticks are in PostgreSQL, as ``deploy/postgres/dagster.yaml`` says."""

from __future__ import annotations

import logging
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import InProcessTestWorkspaceLoadTarget, freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._scheduler.scheduler import launch_scheduled_runs

from pipelines.orchestration.build_defs import build_defs
from pipelines.orchestration.killed_runs import killed_runs_sensor
from pipelines.orchestration.partitions import NIGHTLY
from pipelines.orchestration.prune import delete_runs, report_stored_days
from tests.helpers import postgres
from tests.independent import row_counts
from warehouse.schema.registry import DOCUMENT_TABLES
from warehouse.storage import lake

pytestmark = pytest.mark.usefixtures("few_models")

PROJECT = Path(__file__).parents[2]
TWO = datetime(2025, 11, 21, 2, tzinfo=UTC)
_of_the_location: list[dg.Definitions] = []


def definitions() -> dg.Definitions:
    """What the code location of the test loads."""
    return _of_the_location[-1]


@pytest.fixture
def instance(tmp_path, monkeypatch):
    """An instance with the settings of a server, whose storage is a PostgreSQL of its own."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    shutil.copy(PROJECT / "deploy" / "postgres" / "dagster.yaml", folder)
    with postgres.server(tmp_path / "postgres") as text:
        url = urlsplit(text)
        place = {"HOST": url.hostname, "PORT": url.port, "USER": url.username, "DB": url.path[1:]}
        for name, value in {**place, "PASSWORD": postgres.CREDENTIALS["password"]}.items():
            monkeypatch.setenv(f"DAGSTER_POSTGRES_{name}", str(value))
        with dg.DagsterInstance.from_config(str(folder)) as instance:
            yield instance


@pytest.fixture
def app_context(emulated, tmp_path):
    """A home folder of which nothing is there, at two in the night."""
    moment, emulated.now = emulated.now, TWO
    yield emulated.app_context(tmp_path / "home")
    emulated.now = moment


@pytest.fixture
def workspace(instance, app_context):
    """The home folder as the only code location."""
    _of_the_location.append(build_defs(app_context=app_context))
    origin = InProcessCodeLocationOrigin(LoadableTargetOrigin(module_name=__name__, attribute=definitions.__name__))
    with WorkspaceProcessContext(instance, InProcessTestWorkspaceLoadTarget(origin)) as workspace:
        yield workspace
    _of_the_location.clear()


@pytest.mark.timeout(600)  # a connection for each event
@pytest.mark.filterwarnings("ignore:Property .ScheduleDefinition.environment_vars.")  # read by Dagster itself
def test_the_night_of_the_schedule_is_run_and_pruned(instance, workspace, app_context, emulated):
    with freeze_time(TWO - timedelta(minutes=1)):
        (entry,) = workspace.create_request_context().get_code_location_entries().values()
        (repository,) = entry.code_location.get_repositories().values()
        schedule = instance.start_schedule(repository.get_schedule(NIGHTLY))
    with freeze_time(TWO):
        list(launch_scheduled_runs(workspace, logging.getLogger("test"), TWO, {}))
    (tick,) = instance.get_ticks(schedule.instigator_origin_id, schedule.selector_id)
    (record,) = instance.get_run_records()
    run = record.dagster_run
    assert (tick.status.name, tick.timestamp, tick.run_ids) == ("SUCCESS", TWO.timestamp(), [run.run_id])
    assert (run.job_name, run.status) == (NIGHTLY, dg.DagsterRunStatus.QUEUED)
    assert run.tags["dagster/partition"] == "2025-11-21"

    starting = dg.DagsterEvent(dg.DagsterEventType.RUN_STARTING.value, job_name=NIGHTLY)
    instance.report_dagster_event(starting, run.run_id)  # as the queue does
    run = instance.get_run_by_id(run.run_id)
    assert execute_run(InMemoryJob(definitions().resolve_job_def(NIGHTLY)), run, instance).success
    rows = {table.name: lake.read(app_context.home, table).height for table in DOCUMENT_TABLES}
    assert rows == dict.fromkeys(rows, 0) | row_counts.rows(emulated.details())
    assert instance.get_run_by_id(run.run_id).status == dg.DagsterRunStatus.SUCCESS
    turns = dg.AssetKey(["lake", "turns"])
    assert instance.get_latest_materialization_event(turns).run_id == run.run_id
    days = instance.get_materialized_partitions(turns)
    assert "2025-11-20" in days
    with dg.build_sensor_context(instance=instance, resources={"app_context": app_context}) as sensor_context:
        assert killed_runs_sensor(sensor_context).skip_message == "No run was killed."

    location = run.remote_job_origin.location_name
    assert delete_runs(instance, TWO - timedelta(days=1), location) == 0
    assert delete_runs(instance, TWO + timedelta(days=1), location) == 1
    assert (instance.get_run_records(), instance.all_logs(run.run_id)) == ([], [])
    assert instance.get_materialized_partitions(turns) == set()
    assert report_stored_days(instance, app_context.home, days) > 0
    assert instance.get_materialized_partitions(turns) == days - {"2025-11-21"}  # of that day, nothing has landed
