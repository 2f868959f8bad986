"""The jobs over the whole pipeline, and the schedule of the nightly one."""

from datetime import UTC, date
from typing import Any

import dagster as dg

from pipelines.errors import ApiError
from pipelines.orchestration.asset_keys import UPSTREAM_GROUP
from pipelines.orchestration.code_location import LOCATION_TAG, has_prefix
from pipelines.orchestration.partitions import BACKFILL, NIGHTLY, day_tag, first_day
from pipelines.usecases.context import Context

AssetJob = Any
"""What ``define_asset_job`` returns; Dagster has no public name for it."""
NIGHTLY_CRON = "0 2 * * *"
RETRY_ALL_STEPS = {"dagster/retry_strategy": "ALL_STEPS"}
"""A run whose process was killed is started once more (``run_retries``), from its first step: it is fast where nothing
is left to do, and what it lists and counts belongs to one run."""

FULL_PIPELINE = dg.AssetSelection.all() - dg.AssetSelection.groups(UPSTREAM_GROUP)
"""Every asset except those of the group of requests on demand, which have their own jobs."""

backfill = dg.define_asset_job(
    BACKFILL,
    FULL_PIPELINE,
    tags=RETRY_ALL_STEPS,
    description="Copies the conversations of a range of days, in one run. "
    "The run config can limit it to one agent or to a part of a day.",
)

ACTIVE_STATUSES = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
"""Without NOT_STARTED: a run that never reached the queue, as while the code location restarts, has that for ever."""


def nightly_job(today: date) -> AssetJob:
    """The job without limits: its day is only the one that is logged even if nothing of it has changed.

    Dagster needs a day to run assets that have days. ``today`` is that of a run without one, as by ``dagster job
    launch``.
    """
    return dg.define_asset_job(
        NIGHTLY,
        FULL_PIPELINE,
        tags={**RETRY_ALL_STEPS, **LOCATION_TAG, **day_tag(today)},
        description="Copies what is new since the last run, and fetches again what is open, changed or due, on any "
        "day: whatever day is chosen does not limit it. Several workspaces are copied one after the other.",
    )


def nightly_schedule(timezone: str, job: AssetJob) -> dg.ScheduleDefinition:
    """Runs at 2:00 of ``timezone``."""

    @dg.schedule(
        name=NIGHTLY,
        job=job,
        cron_schedule=NIGHTLY_CRON,
        execution_timezone=timezone,
        description=f"Every night at 2:00 ({timezone}), copies what is new, open, changed or due.",
    )
    def schedule(
        context: dg.ScheduleEvaluationContext, app_context: dg.ResourceParam[Context]
    ) -> dg.RunRequest | dg.SkipReason:
        """A run, unless no workspace has a key or the run of the night before has not ended."""
        at = context.scheduled_execution_time.astimezone(UTC)
        if reason := missing_keys(app_context):
            return dg.SkipReason(reason)
        active_runs = context.instance.get_runs(dg.RunsFilter(job_name=NIGHTLY, statuses=ACTIVE_STATUSES))
        if any(map(has_prefix, active_runs)):
            return dg.SkipReason("The nightly run before has not ended; it copies up to its own time.")
        if at.date() < first_day(app_context.settings):
            return dg.SkipReason(f"The first day is {first_day(app_context.settings)}, as CONVOHOUSE_FIRST_DAY says.")
        return dg.RunRequest(at.isoformat(), tags=day_tag(at.date()))

    return schedule


def missing_keys(app_context: Context) -> str:
    """Why nothing can be copied: no workspace has a key; empty if one has."""
    reasons = []
    for workspace in app_context.workspaces():
        try:
            workspace.settings.key()
        except ApiError as error:
            reasons.append(str(error))
        else:
            return ""
    return " ".join(reasons)
