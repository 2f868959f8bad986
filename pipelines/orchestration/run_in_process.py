"""Runs the backfill job in this process, for the command line; it is the same job that Dagster's UI can start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.orchestration.asset_keys import op_name
from pipelines.orchestration.assets.landing import LISTINGS
from pipelines.orchestration.build_defs import build_defs
from pipelines.orchestration.instance import open_instance
from pipelines.orchestration.partitions import BACKFILL, range_tags
from pipelines.orchestration.run_errors import step_errors
from pipelines.usecases.context import Context, Progress, no_progress

QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a run; ``errors`` has one line per problem."""

    run_id: str
    is_success: bool
    errors: tuple[str, ...]


def run_job(app_context: Context, *, since: datetime, until: datetime, progress: Progress = no_progress) -> Outcome:
    """Copy the conversations that started in [since, until), in one run.

    In the project's folder, or with ``DAGSTER_HOME``, the run is stored and appears in Dagster's page; elsewhere
    Dagster stores nothing.
    """
    config = {"since": since.isoformat(), "until": until.isoformat()}
    job = build_defs(app_context=app_context, progress=progress).resolve_job_def(BACKFILL)
    with open_instance(Path.cwd()) as instance:
        result = job.execute_in_process(
            run_config={"ops": {op_name(LISTINGS): {"config": config}}, "loggers": QUIET},
            instance=instance,
            raise_on_error=False,
            tags=range_tags(since.astimezone(UTC).date(), (until - timedelta(microseconds=1)).astimezone(UTC).date()),
        )
    return Outcome(result.run_id, result.success, tuple(step_errors(result)))
