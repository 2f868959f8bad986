"""Landed webhooks reach the warehouse: a sensor that sees them, and the job that it starts. Off until switched on."""

from datetime import date

import dagster as dg
import polars as pl

from pipelines.orchestration.partitions import RunScope, range_tags
from pipelines.transform.refresh_lake import stale_snapshots
from pipelines.usecases.context import Context
from warehouse.models.project import SCHEMAS

NAME = "webhooks"
INTERVAL_SECS = 60
ACTIVE_STATUSES = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

webhook_job = dg.define_asset_job(
    NAME,
    dg.AssetSelection.groups("lake", "seeds", *SCHEMAS),
    config=dg.RunConfig(ops={"lake": RunScope(everywhere=True)}),
    description="Flatten what is landed, and build; the API is not asked.",
)


@dg.sensor(
    name=NAME,
    job=webhook_job,
    minimum_interval_seconds=INTERVAL_SECS,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Whenever the landing holds what the lake does not show: webhooks that came since.",
)
def webhook_sensor(
    context: dg.SensorEvaluationContext, workspace_context: dg.ResourceParam[Context]
) -> dg.RunRequest | dg.SkipReason:
    """Ask for a run over the days of what landed, once for each latest reading, unless a run is on its way."""
    if context.instance.get_runs_count(dg.RunsFilter(statuses=ACTIVE_STATUSES)):
        return dg.SkipReason("A run is on its way.")
    stale = pl.concat(
        [
            stale_snapshots(each.home).select("start_date", "fetched_at")
            for each in workspace_context.workspaces_with_data()
        ]
    )
    if stale.is_empty():
        return dg.SkipReason("The lake shows all that is landed.")
    days: list[date] = stale["start_date"].sort().to_list()
    latest = stale["fetched_at"].sort().to_list()[-1]
    return dg.RunRequest(f"{latest.isoformat()}/{stale.height}", tags=range_tags(days[0], days[-1]))
