"""Runs the backfill job in this process, for the command line; it is the same job that Dagster's UI can start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from pipelines.orchestration.asset_keys import op_name
from pipelines.orchestration.assets.landing import LISTINGS
from pipelines.orchestration.build_defs import build_defs
from pipelines.orchestration.instance import open_instance
from pipelines.orchestration.partitions import BACKFILL, range_tags
from pipelines.orchestration.run_errors import failure_lines
from pipelines.usecases.context import Context, Progress, no_progress

ON_THE_PAGE = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("pipelines.definitions"), "__repository__")
"""The code location as `convohouse dev` names it: Dagster's page shows only runs that belong to one. This, and so how
the run is made, is not public in Dagster, whose version is pinned."""
NOT_AGAIN = {"dagster/max_retries": "0"}
"""Dagster must not start a killed run of a command again: it would use another home folder, and another API."""
QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}


@dataclass(frozen=True, slots=True)
class JobResult:
    """How a run ended; ``errors`` has one line per problem."""

    run_id: str
    is_success: bool
    errors: tuple[str, ...]


def run_job(app_context: Context, *, since: datetime, until: datetime, progress: Progress = no_progress) -> JobResult:
    """Copy the conversations that started in [since, until), in one run.

    The run is stored and appears in Dagster's page (``instance_folder``).
    """
    config = {"since": since.isoformat(), "until": until.isoformat()}
    job = build_defs(app_context=app_context, progress=progress).resolve_job_def(BACKFILL)
    with open_instance(Path.cwd()) as instance:
        run = instance.create_run_for_job(
            job,
            run_config={"ops": {op_name(LISTINGS): {"config": config}}, "loggers": QUIET},
            tags={
                **NOT_AGAIN,
                **range_tags(since.astimezone(UTC).date(), (until - timedelta(microseconds=1)).astimezone(UTC).date()),
            },
            remote_job_origin=RemoteJobOrigin(ON_THE_PAGE, BACKFILL),
        )
        errors = tuple(failure_lines(list(execute_run_iterator(InMemoryJob(job), run, instance))))
        ended_run = instance.get_run_by_id(run.run_id)
    return JobResult(run.run_id, bool(ended_run and ended_run.is_success), errors)
