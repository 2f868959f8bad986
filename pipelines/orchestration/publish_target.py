"""Publishes to a target of the settings, as its asset does, or before a step fails behind which that asset is."""

from __future__ import annotations

from typing import Any

import dagster as dg

from pipelines.orchestration.asset_keys import asset_key
from pipelines.orchestration.run_session import errors_as_failures, fail_if
from pipelines.usecases.context import Context, Progress
from pipelines.usecases.publish import choose_jobs, publish
from warehouse.publish.target import RESTORED, WRITTEN

GROUP = "publish"


def publish_target(app_context: Context, name: str, progress: Progress) -> dict[str, Any]:
    """Publish to the target of a name; returns the metadata of its asset.

    Raises:
        dagster.Failure: the target, or one that an erasure has to reach, could not be brought up to date.
    """
    with errors_as_failures():
        results = publish(app_context, choose_jobs(app_context, name), progress=progress)
    fail_if([f"{result.target}: {result.problem}" for result in results if result.problem])
    tables = results[0].tables
    return {
        "target": results[0].target,
        "n_tables": len(tables),
        "n_written": sum(table.change in (WRITTEN, RESTORED) for table in tables),
        "dagster/row_count": sum(table.n_rows for table in tables),
    }


def publish_before_failing(
    context: dg.AssetExecutionContext, app_context: Context, progress: Progress
) -> tuple[str, ...]:
    """Publish to the targets of the run, as Dagster skips their steps if the one before them fails; returns problems.

    The warehouse is the new one, and only misses what the run could not copy. Until that is mended, which can take
    days, the targets would stay as they were.
    """
    problems: list[str] = []
    for name in app_context.settings.publish:
        key = asset_key(f"{GROUP}.{name}")
        if key in context.job_def.asset_layer.selected_asset_keys:
            try:
                metadata = publish_target(app_context, name, progress)
            except dg.Failure as failure:
                problems.append(failure.description or str(failure))
            else:
                context.log_event(dg.AssetMaterialization(key, metadata=metadata))
    return tuple(problems)
