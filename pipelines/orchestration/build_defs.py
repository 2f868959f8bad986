"""Everything that Dagster is told, with resources that a test can replace."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from pipelines.orchestration.assets.agent_access import access_job, agent_access
from pipelines.orchestration.assets.audio import audio_job, recordings
from pipelines.orchestration.assets.lake import lake_tables
from pipelines.orchestration.assets.landing import conversation_details, conversation_list
from pipelines.orchestration.assets.models import models_asset
from pipelines.orchestration.assets.reference_data import prices, tools
from pipelines.orchestration.jobs import backfill, nightly, nightly_schedule
from pipelines.orchestration.webhook_sensor import webhook_job, webhook_sensor
from pipelines.settings import load_settings
from pipelines.usecases.context import Context, Progress, no_progress
from warehouse.models.project import read_project


def build_defs(*, workspace_context: Context | None = None, progress: Progress = no_progress) -> dg.Definitions:
    """The definitions: assets, checks, jobs, schedule.

    Loading them reads settings and ``sql/`` and touches nothing else: no network, no key, no home folder.

    Args:
        workspace_context: Where the work is done and with what; by default, what the settings say.
        progress: Told how far a run is.

    Raises:
        SettingsError: a setting is wrong.
        ModelError: a SQL model cannot be read.
    """
    workspace_context = workspace_context or Context(load_settings())
    fresh_for = timedelta(hours=workspace_context.settings.fresh_hours)
    return dg.Definitions(
        assets=[
            conversation_list,
            conversation_details,
            tools,
            prices,
            agent_access,
            recordings,
            lake_tables,
            models_asset(read_project(), fresh_for),
        ],
        jobs=[nightly, backfill, access_job, audio_job, webhook_job],
        sensors=[webhook_sensor],
        schedules=[nightly_schedule(workspace_context.settings.timezone)],
        resources={"workspace_context": workspace_context, "progress": progress},
        executor=dg.in_process_executor,  # six trivial assets take 15 s in it and 49 s in a process each
    )
