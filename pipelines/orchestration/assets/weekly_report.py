"""The report of a week as an asset, with a job and a schedule of its own, which is off until it is switched on."""

import dagster as dg

from pipelines.orchestration.asset_keys import asset_key
from pipelines.orchestration.assets.agent_access import GROUP
from pipelines.orchestration.run_session import errors_as_failures
from pipelines.usecases.context import Context
from warehouse.errors import MissingPackageError

REPORT = asset_key("reports.weekly")
WEEKLY_REPORT = "weekly_report"
WEEKLY_CRON = "0 6 * * 1"


@dg.asset(
    key=REPORT,
    deps=[asset_key("metrics.agent_daily"), asset_key("metrics.anomalies")],
    group_name=GROUP,
    kinds={"python", "html"},
)
def weekly_report(app_context: dg.ResourceParam[Context]) -> dg.MaterializeResult[None]:
    """The overview of the last seven days that are over, as one HTML file in `reports/` of the home folder.

    It has numbers only, and nothing of a conversation. It needs the extra `page`.

    If this fails, nothing was built yet, there is no conversation, or the packages of the extra are not installed.
    """
    try:
        from pipelines.page.weekly import write_weekly_report  # noqa: PLC0415 - an extra, which may not be installed
    except ModuleNotFoundError as error:
        raise dg.Failure(str(MissingPackageError(str(error.name), extra="page")), allow_retries=False) from None
    with errors_as_failures():
        file, period = write_weekly_report(app_context)
    return dg.MaterializeResult(
        asset_key=REPORT,
        metadata={
            "file": dg.MetadataValue.path(file),
            "first_date": str(period.first),
            "last_date": str(period.last),
        },
    )


weekly_report_job = dg.define_asset_job(
    WEEKLY_REPORT,
    dg.AssetSelection.assets(REPORT),
    description="Writes the overview of the last seven days as one HTML file.",
)


def weekly_report_schedule(timezone: str) -> dg.ScheduleDefinition:
    """Mondays at 6:00 of ``timezone``, after the night; off by default."""
    return dg.ScheduleDefinition(
        name=WEEKLY_REPORT,
        job=weekly_report_job,
        cron_schedule=WEEKLY_CRON,
        execution_timezone=timezone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description=f"Mondays at 6:00 ({timezone}), writes the report of the week; off until you switch it on.",
    )
