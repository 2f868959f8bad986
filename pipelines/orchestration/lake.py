"""The lake's tables as assets, made together: a document becomes rows of many tables at once."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from pipelines import steps
from pipelines.orchestration.checks import result_of, spec_of
from pipelines.orchestration.days import DAYS, SINGLE_RUN, Scope, days_of
from pipelines.orchestration.doing import doing, stop_for
from pipelines.orchestration.keys import KINDS, key_of
from pipelines.orchestration.landing import DOCUMENTS, LISTINGS
from pipelines.orchestration.tables import schema_of
from warehouse.checks import COMPLETENESS, schema_checks
from warehouse.columns import Table
from warehouse.lake_checks import check_lake
from warehouse.models import SCHEMAS
from warehouse.tables import CONVERSATION_LIST, TABLES


def _spec(table: Table) -> dg.AssetSpec:
    came_from = f" From {' and '.join(f'`{path}`' for path in table.at)}." if any(table.at) else ""
    return dg.AssetSpec(
        key_of(f"lake.{table.name}"),
        deps=[LISTINGS] if table is CONVERSATION_LIST else [LISTINGS, DOCUMENTS],
        description=f"One row per {table.grain}.{came_from}",
        group_name="lake",
        kinds=KINDS["lake"],
        partitions_def=DAYS if table.is_daily else None,
        metadata={"dagster/column_schema": schema_of(table)},
    )


@dg.multi_asset(
    name="lake",
    specs=[_spec(table) for table in TABLES],
    check_specs=[*map(spec_of, schema_checks()), *(spec_of(check, blocking=False) for check in COMPLETENESS)],
    backfill_policy=SINGLE_RUN,
)
def lake_tables(
    context: dg.AssetExecutionContext,
    config: Scope,
    site: dg.ResourceParam[steps.Site],
    progress: dg.ResourceParam[steps.Progress],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Flatten the landed documents that the lake does not show yet, then check the lake."""
    days = days_of(context)
    with doing(site, context.run_id, "flattening"):
        steps.flatten_calls(site, context.run_id, None if config.everywhere else days, progress)
        results = check_lake(site.home)
        wrong = [steps.failure(each) for each in results if not each.is_passed and each.check not in COMPLETENESS]
        is_end = bool(wrong) or not _has_models(context)
        problems = steps.close(site, context.run_id, wrong) if is_end else ()
    for table in TABLES:
        key = key_of(f"lake.{table.name}")
        for day in days if table.is_daily else ():
            size = _size(site.home.partition(table, day))
            context.add_asset_metadata(_counts(size, "dagster/partition_row_count"), key, day.isoformat())
        yield dg.MaterializeResult(asset_key=key, metadata=_counts(_size(site.home.table(table)), "dagster/row_count"))
    yield from map(result_of, results)
    stop_for(problems)


def _has_models(context: dg.AssetExecutionContext) -> bool:
    selected = context.run.asset_selection
    return selected is None or any(key.path[0] in SCHEMAS for key in selected)


def _size(folder: Path) -> tuple[int, int]:
    """Rows and bytes of the Parquet files below a folder."""
    files = list(folder.glob("**/*.parquet"))
    return sum(pq.read_metadata(file).num_rows for file in files), sum(file.stat().st_size for file in files)


def _counts(size: tuple[int, int], rows: str) -> dict[str, int]:
    return {rows: size[0], "n_bytes": size[1]}
