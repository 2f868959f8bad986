"""Deletes old runs and their events from Dagster's storage, which otherwise grows by some megabytes a night.

With its run, the event goes that says that a day is there. What is on the disk and has no event left is reported again,
without a run. So are days that the command line has copied, of which Dagster knows nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import dagster as dg
from dagster._core.storage.event_log import SqliteEventLogStorage

from pipelines.orchestration.asset_keys import asset_key
from pipelines.orchestration.code_location import runs_of
from pipelines.orchestration.killed_runs import remove_lock
from pipelines.orchestration.partitions import days_from, first_day
from pipelines.usecases.context import Context
from warehouse.schema.registry import TABLES
from warehouse.serve.value_format import plural
from warehouse.storage import lake, landing
from warehouse.storage.home import Home

PRUNE = "prune"
CRON = "0 5 * * 0"
ENDED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED]


def delete_runs(instance: dg.DagsterInstance, before: datetime, location: str | None = None) -> int:
    """Delete the ended runs of a location that were created before a moment; returns their number."""
    old_runs = dg.RunsFilter(statuses=ENDED, created_before=before)
    run_ids = [record.dagster_run.run_id for record in runs_of(instance.get_run_records(old_runs), location)]
    for run_id in run_ids:
        instance.delete_run(run_id)
        _delete_files(instance, run_id)
    return len(run_ids)


def _delete_files(instance: dg.DagsterInstance, run_id: str) -> None:
    """Delete what is left of a deleted run: lock, outputs of steps, and the database, which keeps its size."""
    remove_lock(instance, run_id)
    instance.compute_log_manager.delete_logs(prefix=[run_id])
    storage = instance.event_log_storage
    if isinstance(storage, SqliteEventLogStorage):
        for suffix in ("", "-wal", "-shm"):
            Path(f"{storage.path_for_shard(run_id)}{suffix}").unlink(missing_ok=True)


def report_stored_days(instance: dg.DagsterInstance, home: Home, valid_days: Iterable[str]) -> int:
    """Report days of landing and lake that are on the disk and that Dagster takes for missing; returns their number."""
    n_reported, valid = 0, set(valid_days)
    for key, days in _stored_days(home).items():
        for day in sorted((days & valid) - instance.get_materialized_partitions(key)):
            instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=day))
            n_reported += 1
    return n_reported


def _stored_days(home: Home) -> Mapping[dg.AssetKey, set[str]]:
    landed_days = {folder.name.partition("=")[2] for folder in home.landing.glob(landing.DAY_FOLDERS)}
    days_by_key = {asset_key("landing.listings"): landed_days, asset_key("landing.documents"): landed_days}
    for table in TABLES:
        if table.is_daily:
            days_by_key[asset_key(f"lake.{table.name}")] = {day.isoformat() for day in lake.days(home, table)}
    return days_by_key


@dg.op(name="delete_old_runs")
def prune_op(context: dg.OpExecutionContext, app_context: dg.ResourceParam[Context]) -> None:
    """Delete old runs, and report what they were the only proof of."""
    settings = app_context.settings
    origin = context.run.remote_job_origin
    before = app_context.clock() - timedelta(days=settings.keep_runs_days)
    n_deleted = delete_runs(context.instance, before, origin.location_name if origin else None)
    days = days_from(first_day(settings)).get_partition_keys(current_time=app_context.clock())
    n_reported = report_stored_days(context.instance, app_context.home.all_workspaces, days)
    age = plural(settings.keep_runs_days, "day")
    summary = f"Deleted {plural(n_deleted, 'run')} older than {age}; reported {plural(n_reported, 'day')}."
    context.log.info(summary)


@dg.job(name=PRUNE, description="Deletes old runs and their events. The data itself is not touched.")
def prune_job() -> None:
    """Delete old runs."""
    prune_op()


prune_schedule = dg.ScheduleDefinition(
    name=PRUNE,
    job=prune_job,
    cron_schedule=CRON,
    description="Every Sunday at 5:00 (UTC), deletes runs that are older than CONVOHOUSE_KEEP_RUNS_DAYS.",
)
