"""The jobs, and when the nightly one runs."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from pipelines.extract.time_window import next_window
from pipelines.orchestration.asset_keys import op_of
from pipelines.orchestration.assets.agent_access import GROUP
from pipelines.orchestration.assets.landing import DOCUMENTS, LISTINGS
from pipelines.orchestration.partitions import Asked, Scope, range_tags
from pipelines.usecases.context import Site
from warehouse.storage import landing

BACKFILL, NIGHTLY = "backfill", "nightly"
AT_TWO = "0 2 * * *"
EVERYWHERE = dg.RunConfig(
    ops={
        op_of(LISTINGS): Asked(everywhere=True),
        op_of(DOCUMENTS): Scope(everywhere=True),
        "lake": Scope(everywhere=True),
    }
)

WHOLE_WAY = dg.AssetSelection.all() - dg.AssetSelection.groups(GROUP)
"""All but what asks the API for more than conversations: that has jobs of its own."""

backfill = dg.define_asset_job(
    BACKFILL,
    WHOLE_WAY,
    description="The calls of some days, in one run over all of them; the run's config can limit it to one agent.",
)

nightly = dg.define_asset_job(
    NIGHTLY,
    WHOLE_WAY,
    config=EVERYWHERE,
    description="What is new since the last run, and what is open, changed or due to be read again on any day.",
)


def nightly_schedule(timezone: str) -> dg.ScheduleDefinition:
    """At two in the morning of ``timezone``, over the days that ``nightly_days`` says."""

    @dg.schedule(
        name=NIGHTLY,
        job=nightly,
        cron_schedule=AT_TWO,
        execution_timezone=timezone,
        description=f"Every night at two ({timezone}): what is new, open, changed or due.",
    )
    def schedule(context: dg.ScheduleEvaluationContext, site: dg.ResourceParam[Site]) -> dg.RunRequest:
        at = context.scheduled_execution_time.astimezone(UTC)
        return dg.RunRequest(at.isoformat(), run_config=EVERYWHERE, tags=range_tags(*nightly_days(site, at)))

    return schedule


def nightly_days(site: Site, at: datetime) -> tuple[date, date]:
    """First and last of the days that a nightly run is about: from the last complete listing less the look-back on.

    The first run of all is about the look-back alone, but copies all of history.
    """
    lookback = site.settings.lookback_days
    windows = (next_window(landing.listings(each.home), now=at, lookback_days=lookback) for each in site.each())
    return min(window.since or at - timedelta(days=lookback) for window in windows).date(), at.date()
