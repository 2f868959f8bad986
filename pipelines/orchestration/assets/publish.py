"""One asset per target ``[publish.<name>]`` of the settings; without any, there is none."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from pipelines.errors import SettingsError
from pipelines.orchestration.asset_keys import asset_key
from pipelines.orchestration.assets.models import SYNC_HEALTH
from pipelines.orchestration.publish_target import GROUP, publish_target
from pipelines.settings import Settings
from pipelines.settings_types import PublishTarget
from pipelines.usecases.context import Context, Progress
from warehouse.models.project import Project
from warehouse.publish.source import select_tables, table_names
from warehouse.publish.target import DEFAULT_SELECTION
from warehouse.serve.value_format import plural


def publish_assets(settings: Settings, project: Project) -> list[dg.AssetsDefinition]:
    """The assets of the targets, which depend on the tables that are published there.

    Every run that builds publishes, whether anything has changed or not, so the freshness policy of a target fails if
    it was not brought up to date for ``fresh_hours``.

    Raises:
        SettingsError: a table of the settings is none.
    """
    fresh_for = timedelta(hours=settings.fresh_hours)
    return [_publish_asset(name, config, project, fresh_for) for name, config in settings.publish.items()]


def _publish_asset(name: str, config: PublishTarget, project: Project, fresh_for: timedelta) -> dg.AssetsDefinition:
    target = config.parsed()
    try:
        tables = select_tables(table_names(project), config.tables or DEFAULT_SELECTION[target.format])
    except KeyError as error:
        raise SettingsError(f"[publish.{name}] cannot be used: there is no table {error.args[0]}.") from None

    @dg.asset(
        key=asset_key(f"{GROUP}.{name}"),
        group_name=GROUP,
        kinds={target.format},
        metadata={"dagster/uri": target.url},
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=fresh_for),
        # not on metrics.sync_health, which not every run materializes: Dagster would skip this asset then
        deps=[asset_key(table) for table in tables if table != SYNC_HEALTH],
        description=f"Copies {plural(len(tables), 'table')} to {target.url}. If this fails, the target could not be "
        "reached or refused the credentials; what is there stays as it was, and the next run or `convohouse publish` "
        "tries again.",
    )
    def published(
        app_context: dg.ResourceParam[Context], progress: dg.ResourceParam[Progress]
    ) -> dg.MaterializeResult[None]:
        return dg.MaterializeResult(metadata=publish_target(app_context, name, progress))

    return published
