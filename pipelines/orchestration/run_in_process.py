"""The backfill job in this process, for the command line: the same run that Dagster's page starts and shows."""

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
from pipelines.orchestration.jobs import BACKFILL
from pipelines.orchestration.partitions import range_tags
from pipelines.usecases.context import Context, Progress, no_progress

INSTANCE_FILE = "dagster.yaml"
QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; ``errors`` are texts for people, a line a problem."""

    run_id: str
    is_success: bool
    errors: tuple[str, ...]


def run_job(
    workspace_context: Context, *, since: datetime, until: datetime, progress: Progress = no_progress
) -> Outcome:
    """Copy the calls that started in [since, until), in one run.

    Where ``dagster.yaml`` is in the current folder, Dagster's page at this folder shows the run; elsewhere Dagster
    keeps nothing.
    """
    asked = {"since": since.isoformat(), "until": until.isoformat()}
    job = build_defs(workspace_context=workspace_context, progress=progress).resolve_job_def(BACKFILL)
    with _instance(Path.cwd()) as instance:
        result = job.execute_in_process(
            run_config={"ops": {op_name(LISTINGS): {"config": asked}}, "loggers": QUIET},
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
    """Why the steps of a run failed, a line a problem; of what nobody foresaw, the first cause."""
    for event in result.filter_events(lambda event: event.is_step_failure):
        failure = event.step_failure_data
        if failure.user_failure_data and failure.user_failure_data.description:
            yield from failure.user_failure_data.description.splitlines()
        elif cause := failure.error:
            while cause.cause:
                cause = cause.cause
            yield cause.message.strip()
