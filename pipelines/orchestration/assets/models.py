"""The SQL models and seeds as one multi-asset, because one build writes and checks all of them before the swap."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import dagster as dg

from pipelines.orchestration.asset_keys import KINDS, asset_key, table_name
from pipelines.orchestration.checks import check_evaluations, check_specs
from pipelines.orchestration.code_location import is_in_run
from pipelines.orchestration.metric_checks import AGENT_DAILY, ANOMALIES_CHECK, check_anomalies, newest_day_metrics
from pipelines.orchestration.publish_target import publish_before_failing
from pipelines.orchestration.run_session import fail_if, step_session
from pipelines.orchestration.table_metadata import (
    ColumnTypes,
    Sources,
    code_reference,
    generated_table_schema,
    sql_table_schema,
    table_column_lineage,
)
from pipelines.usecases import sync_steps
from pipelines.usecases.context import Context, Progress
from pipelines.usecases.published_removals import describe_problem, publish_removals
from pipelines.usecases.run_session import describe_failed_check, end_copy, finish_runs
from warehouse.build.runner import BuildResult
from warehouse.models.build_tables import GENERATED_TABLES
from warehouse.models.checks import CONSTRAINTS
from warehouse.models.data_quality import project_checks
from warehouse.models.lineage import column_lineage
from warehouse.models.project import Model, Project
from warehouse.models.seeds import Seed
from warehouse.serve.value_format import plural
from warehouse.storage.freshness import last_full_listing_at

SEEDS = "seeds."
SYNC_HEALTH = "metrics.sync_health"

_GENERATED = tuple(
    dg.AssetSpec(
        asset_key(table.key),
        description=table.description,
        group_name="seeds",
        kinds=KINDS["seeds"],
        skippable=True,
        metadata={"dagster/column_schema": generated_table_schema(table)},
    )
    for table in GENERATED_TABLES
)


def models_asset(
    project: Project,
    fresh_for: timedelta,
    types: ColumnTypes | None = None,
    read_elsewhere: Collection[dg.AssetKey] = (),
) -> dg.AssetsDefinition:
    """The multi-asset that builds the warehouse, with one asset per seed and model of ``project``.

    ``metrics.sync_health`` is materialized only by a run that lists all agents of every workspace up to now and is
    complete, so its freshness policy fails if there was no such run for ``fresh_for``.

    Args:
        project: The models.
        fresh_for: See above.
        types: DuckDB types of columns by model, of the current warehouse.
        read_elsewhere: Models that assets of other steps depend on. Dagster skips a step if anything that it depends on
            was not materialized, so these are materialized by every run; of the others, only what was built again.
    """
    models = [_model_spec(model, fresh_for) for model in project.models]
    keys_of_every_run = {*read_elsewhere, asset_key(SYNC_HEALTH)}
    specs = list(_with_table_metadata(project, [*map(_seed_spec, project.seeds), *_GENERATED, *models], types or {}))

    @dg.multi_asset(
        name="warehouse",
        specs=specs,
        check_specs=[*check_specs(project_checks(project)), ANOMALIES_CHECK],
        can_subset=True,
    )
    def warehouse(
        context: dg.AssetExecutionContext,
        app_context: dg.ResourceParam[Context],
        progress: dg.ResourceParam[Progress],
    ) -> Iterator[dg.AssetMaterialization | dg.MaterializeResult[None] | dg.AssetCheckEvaluation]:
        """Build and check every model, and swap the new warehouse in if every check passed."""
        run_id = context.run.run_id
        with step_session(app_context, run_id, "building the warehouse") as workspaces:
            listed_before = list(map(_listed_at, workspaces))
            copy_problems = end_copy(workspaces, run_id, names_unread=True)
            sync_steps.flatten_after_update(workspaces, progress)
            result = sync_steps.build_models(app_context, progress)
            removals = publish_removals(app_context, progress) if result.is_swapped else ()
            shared_problems = [
                *map(describe_failed_check, result.failed),
                *(describe_problem(removal) for removal in removals if removal.problem),
            ]
            problems = finish_runs(workspaces, run_id, copy_problems, shared_problems, is_built=result.is_swapped)
            is_fresh = _is_newly_listed(listed_before, workspaces, fresh_for)
        context.log.info(_summary(result))
        if result.is_swapped:
            metadata = _metadata_by_key(result, newest_day_metrics(app_context.home))
            keys = [  # in build order
                spec.key
                for spec in specs
                if spec.key in context.selected_asset_keys and (is_fresh or spec.key != asset_key(SYNC_HEALTH))
            ]
            is_by_hand = bool(context.run.asset_selection)  # what somebody has chosen is logged, reused or not
            yield from _materializations(keys, metadata, keys if is_by_hand else keys_of_every_run)
            if ANOMALIES_CHECK.key in context.selected_asset_check_keys:
                yield check_anomalies(app_context.home)
        yield from check_evaluations(result.checks, context.selected_asset_check_keys)
        if problems and result.is_swapped:
            problems = (*problems, *publish_before_failing(context, app_context, progress))
        fail_if(problems)

    return warehouse


def _summary(result: BuildResult) -> str:
    n_reused = sum(model.is_reused for model in result.models)
    n_repeated = sum(not check.is_reused for check in result.checks)
    return (
        f"Built {plural(len(result.models) - n_reused, 'model')} and reused {n_reused}; "
        f"{plural(n_repeated, 'check')} run, {len(result.failed)} failed. "
        f"The warehouse was {'replaced' if result.is_swapped else 'kept as it was'}."
    )


def _metadata_by_key(result: BuildResult, newest_day: Mapping[str, Any]) -> dict[dg.AssetKey, dict[str, Any]]:
    """Metadata by asset of what the build has built, without what it reused; ``newest_day`` is of the agents' days.

    A seed was read again if its checks were run again. A view has no rows of its own: a build that reuses anything
    leaves it as it is.
    """
    constraints = [check for check in result.checks if check.check.group == CONSTRAINTS]
    repeated_models = {check.check.model for check in constraints if not check.is_reused}
    metadata: dict[dg.AssetKey, dict[str, Any]] = {
        asset_key(name): {} for name in repeated_models if name.startswith(SEEDS)
    }
    is_full = not any(model.is_reused for model in result.models)
    models = [model for model in result.models if not model.is_reused and (is_full or model.n_rows is not None)]
    if models:
        metadata |= {asset_key(table.key): {} for table in GENERATED_TABLES}
    for model in models:
        metadata[asset_key(model.key)] = {
            **({} if model.n_rows is None else {"dagster/row_count": model.n_rows}),
            "elapsed_secs": model.secs,
            "is_incremental": model.is_incremental,
            **(newest_day if model.key == AGENT_DAILY else {}),
        }
    return metadata


def _materializations(
    keys: Iterable[dg.AssetKey],
    metadata: Mapping[dg.AssetKey, Mapping[str, Any]],
    keys_of_every_run: Collection[dg.AssetKey],
) -> Iterator[dg.AssetMaterialization | dg.MaterializeResult[None]]:
    """Materializations of what has ``metadata``, and of ``keys_of_every_run``, in the order of ``keys``.

    A plain ``AssetMaterialization`` is one event, a ``MaterializeResult``, for which other steps wait, is two.
    """
    for key in keys:
        if key in keys_of_every_run:
            yield dg.MaterializeResult(asset_key=key, metadata=metadata.get(key, {}))
        elif key in metadata:
            yield dg.AssetMaterialization(key, metadata=metadata[key])


def _listed_at(workspace: Context) -> datetime | None:
    return last_full_listing_at(workspace.home, now=workspace.clock())


def _is_newly_listed(before: Sequence[datetime | None], workspaces: Sequence[Context], fresh_for: timedelta) -> bool:
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
        skippable=True,
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=fresh_for) if model.key == SYNC_HEALTH else None,
        metadata={
            "sql": dg.MetadataValue.md(f"```sql\n{model.sql}\n```"),
            **code_reference(model.path),
        },
    )


def _seed_spec(seed: Seed) -> dg.AssetSpec:
    return dg.AssetSpec(
        asset_key(seed.key),
        description=seed.header.description,
        group_name="seeds",
        kinds=KINDS["seeds"],
        skippable=True,
        metadata={"dagster/column_schema": sql_table_schema(seed, seed.header.types), **code_reference(seed.path)},
    )


def _with_table_metadata(project: Project, specs: Iterable[dg.AssetSpec], types: ColumnTypes) -> Iterator[dg.AssetSpec]:
    """Columns and their lineage as metadata of the definitions of models: on each event, they were most of the log."""
    sources, models = _column_lineage(project), project.by_key
    for spec in specs:
        name = table_name(spec.key)
        if name in models:
            columns = sql_table_schema(models[name], types.get(name, {}))
            lineage = table_column_lineage(sources.get(name, {}))
            yield spec.merge_attributes(metadata={"dagster/column_schema": columns, "dagster/column_lineage": lineage})
        else:
            yield spec


def _column_lineage(project: Project) -> Mapping[str, Sources]:
    """Direct sources of every column; none in a run: to trace them takes a second, and only the location shows them."""
    return {} if is_in_run() else column_lineage(project)
