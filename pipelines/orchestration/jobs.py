"""The jobs over the whole pipeline, and the schedule of the nightly one."""

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
"""Every asset except those of the group ``upstream``, which have their own jobs."""

backfill = dg.define_asset_job(
    BACKFILL,
    FULL_PIPELINE,
    description="Copies the conversations of a range of days, in one run. "
    "The run config can limit it to one agent or to a part of a day.",
)

nightly = dg.define_asset_job(
    NIGHTLY,
    FULL_PIPELINE,
    config=ALL_ASSETS,
    description="Copies what is new since the last run, and fetches again what is open, changed or due on any day. "
    "Several workspaces are copied one after the other.",
)


def nightly_schedule(timezone: str) -> dg.ScheduleDefinition:
    """Runs at 2:00 of ``timezone``, over the days of ``nightly_range``."""

    @dg.schedule(
        name=NIGHTLY,
        job=nightly,
        cron_schedule=NIGHTLY_CRON,
        execution_timezone=timezone,
        description=f"Every night at 2:00 ({timezone}), copies what is new, open, changed or due.",
    )
    def schedule(context: dg.ScheduleEvaluationContext, app_context: dg.ResourceParam[Context]) -> dg.RunRequest:
        at = context.scheduled_execution_time.astimezone(UTC)
        return dg.RunRequest(at.isoformat(), run_config=ALL_ASSETS, tags=range_tags(*nightly_range(app_context, at)))

    return schedule


def nightly_range(app_context: Context, at: datetime) -> tuple[date, date]:
    """First and last day of a nightly run, from the end of the last complete listing less the look-back.

    The first run of a home copies all of history, although its range has only the look-back.
    """
    lookback = app_context.settings.lookback_days
    windows = (
        next_window(landing.listings(workspace.home), now=at, lookback_days=lookback)
        for workspace in app_context.workspaces()
    )
    return min(window.since or at - timedelta(days=lookback) for window in windows).date(), at.date()
