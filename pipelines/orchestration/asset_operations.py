"""What the settings say about assets: where they are, who owns them, and the first day that is a partition."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from pipelines.orchestration.asset_keys import GROUPS, schema_of, table_name
from pipelines.orchestration.beta import SINGLE_RUN, no_beta_warnings
from pipelines.orchestration.code_location import is_in_run
from pipelines.orchestration.partitions import DAYS, days_from, first_day
from pipelines.settings import Settings
from warehouse.models.project import SCHEMAS
from warehouse.storage.home import Home

_FOLDERS = {"documents": "", "recordings": "../audio"}
"""Folders below the landing of assets whose folder has another name."""


@no_beta_warnings()
def with_settings(assets: Sequence[dg.AssetsDefinition], settings: Settings) -> list[dg.AssetsDefinition]:
    """The assets with the days, owners, groups, tags, code links and locations that the settings imply."""
    # A run has the days that it was started with: what has landed since may say that the first day is a later one.
    days = DAYS if is_in_run() else days_from(first_day(settings))
    home = Home(settings.home.absolute())

    def completed(spec: dg.AssetSpec) -> dg.AssetSpec:
        group = spec.group_name or schema_of(spec.key)
        return spec.replace_attributes(
            group_name=GROUPS.get(group, group),
            partitions_def=days if spec.partitions_def == DAYS else spec.partitions_def,
            owners=[*spec.owners, *settings.owners],
        ).merge_attributes(
            tags={"layer": schema_of(spec.key)},
            metadata={
                "dagster/table_name": table_name(spec.key),
                "dagster/uri": _uri(home, spec.key),
                **spec.metadata,
            },
        )

    assets_with_code = dg.with_source_code_references(assets)
    return [
        asset.map_asset_specs(completed).with_attributes(backfill_policy=SINGLE_RUN)
        for asset in assets_with_code
        if isinstance(asset, dg.AssetsDefinition)
    ]


def _uri(home: Home, key: dg.AssetKey) -> str:
    schema, _, name = table_name(key).partition(".")
    if schema == "landing":
        return (home.landing / _FOLDERS.get(name, name)).resolve().as_uri()
    if schema in {"seeds", *SCHEMAS}:
        return f"{home.warehouse.as_uri()}#{schema}.{name}"
    return (home.root / schema / name).as_uri()
