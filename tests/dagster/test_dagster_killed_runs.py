"""Which runs the sensor takes for killed: those whose lock nobody holds, and no others."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from filelock import FileLock

from pipelines.clock import utc_now
from pipelines.orchestration.killed_runs import KILLED, killed_runs_sensor
from pipelines.orchestration.run_errors import failure_lines
from pipelines.settings import Settings
from pipelines.usecases.context import Context


@dg.job
def some_job():
    pass


@pytest.fixture
def instance(tmp_path):
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        yield instance


@pytest.fixture
def look(instance, tmp_path):
    """What the sensor says, some time from now."""

    def evaluate(later: timedelta = timedelta()) -> str | None:
        context = Context(Settings(home=tmp_path / "home", api_key=None), clock=lambda: utc_now() + later)
        with dg.build_sensor_context(instance=instance, resources={"app_context": context}) as sensor_context:
            return killed_runs_sensor(sensor_context).skip_message

    return evaluate


def started(instance, location: str | None = None) -> str:
    origin = location and RemoteJobOrigin(
        RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(location), "__repository__"), "some_job"
    )
    run = instance.create_run_for_job(some_job, status=dg.DagsterRunStatus.STARTED, remote_job_origin=origin)
    return run.run_id


def test_a_run_is_killed_once_nobody_holds_its_lock(instance, look, tmp_path):
    run_id = started(instance)
    folder = tmp_path / "running"
    folder.mkdir()
    lock = FileLock(folder / f"{run_id}.lock")
    with lock:
        assert look() == "No run was killed."
        assert look(timedelta(days=1)) == "No run was killed."
    assert look() == f"Ended as failed: {run_id}."
    assert instance.get_run_by_id(run_id).status == dg.DagsterRunStatus.FAILURE
    events = [entry.dagster_event for entry in instance.all_logs(run_id) if entry.dagster_event]
    assert list(failure_lines(events)) == [KILLED]
    assert (look(), list(folder.iterdir())) == ("No run was killed.", [])


def test_a_run_that_never_locked_is_killed_after_five_minutes(instance, look):
    run_id = started(instance)
    assert look(timedelta(minutes=4)) == "No run was killed."
    assert look(timedelta(minutes=6)) == f"Ended as failed: {run_id}."


def test_the_runs_of_another_code_location_are_left_alone(instance, look):
    run_id = started(instance, "elsewhere")
    assert look(timedelta(days=1)) == "No run was killed."
    assert instance.get_run_by_id(run_id).status == dg.DagsterRunStatus.STARTED
