"""The job as the command line runs it, and Dagster's storage as dagster.yaml names it."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.orchestration.run_in_process import JobResult, run_job
from tests.helpers.emulated_dagster import FIRST
from tests.independent import row_counts
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import lake

pytestmark = pytest.mark.usefixtures("few_models")

PROJECT = Path(__file__).parents[2]
SINCE = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=UTC)

REFERENCE_STAGES = {"tools", "prices", "agents", "batches", "tags", "bill"}


def test_the_run_is_kept_in_the_projects_folder(emulated, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    shutil.copy(PROJECT / "dagster.yaml", tmp_path / "dagster.yaml")
    app_context, stages = emulated.app_context(tmp_path / "home"), []
    outcome = run_job(
        app_context,
        since=SINCE,
        until=emulated.now,
        progress=lambda stage, done, total: stages.append((stage, done, total)),
    )
    n_calls = row_counts.rows(emulated.details())["conversations"]
    assert outcome == JobResult(outcome.run_id, is_success=True, errors=())
    assert lake.read(app_context.home, CONVERSATIONS).height == n_calls
    begun = list(dict.fromkeys(stage for stage, _, _ in stages))
    stages_of_the_run = [stage for stage in begun if stage not in REFERENCE_STAGES]
    assert stages_of_the_run == ["list", "fetch", "flatten", "build", "check"]
    assert set(begun) > REFERENCE_STAGES
    assert ("fetch", n_calls, n_calls) in stages
    assert capfd.readouterr() == ("", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".dagster", "dagster.yaml", "home"]
    with dg.DagsterInstance.from_config(str(tmp_path / ".dagster")) as instance:
        record = instance.get_run_record_by_id(outcome.run_id)
        assert (record.dagster_run.job_name, record.dagster_run.status) == ("backfill", dg.DagsterRunStatus.SUCCESS)
        assert instance.get_latest_materialization_event(dg.AssetKey(["lake", "turns"])).run_id == outcome.run_id
        assert record.dagster_run.tags["dagster/max_retries"] == "0"
        assert record.dagster_run.remote_job_origin.location_name == "pipelines.definitions"
        assert instance.telemetry_enabled is False
        assert instance.nux_enabled is False


def test_where_there_are_no_settings_of_dagster_those_of_the_package_hold(emulated, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    app_context = emulated.app_context(tmp_path / "home", key="sk_another_key")
    outcome = run_job(app_context, since=SINCE, until=SINCE + timedelta(days=1))
    assert not outcome.is_success
    assert len(outcome.errors) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".dagster", "home"]
    assert (tmp_path / ".dagster" / "dagster.yaml").read_text() == (PROJECT / "dagster.yaml").read_text()
    with dg.DagsterInstance.from_config(str(tmp_path / ".dagster")) as instance:
        assert instance.get_run_by_id(outcome.run_id).status == dg.DagsterRunStatus.FAILURE
