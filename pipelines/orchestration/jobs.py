"""The jobs, and when the nightly one runs."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from pipelines.extract.time_window import next_window
from pipelines.orchestration.asset_keys import op_name
from pipelines.orchestration.assets.agent_access import GROUP
from pipelines.orchestration.assets.landing import DOCUMENTS, LISTINGS
from pipelines.orchestration.partitions import RequestedDays, RunScope, range_tags
from pipelines.usecases.context import Context
from warehouse.storage import landing

BACKFILL, NIGHTLY = "backfill", "nightly"
NIGHTLY_CRON = "0 2 * * *"
ALL_ASSETS = dg.RunConfig(
    ops={
        op_name(LISTINGS): RequestedDays(everywhere=True),
        op_name(DOCUMENTS): RunScope(everywhere=True),
        "lake": RunScope(everywhere=True),
    }
)

FULL_PIPELINE = dg.AssetSelection.all() - dg.AssetSelection.groups(GROUP)
"""All but what asks the API for more than conversations: that has jobs of its own."""

backfill = dg.define_asset_job(
    BACKFILL,
    FULL_PIPELINE,
    description="The calls of some days, in one run over all of them; the run's config can limit it to one agent.",
)

nightly = dg.define_asset_job(
    NIGHTLY,
    FULL_PIPELINE,
    config=ALL_ASSETS,
    description="What is new since the last run, and what is open, changed or due to be read again on any day.",
)


def nightly_schedule(timezone: str) -> dg.ScheduleDefinition:
    """At two in the morning of ``timezone``, over the days that ``nightly_days`` says."""

    @dg.schedule(
        name=NIGHTLY,
        job=nightly,
        cron_schedule=NIGHTLY_CRON,
        execution_timezone=timezone,
        description=f"Every night at two ({timezone}): what is new, open, changed or due.",
    )
    def schedule(context: dg.ScheduleEvaluationContext, workspace_context: dg.ResourceParam[Context]) -> dg.RunRequest:
        at = context.scheduled_execution_time.astimezone(UTC)
        return dg.RunRequest(
            at.isoformat(), run_config=ALL_ASSETS, tags=range_tags(*nightly_range(workspace_context, at))
        )

    return schedule


def nightly_range(workspace_context: Context, at: datetime) -> tuple[date, date]:
    """First and last of the days that a nightly run is about: from the last complete listing less the look-back on.

    The first run of all is about the look-back alone, but copies all of history.
    """
    lookback = workspace_context.settings.lookback_days
    windows = (
        next_window(landing.listings(each.home), now=at, lookback_days=lookback)
        for each in workspace_context.workspaces()
    )
    return min(window.since or at - timedelta(days=lookback) for window in windows).date(), at.date()
