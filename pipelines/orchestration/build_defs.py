"""Dagster's ``Definitions``, with resources that a test can replace."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from pipelines.orchestration.alert_sensor import alert_sensor
from pipelines.orchestration.asset_operations import with_settings
from pipelines.orchestration.assets.agent_access import access_job, agent_access
from pipelines.orchestration.assets.audio import audio_job, recordings
from pipelines.orchestration.assets.engine_tables import ENGINE_TARGET, engine_tables_assets
from pipelines.orchestration.assets.lake import lake_tables
from pipelines.orchestration.assets.landing import conversation_details, conversation_list
from pipelines.orchestration.assets.models import models_asset
from pipelines.orchestration.assets.publish import publish_assets
from pipelines.orchestration.assets.reference_data import agents, batches, bills, prices, tags, tools
from pipelines.orchestration.assets.weekly_report import weekly_report, weekly_report_job, weekly_report_schedule
from pipelines.orchestration.jobs import backfill, nightly_job, nightly_schedule
from pipelines.orchestration.killed_runs import context_resource, killed_runs_sensor
from pipelines.orchestration.partitions import first_day
from pipelines.orchestration.prune import prune_job, prune_schedule
from pipelines.orchestration.table_metadata import column_types
from pipelines.orchestration.webhook_sensor import webhook_job, webhook_sensor
from pipelines.settings import load_settings
from pipelines.usecases.context import Context, Progress, no_progress
from pipelines.usecases.engine_build import EngineTarget
from warehouse.models.project import read_project


def build_defs(*, app_context: Context | None = None, progress: Progress = no_progress) -> dg.Definitions:
    """Build the definitions: assets, checks, jobs, schedules and sensors.

    This reads the settings, ``sql/`` and, if there is one, the home folder (first day, types of columns). It needs no
    network and no key, and writes nothing.

    Args:
        app_context: Settings, clock and API client of the runs; by default read from the environment.
        progress: Called during a run with the number of items done.

    Raises:
        SettingsError: a setting is wrong.
        ModelError: a SQL model cannot be parsed.
    """
    app_context = app_context or Context(load_settings())
    settings = app_context.settings
    fresh_for = timedelta(hours=settings.fresh_hours)
    project, engine_target = read_project(), EngineTarget.of(app_context)
    assets = [  # those that a nightly run has, but the models: those that read models among them
        conversation_list,
        conversation_details,
        tools,
        prices,
        agents,
        batches,
        tags,
        bills,
        agent_access,
        recordings,
        lake_tables,
        *publish_assets(settings, project),
        *engine_tables_assets(engine_target, project, fresh_for),
    ]
    today = max(app_context.clock().date(), first_day(settings))
    nightly, webhooks = nightly_job(today), webhook_job(today)
    read_elsewhere = {dep.asset_key for asset in assets for spec in asset.specs for dep in spec.deps}
    models = models_asset(project, fresh_for, column_types(app_context.home), read_elsewhere)
    return dg.Definitions(
        assets=with_settings([*assets, models, weekly_report], settings),
        jobs=[nightly, backfill, access_job, audio_job, webhooks, prune_job, weekly_report_job],
        sensors=[webhook_sensor(webhooks, settings.webhooks_every_minutes), alert_sensor, killed_runs_sensor],
        schedules=[
            nightly_schedule(settings.timezone, nightly),
            prune_schedule,
            weekly_report_schedule(settings.timezone),
        ],
        resources={
            "app_context": context_resource(app_context),
            "progress": progress,
            **({ENGINE_TARGET: engine_target} if engine_target else {}),
        },
        executor=dg.in_process_executor,  # six trivial assets take 15 s, against 49 s with a process for each
    )
