"""The SQL models and seeds as one multi-asset, because one build writes and checks all of them before the swap."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from pipelines.orchestration.asset_keys import KINDS, asset_key
from pipelines.orchestration.checks import check_results, check_spec
from pipelines.orchestration.metric_checks import AGENT_DAILY, ANOMALIES_CHECK, check_anomalies, newest_day_metrics
from pipelines.orchestration.run_session import fail_if, finish_run, step_session
from pipelines.orchestration.table_metadata import sql_table_schema, table_column_lineage
from pipelines.usecases import sync_steps
from pipelines.usecases.context import Context, Progress
from pipelines.usecases.published_removals import describe_problem, publish_removals
from warehouse.build.runner import BuildResult
from warehouse.models.build_tables import GENERATED_TABLES
from warehouse.models.data_quality import project_checks
from warehouse.models.lineage import column_lineage
from warehouse.models.project import Model, Project
from warehouse.models.seeds import Seed
from warehouse.storage.freshness import last_full_listing_at

SYNC_HEALTH = "metrics.sync_health"

_GENERATED = tuple(
    dg.AssetSpec(asset_key(table.key), description=table.description, group_name="seeds", kinds=KINDS["seeds"])
    for table in GENERATED_TABLES
)


def models_asset(project: Project, fresh_for: timedelta) -> dg.AssetsDefinition:
    """The multi-asset that builds the warehouse, with one asset per seed and model of ``project``.

    ``metrics.sync_health`` is materialized only by a run that lists all agents of every workspace up to now and is
    complete, so its freshness policy fails if there was no such run for ``fresh_for``.
    """
    models = [_model_spec(model, fresh_for) for model in project.models]

    @dg.multi_asset(
        name="warehouse",
        specs=[*map(_seed_spec, project.seeds), *_GENERATED, *models],
        check_specs=[*map(check_spec, project_checks(project)), ANOMALIES_CHECK],
        can_subset=True,
    )
    def warehouse(
        context: dg.AssetExecutionContext,
        app_context: dg.ResourceParam[Context],
        progress: dg.ResourceParam[Progress],
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        """Build and check every model, and swap the new warehouse in if every check passed."""
        with step_session(app_context, context.run.run_id, "building the warehouse") as workspaces:
            listed_before = list(map(_listed_at, workspaces))
            result = sync_steps.build_models(app_context, progress)
            removals = publish_removals(app_context, progress) if result.is_swapped else ()
            unreached = [describe_problem(removal) for removal in removals if removal.problem]
            problems = (*finish_run(workspaces, context.run.run_id, result.failed), *unreached)
            is_fresh = _is_news(listed_before, workspaces, fresh_for)
        if result.is_swapped:
            yield from _materializations(
                project,
                result,
                newest_day_metrics(app_context.home),
                context.selected_asset_keys - (set() if is_fresh else {asset_key(SYNC_HEALTH)}),
            )
            if ANOMALIES_CHECK.key in context.selected_asset_check_keys:
                yield check_anomalies(app_context.home)
        yield from check_results(result.checks, context.selected_asset_check_keys)
        fail_if(problems)

    return warehouse


def _materializations(
    project: Project, result: BuildResult, newest_day: Mapping[str, Any], selected: Collection[dg.AssetKey]
) -> Iterator[dg.MaterializeResult[None]]:
    """Materializations of the selected assets only, although the build has rebuilt every stale one.

    ``newest_day`` is metadata of ``metrics.agent_daily``.
    """
    for name in (*(table.key for table in GENERATED_TABLES), *(seed.key for seed in project.seeds)):
        if asset_key(name) in selected:
            yield dg.MaterializeResult(asset_key=asset_key(name))
    sources, models = column_lineage(project), project.by_key
    for model in result.models:
        if asset_key(model.key) in selected:
            yield dg.MaterializeResult(
                asset_key=asset_key(model.key),
                metadata={
                    "dagster/row_count": model.n_rows,
                    "dagster/column_schema": sql_table_schema(models[model.key], model.types),
                    "dagster/column_lineage": table_column_lineage(sources[model.key]),
                    "elapsed_secs": model.secs,
                    "is_reused": model.is_reused,
                    "is_incremental": model.is_incremental,
                    **(newest_day if model.key == AGENT_DAILY else {}),
                },
            )


def _listed_at(workspace: Context) -> datetime | None:
    return last_full_listing_at(workspace.home, now=workspace.clock())


def _is_news(before: Sequence[datetime | None], workspaces: Sequence[Context], fresh_for: timedelta) -> bool:
    """Whether this run listed every workspace further than ``before``, and up to a time that is fresh."""
    for listed_before, workspace in zip(before, workspaces, strict=True):
        listed_at = _listed_at(workspace)
        if listed_at in {None, listed_before} or workspace.clock() - listed_at > fresh_for:
            return False
    return True


def _model_spec(model: Model, fresh_for: timedelta) -> dg.AssetSpec:
    return dg.AssetSpec(
        asset_key(model.key),
        deps=[asset_key(source) for source in model.reads],
        description=model.header.description,
        group_name=model.schema,
        kinds=KINDS["model"],
        code_version=model.sha256,
        skippable=model.key == SYNC_HEALTH,
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
