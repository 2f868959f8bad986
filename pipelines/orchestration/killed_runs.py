"""Runs whose process was killed: Dagster's launcher does not notice if its own server died too, and waits forever.

The process of a run holds a lock of the operating system until it ends, however it ends. A run that Dagster takes for
running while nobody holds its lock has been killed. The sensor ends it as failed, so the queue continues, and Dagster
starts it again (``run_retries`` in ``dagster.yaml``).
"""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from pipelines.orchestration.code_location import location_of, runs_of
from pipelines.usecases.context import Context

INTERVAL_SECS = 30
START_SECS = 300.0
"""Until then a run that has started has locked; it does so before its first step."""
KILLED = "The process of this run was killed, or its machine was restarted."
LOCK_SECS = 30.0
"""The sensor may have the lock for a moment, to look whether it is free."""
_locks: dict[str, FileLock] = {}
"""Locks of the runs of this process, until it ends: a run that succeeds says so after its last step."""


def context_resource(app_context: Context) -> dg.ResourceDefinition:
    """The context as a resource; whoever gets it in a run has locked the run."""

    def create(context: dg.InitResourceContext) -> Context:
        if context.run is not None and context.instance is not None and not context.instance.is_ephemeral:
            _hold(_folder(context.instance), context.run.run_id)
        return app_context

    return dg.ResourceDefinition(create)


def _hold(folder: Path, run_id: str) -> None:
    if run_id not in _locks:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(_file(folder, run_id), timeout=LOCK_SECS)
        lock.acquire()
        _locks[run_id] = lock


@dg.sensor(
    name="killed_runs",
    minimum_interval_seconds=INTERVAL_SECS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Ends runs as failed whose process was killed, so that the next one can start.",
)
def killed_runs_sensor(context: dg.SensorEvaluationContext, app_context: dg.ResourceParam[Context]) -> dg.SkipReason:
    """End the killed runs of this code location; the locks of other locations may be on other machines."""
    instance, folder = context.instance, _folder(context.instance)
    running_runs = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    killed_ids = []
    for record in runs_of(instance.get_run_records(running_runs), location_of(context)):
        run = record.dagster_run
        if not _is_held(folder, run.run_id) and _has_locked(folder, record, app_context):
            instance.report_run_failed(run, KILLED)
            killed_ids.append(run.run_id)
    for file in folder.glob("*.lock"):
        ended_run = instance.get_run_by_id(file.stem)
        if (ended_run is None or ended_run.is_finished) and not _is_held(folder, file.stem):
            file.unlink(missing_ok=True)  # not of a run that is about to lock it
    return dg.SkipReason(f"Ended as failed: {', '.join(killed_ids)}." if killed_ids else "No run was killed.")


def _has_locked(folder: Path, record: dg.RunRecord, app_context: Context) -> bool:
    """Whether the run had the time to lock."""
    if _file(folder, record.dagster_run.run_id).exists():
        return True
    started_at = record.start_time or record.create_timestamp.replace(tzinfo=UTC).timestamp()
    return app_context.clock().timestamp() - started_at > START_SECS


def _is_held(folder: Path, run_id: str) -> bool:
    file = _file(folder, run_id)
    if not file.exists():
        return False
    lock = FileLock(file, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        return True
    lock.release()
    return False


def remove_lock(instance: dg.DagsterInstance, run_id: str) -> None:
    """Remove the lock file of a run that was deleted."""
    if not instance.is_ephemeral:
        _file(_folder(instance), run_id).unlink(missing_ok=True)


def _folder(instance: dg.DagsterInstance) -> Path:
    return Path(instance.root_directory) / "running"


def _file(folder: Path, run_id: str) -> Path:
    return folder / f"{run_id}.lock"
