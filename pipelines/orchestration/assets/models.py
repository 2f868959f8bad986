"""The SQL models as assets of one step: built together, checked together, swapped in together or not at all."""

from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from typing import Any

import dagster as dg

from pipelines.orchestration.asset_keys import KINDS, asset_key
from pipelines.orchestration.checks import check_results, check_spec
from pipelines.orchestration.metric_checks import AGENT_DAILY, ANOMALIES_CHECK, check_anomalies, newest_day_metrics
from pipelines.orchestration.run_session import fail_if, finish_run, step_session
from pipelines.orchestration.table_metadata import sql_table_schema, table_column_lineage
from pipelines.usecases import sync_steps
from pipelines.usecases.context import Context, Progress
from warehouse.build.runner import BuildResult
from warehouse.models.build_tables import GENERATED
from warehouse.models.checks import checks_of
from warehouse.models.lineage import column_lineage
from warehouse.models.project import Model, Project
from warehouse.models.seeds import Seed

SYNC_HEALTH = "metrics.sync_health"

_GENERATED = tuple(
    dg.AssetSpec(asset_key(each.key), description=each.description, group_name="seeds", kinds=KINDS["seeds"])
    for each in GENERATED
)


def models_asset(project: Project, fresh_for: timedelta) -> dg.AssetsDefinition:
    """The step that builds the warehouse: an asset a seed and a model of ``project``.

    The account of the sync is made last, by complete runs alone: when none came for ``fresh_for``, Dagster says so.
    """
    models = [_model_spec(model, fresh_for) for model in project.models]

    @dg.multi_asset(
        name="warehouse",
        specs=[*map(_seed_spec, project.seeds), *_GENERATED, *models],
        check_specs=[*map(check_spec, checks_of(project)), ANOMALIES_CHECK],
        can_subset=True,
    )
    def warehouse(
        context: dg.AssetExecutionContext,
        workspace_context: dg.ResourceParam[Context],
        progress: dg.ResourceParam[Progress],
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        """Build every model, check every model, and swap the new warehouse in when all is as it should be."""
        with step_session(workspace_context, context.run.run_id, "building") as workspace_contexts:
            built = sync_steps.build_models(workspace_context, progress)
            problems = finish_run(workspace_contexts, context.run.run_id, built.failed)
        if built.is_swapped:
            yield from _materializations(
                project, built, newest_day_metrics(workspace_context.home), context.selected_asset_keys
            )
            if ANOMALIES_CHECK.key in context.selected_asset_check_keys:
                yield check_anomalies(workspace_context.home)
        yield from check_results(built.checks, context.selected_asset_check_keys)
        fail_if(problems)

    return warehouse


def _materializations(
    project: Project, built: BuildResult, numbers: Mapping[str, Any], selected: Collection[dg.AssetKey]
) -> Iterator[dg.MaterializeResult[None]]:
    """What was made of the selected assets; the others were made as well, as each build makes all that is stale.

    ``numbers`` are those of the newest day, shown on the asset of days.
    """
    for seed in (*(each.key for each in GENERATED), *(seed.key for seed in project.seeds)):
        if asset_key(seed) in selected:
            yield dg.MaterializeResult(asset_key=asset_key(seed))
    sources, models = column_lineage(project), project.by_key
    for made in built.models:
        if asset_key(made.key) in selected:
            yield dg.MaterializeResult(
                asset_key=asset_key(made.key),
                metadata={
                    "dagster/row_count": made.n_rows,
                    "dagster/column_schema": sql_table_schema(models[made.key], made.types),
                    "dagster/column_lineage": table_column_lineage(sources[made.key]),
                    "elapsed_secs": made.secs,
                    "is_kept": made.is_reused,
                    "is_patched": made.is_incremental,
                    **(numbers if made.key == AGENT_DAILY else {}),
                },
            )


def _model_spec(model: Model, fresh_for: timedelta) -> dg.AssetSpec:
    return dg.AssetSpec(
        asset_key(model.key),
        deps=[asset_key(read) for read in model.reads],
        description=model.header.description,
        group_name=model.schema,
        kinds=KINDS["model"],
        code_version=model.sha256,
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=fresh_for) if model.key == SYNC_HEALTH else None,
        metadata={"dagster/table_name": model.key, "sql": dg.MetadataValue.md(f"```sql\n{model.sql}\n```")},
    )


def _seed_spec(seed: Seed) -> dg.AssetSpec:
    return dg.AssetSpec(
        asset_key(seed.key),
        description=seed.header.description,
        group_name="seeds",
        kinds=KINDS["seeds"],
        metadata={"dagster/column_schema": sql_table_schema(seed, seed.header.types)},
    )
