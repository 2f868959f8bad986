"""The sensor that starts a job when webhooks have landed; it is off until switched on in Dagster's UI."""

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
    description="Flattens what was landed and builds the warehouse, without a request to the API.",
)


@dg.sensor(
    name=NAME,
    job=webhook_job,
    minimum_interval_seconds=INTERVAL_SECS,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description="Starts the job when the landing has snapshots that the lake lacks, such as those of webhooks.",
)
def webhook_sensor(
    context: dg.SensorEvaluationContext, app_context: dg.ResourceParam[Context]
) -> dg.RunRequest | dg.SkipReason:
    """Request a run over the days of new snapshots, unless a run is active.

    The run key is the time of the latest snapshot with their number, so the same snapshots are requested only once.
    """
    if context.instance.get_runs_count(dg.RunsFilter(statuses=ACTIVE_STATUSES)):
        return dg.SkipReason("A run is active.")
    stale = pl.concat(
        [
            stale_snapshots(workspace.home).select("start_date", "fetched_at")
            for workspace in app_context.workspaces_with_data()
        ]
    )
    if stale.is_empty():
        return dg.SkipReason("The lake has every landed snapshot.")
    days: list[date] = stale["start_date"].sort().to_list()
    latest = stale["fetched_at"].sort().to_list()[-1]
    return dg.RunRequest(f"{latest.isoformat()}/{stale.height}", tags=range_tags(days[0], days[-1]))
