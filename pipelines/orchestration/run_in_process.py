"""Runs the backfill job in this process, for the command line; it is the same job that Dagster's UI can start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from pipelines.orchestration.asset_keys import op_name
from pipelines.orchestration.assets.landing import LISTINGS
from pipelines.orchestration.build_defs import build_defs
from pipelines.orchestration.partitions import BACKFILL, range_tags
from pipelines.usecases.context import Context, Progress, no_progress

INSTANCE_FILE = "dagster.yaml"
QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a run; ``errors`` has one line per problem."""

    run_id: str
    is_success: bool
    errors: tuple[str, ...]


def run_job(app_context: Context, *, since: datetime, until: datetime, progress: Progress = no_progress) -> Outcome:
    """Copy the conversations that started in [since, until), in one run.

    If the current folder has a ``dagster.yaml``, the run is stored as it says and appears in Dagster's UI; otherwise
    Dagster stores nothing.
    """
    config = {"since": since.isoformat(), "until": until.isoformat()}
    job = build_defs(app_context=app_context, progress=progress).resolve_job_def(BACKFILL)
    with _instance(Path.cwd()) as instance:
        result = job.execute_in_process(
            run_config={"ops": {op_name(LISTINGS): {"config": config}}, "loggers": QUIET},
            instance=instance,
            raise_on_error=False,
            tags=range_tags(since.astimezone(UTC).date(), (until - timedelta(microseconds=1)).astimezone(UTC).date()),
        )
    return Outcome(result.run_id, result.success, tuple(step_errors(result)))


def _instance(folder: Path) -> AbstractContextManager[dg.DagsterInstance]:
    if (folder / INSTANCE_FILE).is_file():
        return dg.DagsterInstance.from_config(str(folder))
    return dg.DagsterInstance.ephemeral()


def step_errors(result: dg.ExecuteInProcessResult) -> Iterator[str]:
    """Why the steps of a run failed, one line per problem; an unexpected exception is reduced to its root cause."""
    for event in result.filter_events(lambda event: event.is_step_failure):
        failure = event.step_failure_data
        if failure.user_failure_data and failure.user_failure_data.description:
            yield from failure.user_failure_data.description.splitlines()
        elif cause := failure.error:
            while cause.cause:
                cause = cause.cause
            yield cause.message.strip()
