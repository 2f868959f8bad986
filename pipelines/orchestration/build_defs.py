"""Dagster's ``Definitions``, with resources that a test can replace."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from pipelines.orchestration.assets.agent_access import access_job, agent_access
from pipelines.orchestration.assets.audio import audio_job, recordings
from pipelines.orchestration.assets.lake import lake_tables
from pipelines.orchestration.assets.landing import conversation_details, conversation_list
from pipelines.orchestration.assets.models import models_asset
from pipelines.orchestration.assets.reference_data import agents, batches, bills, prices, tools
from pipelines.orchestration.assets.weekly_report import weekly_report, weekly_report_job, weekly_report_schedule
from pipelines.orchestration.jobs import backfill, nightly, nightly_schedule
from pipelines.orchestration.webhook_sensor import webhook_job, webhook_sensor
from pipelines.settings import load_settings
from pipelines.usecases.context import Context, Progress, no_progress
from warehouse.models.project import read_project


def build_defs(*, app_context: Context | None = None, progress: Progress = no_progress) -> dg.Definitions:
    """Build the definitions: assets, checks, jobs, schedule and sensor.

    This reads the settings and ``sql/`` and nothing else: it needs no network, no key and no home folder.

    Args:
        app_context: Settings, clock and API client of the runs; by default read from the environment.
        progress: Called during a run with the number of items done.

    Raises:
        SettingsError: a setting is wrong.
        ModelError: a SQL model cannot be parsed.
    """
    app_context = app_context or Context(load_settings())
    fresh_for = timedelta(hours=app_context.settings.fresh_hours)
    return dg.Definitions(
        assets=[
            conversation_list,
            conversation_details,
            tools,
            prices,
            agents,
            batches,
            bills,
            agent_access,
            recordings,
            weekly_report,
            lake_tables,
            models_asset(read_project(), fresh_for),
        ],
        jobs=[nightly, backfill, access_job, audio_job, webhook_job, weekly_report_job],
        sensors=[webhook_sensor],
        schedules=[
            nightly_schedule(app_context.settings.timezone),
            weekly_report_schedule(app_context.settings.timezone),
        ],
        resources={"app_context": app_context, "progress": progress},
        executor=dg.in_process_executor,  # six trivial assets take 15 s, against 49 s with a process for each
    )
