"""The sensor that starts a job when webhooks have landed; it is off until switched on in Dagster's UI."""

from datetime import date

import dagster as dg
import polars as pl

from pipelines.orchestration.asset_keys import PREFIX
from pipelines.orchestration.code_location import location_of, runs_of
from pipelines.orchestration.jobs import ACTIVE_STATUSES, RETRY_ALL_STEPS, AssetJob
from pipelines.orchestration.partitions import WEBHOOKS, day_tag, first_day
from pipelines.transform.refresh_lake import stale_snapshots
from pipelines.usecases.context import Context
from warehouse.models.project import SCHEMAS


def webhook_job(today: date) -> AssetJob:
    """The job of the sensor; ``today`` as for the nightly one."""
    return dg.define_asset_job(
        WEBHOOKS,
        dg.AssetSelection.key_prefixes(*([*PREFIX, schema] for schema in ("lake", "seeds", *SCHEMAS))),
        tags={**RETRY_ALL_STEPS, **day_tag(today)},
        description="Flattens what was landed and builds the warehouse, without a request to the API.",
    )


def webhook_sensor(job: AssetJob, every_minutes: int) -> dg.SensorDefinition:
    """Starts the job when the landing has snapshots that the lake lacks.

    A run takes megabytes of Dagster's storage, however little has landed: a burst of deliveries has to share one.
    """

    @dg.sensor(
        name=WEBHOOKS,
        job=job,
        minimum_interval_seconds=every_minutes * 60,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Starts the job when the landing has snapshots that the lake lacks, such as those of webhooks.",
    )
    def sensor(
        context: dg.SensorEvaluationContext, app_context: dg.ResourceParam[Context]
    ) -> dg.RunRequest | dg.SkipReason:
        """Request a run, unless one is active.

        The run key is the time of the latest snapshot with their number, so the same snapshots are requested only once.
        """
        active_runs = context.instance.get_run_records(dg.RunsFilter(statuses=ACTIVE_STATUSES))
        if runs_of(active_runs, location_of(context)):
            return dg.SkipReason("A run is active.")
        snapshots = pl.concat(
            [
                stale_snapshots(workspace.home).select("start_date", "fetched_at")
                for workspace in app_context.workspaces_with_data()
            ]
        ).sort("fetched_at")
        if snapshots.is_empty():
            return dg.SkipReason("The lake has every landed snapshot.")
        day, latest = snapshots.row(-1)
        return dg.RunRequest(
            f"{latest.isoformat()}/{snapshots.height}", tags=day_tag(max(day, first_day(app_context.settings)))
        )

    return sensor
