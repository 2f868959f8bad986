"""The SQL models as assets of one step: built together, checked together, swapped in together or not at all."""

from collections.abc import Collection, Iterator

import dagster as dg

from pipelines import steps
from pipelines.orchestration.checks import results_of, spec_of
from pipelines.orchestration.doing import doing, end, stop_for
from pipelines.orchestration.keys import KINDS, key_of
from pipelines.orchestration.tables import lineage_of, schema_of_sql
from pipelines.site import Progress, Site
from warehouse import catalog
from warehouse.build import BuildResult
from warehouse.lineage import column_lineage
from warehouse.model_checks import checks_of
from warehouse.models import Model, Project, Seed

_METRIC_HEADERS = dg.AssetSpec(
    key_of(catalog.METRIC_HEADERS), description=catalog.DESCRIPTION, group_name="seeds", kinds=KINDS["seeds"]
)


def models_asset(project: Project) -> dg.AssetsDefinition:
    """The step that builds the warehouse: an asset a seed and a model of ``project``."""

    @dg.multi_asset(
        name="warehouse",
        specs=[*map(_seed_spec, project.seeds), _METRIC_HEADERS, *map(_model_spec, project.models)],
        check_specs=[spec_of(check) for check in checks_of(project)],
        can_subset=True,
    )
    def warehouse(
        context: dg.AssetExecutionContext,
        site: dg.ResourceParam[Site],
        progress: dg.ResourceParam[Progress],
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
        """Build every model, check every model, and swap the new warehouse in when all is as it should be."""
        with doing(site, context.run.run_id, "building"):
            built = steps.build_models(site, progress)
            problems = end(site, context.run.run_id, built.failed)
        if built.is_swapped:
            yield from _made(project, built, context.selected_asset_keys)
        yield from results_of(built.checks, context.selected_asset_check_keys)
        stop_for(problems)

    return warehouse


def _made(
    project: Project, built: BuildResult, selected: Collection[dg.AssetKey]
) -> Iterator[dg.MaterializeResult[None]]:
    """What was made of the selected assets; the others were made as well, as each build makes all."""
    for seed in (catalog.METRIC_HEADERS, *(seed.key for seed in project.seeds)):
        if key_of(seed) in selected:
            yield dg.MaterializeResult(asset_key=key_of(seed))
    sources, models = column_lineage(project), project.by_key
    for made in built.models:
        if key_of(made.key) in selected:
            yield dg.MaterializeResult(
                asset_key=key_of(made.key),
                metadata={
                    "dagster/row_count": made.n_rows,
                    "dagster/column_schema": schema_of_sql(models[made.key], made.types),
                    "dagster/column_lineage": lineage_of(sources[made.key]),
                    "elapsed_secs": made.secs,
                },
            )


def _model_spec(model: Model) -> dg.AssetSpec:
    return dg.AssetSpec(
        key_of(model.key),
        deps=[key_of(read) for read in model.reads],
        description=model.header.description,
        group_name=model.schema,
        kinds=KINDS["model"],
        code_version=model.sha256,
        metadata={"dagster/table_name": model.key, "sql": dg.MetadataValue.md(f"```sql\n{model.sql}\n```")},
    )


def _seed_spec(seed: Seed) -> dg.AssetSpec:
    return dg.AssetSpec(
        key_of(seed.key),
        description=seed.header.description,
        group_name="seeds",
        kinds=KINDS["seeds"],
        metadata={"dagster/column_schema": schema_of_sql(seed, seed.header.types)},
    )
