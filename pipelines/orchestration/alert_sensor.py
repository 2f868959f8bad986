"""The sensor that sends alerts (``pipelines.usecases.alerts``), once a channel is set."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import dagster as dg

from pipelines.orchestration.code_location import location_of, runs_of
from pipelines.orchestration.run_errors import failure_lines
from pipelines.usecases.alerts import Alert, AlertState, channels, failed_run, find_alerts, send_new
from pipelines.usecases.context import Context

INTERVAL_SECS = 60
REMEMBERED = timedelta(days=7)
"""Failed runs that ended longer ago are not looked at again."""
OFF = "Alerts are off: set CONVOHOUSE_ALERT_WEBHOOK, or CONVOHOUSE_ALERT_SMTP and CONVOHOUSE_ALERT_MAIL_TO."


@dg.sensor(
    name="alerts",
    minimum_interval_seconds=INTERVAL_SECS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Sends to a webhook or a mail address, once: failed runs, stale data, unusual measures, unknown fields "
    "and the quarantine. It does nothing until one is set.",
)
def alert_sensor(context: dg.SensorEvaluationContext, app_context: dg.ResourceParam[Context]) -> dg.SkipReason:
    """Send what was not sent yet; if a channel does not take it, the tick fails, and the next one tries again."""
    if not channels(app_context.settings):
        return dg.SkipReason(OFF)
    now = app_context.clock()
    state = AlertState.read(app_context.home, now)
    failures = _failed_runs(context, app_context, max(state.since, now - REMEMBERED).timestamp())
    n_sent = send_new(app_context, [*failures, *find_alerts(app_context)], state)
    return dg.SkipReason(f"Messages sent: {n_sent}." if n_sent else "There is nothing new.")


def _failed_runs(context: dg.SensorEvaluationContext, app_context: Context, since: float) -> Iterator[Alert]:
    instance = context.instance
    failures = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE])
    for record in runs_of(instance.get_run_records(failures, limit=100), location_of(context)):
        run = record.dagster_run
        if (record.end_time or 0.0) >= since:
            events = (entry.dagster_event for entry in instance.all_logs(run.run_id) if entry.dagster_event)
            yield failed_run(run.run_id, run.job_name, list(failure_lines(events)), app_context.settings)
