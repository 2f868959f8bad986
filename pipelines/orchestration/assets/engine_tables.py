"""The tables of ``convohouse build --into`` as an asset; without a target in the settings (``engine_into``), none."""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from pipelines.orchestration.asset_keys import asset_key
from pipelines.orchestration.publish_target import GROUP
from pipelines.orchestration.run_session import errors_as_failures, fail_if
from pipelines.usecases.context import Context, Progress
from pipelines.usecases.engine_build import EngineTarget, build_on_engine
from warehouse.models.project import Project
from warehouse.serve.value_format import plural

ENGINE_TABLES = asset_key("engine.tables")
ENGINE_TARGET = "engine_target"
"""The resource that says on which engine they are built, from which lakes and where to."""


def engine_tables_assets(
    target: EngineTarget | None, project: Project, fresh_for: timedelta
) -> list[dg.AssetsDefinition]:
    """The asset of the target, behind the tables of the lake that models read.

    Every run builds it, so its freshness policy fails if none did for ``fresh_for``.
    """
    if target is None:
        return []
    tables = sorted({relation for model in project.models for relation in model.reads if relation.startswith("lake.")})

    @dg.asset(
        key=ENGINE_TABLES,
        group_name=GROUP,
        kinds={target.engine, "parquet"},
        metadata={"dagster/uri": target.into},
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=fresh_for),
        deps=[asset_key(table) for table in tables],
        description=f"Builds the models by {target.engine} into Parquet tables at {target.into}; only what can have "
        "changed. If this fails, the error names the model or the check; the tables before stay current, and the next "
        "run or `convohouse build` tries again.",
    )
    def engine_tables(
        app_context: dg.ResourceParam[Context],
        progress: dg.ResourceParam[Progress],
        engine_target: dg.ResourceParam[EngineTarget],
    ) -> dg.MaterializeResult[None]:
        with errors_as_failures():
            build = build_on_engine(app_context, engine_target, progress)
        fail_if([f"{result.check.name}: {plural(result.n_failing, 'row')}" for result in build.failed])
        return dg.MaterializeResult(
            metadata={
                "engine": engine_target.engine,
                "target": engine_target.into,
                "build": build.build_id,
                "n_tables": len(build.folders),
                "n_reused": len(build.reused),
            }
        )

    return [engine_tables]
