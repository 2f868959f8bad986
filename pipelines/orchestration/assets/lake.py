"""The lake tables as one multi-asset, because flattening a document writes rows of many tables at once."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq

from pipelines.orchestration.asset_keys import KINDS, asset_key, schema_of
from pipelines.orchestration.assets.landing import DOCUMENTS, LISTINGS
from pipelines.orchestration.assets.reference_data import AGENTS, BATCHES, BILLS, PRICES, TAGS, TOOLS
from pipelines.orchestration.checks import UNKNOWN_FIELDS_CHECK, check_evaluations, check_specs, check_unknown_fields
from pipelines.orchestration.partitions import DAYS, log_other_days, planned_days, run_days
from pipelines.orchestration.run_session import fail_if, step_session
from pipelines.orchestration.table_metadata import table_schema
from pipelines.usecases import sync_steps
from pipelines.usecases.context import Context, Progress
from pipelines.usecases.run_session import describe_failed_check, end_copy, finish_runs, for_each_workspace
from warehouse.build.lake_checks import check_lake
from warehouse.models.data_quality import COMPLETENESS, schema_checks
from warehouse.models.project import SCHEMAS
from warehouse.schema.account_data import (
    AGENT_BRANCHES,
    AGENT_CONFIGS,
    AGENT_VERSIONS,
    BATCH_CALLS,
    BILLED_USAGE,
    TAG_DEFINITIONS,
)
from warehouse.schema.operations import CONVERSATION_LIST
from warehouse.schema.reference_data import LLM_PRICES, TOOL_PARAMETERS, TOOL_VERSIONS
from warehouse.schema.reference_data import TOOLS as TOOLS_TABLE
from warehouse.schema.registry import TABLES
from warehouse.schema.types import Table
from warehouse.serve.value_format import plural
from warehouse.storage.home import Home
from warehouse.storage.parquet import read_consistently

_LANDING_ASSETS = {
    CONVERSATION_LIST.name: LISTINGS,
    LLM_PRICES.name: PRICES,
    TOOLS_TABLE.name: TOOLS,
    TOOL_PARAMETERS.name: TOOLS,
    TOOL_VERSIONS.name: TOOLS,
    AGENT_CONFIGS.name: AGENTS,
    AGENT_BRANCHES.name: AGENTS,
    AGENT_VERSIONS.name: AGENTS,
    BATCH_CALLS.name: BATCHES,
    TAG_DEFINITIONS.name: TAGS,
    BILLED_USAGE.name: BILLS,
}
"""The landing asset of each table that does not come from conversation documents."""


_ON_FAILURE = (
    "If a check fails, `convohouse check` shows the failing rows; `convohouse reprocess` rebuilds the table from the "
    "landing."
)


def _spec(table: Table) -> dg.AssetSpec:
    source = f" Source: {' and '.join(f'`{path}`' for path in table.at)} of the document." if any(table.at) else ""
    return dg.AssetSpec(
        asset_key(f"lake.{table.name}"),
        deps=[_LANDING_ASSETS[table.name]] if table.name in _LANDING_ASSETS else [LISTINGS, DOCUMENTS],
        description=f"One row per {table.grain}.{source} {_ON_FAILURE}",
        group_name="lake",
        kinds=KINDS["lake"],
        partitions_def=DAYS if table.is_daily else None,
        metadata={"dagster/column_schema": table_schema(table)},
    )


@dg.multi_asset(
    name="lake",
    specs=[_spec(table) for table in TABLES],
    check_specs=[
        *check_specs(schema_checks()),
        *check_specs(COMPLETENESS),
        UNKNOWN_FIELDS_CHECK,
    ],
    can_subset=True,
)
def lake_tables(
    context: dg.AssetExecutionContext,
    app_context: dg.ResourceParam[Context],
    progress: dg.ResourceParam[Progress],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckEvaluation]:
    """Flatten the landed snapshots that the lake lacks into all its tables, then check the lake."""
    run_id = context.run.run_id
    with step_session(app_context, run_id, "flattening conversations") as workspaces:
        days = run_days(context) or None
        with app_context.worker_pool() as worker_pool:
            refresh_results = for_each_workspace(
                workspaces,
                run_id,
                lambda workspace: sync_steps.flatten_conversations(
                    workspace, run_id, days, progress, worker_pool=worker_pool
                ),
                includes_failed=True,
            ).values()
        changed_days = {day for result in refresh_results for day in result.days}
        results = check_lake(app_context.home.all_workspaces)
        failed_checks = [result for result in results if not result.is_passed and result.check not in COMPLETENESS]
        # with models to follow and no failed check, the run continues, and their step ends the run records
        is_last_step = bool(failed_checks) or not _has_models(context)
        problems: tuple[str, ...] = ()
        if is_last_step:
            copy_problems = end_copy(workspaces, run_id, names_unread=True)
            failures = map(describe_failed_check, failed_checks)
            problems = finish_runs(workspaces, run_id, copy_problems, failures, is_built=False)
    summary = (
        f"Flattened {plural(sum(result.n_flattened for result in refresh_results), 'conversation')} "
        f"of {plural(len(changed_days), 'day')}; {len(failed_checks)} of {len(results)} checks of the lake failed."
    )
    context.log.info(summary)
    yield from _materializations(context, app_context.home, sorted(changed_days))
    yield from check_evaluations(results, context.selected_asset_check_keys)
    if UNKNOWN_FIELDS_CHECK.key in context.selected_asset_check_keys:
        yield check_unknown_fields(app_context.home)
    fail_if(problems)


def _materializations(
    context: dg.AssetExecutionContext, home: Home, changed_days: Sequence[date]
) -> Iterator[dg.MaterializeResult[None]]:
    """Materializations of the selected tables only, although flattening has written all of them."""
    for table in TABLES:
        key = asset_key(f"lake.{table.name}")
        if key not in context.selected_asset_keys:
            continue
        if table.is_daily:
            counts = partial(_counts_of_day, home, table)
            for day in planned_days(context):
                context.add_asset_metadata(counts(day), key, day.isoformat())
            log_other_days(context, key, changed_days, counts)
        yield dg.MaterializeResult(asset_key=key, metadata=_counts("dagster/row_count", home.table(table)))


def _has_models(context: dg.AssetExecutionContext) -> bool:
    selected_keys = context.run.asset_selection  # empty if the run has all assets of its job
    return not selected_keys or any(schema_of(key) in SCHEMAS for key in selected_keys)


def _counts_of_day(home: Home, table: Table, day: date) -> dict[str, int]:
    return _counts("dagster/partition_row_count", home.partition(table, day))


def _counts(row_count_key: str, folder: Path) -> dict[str, int]:
    """Rows (under the metadata key ``row_count_key``) and bytes of the Parquet files below a folder."""

    def count(files: list[Path]) -> dict[str, int]:
        n_rows = sum(pq.read_metadata(file).num_rows for file in files)
        return {row_count_key: n_rows, "n_bytes": sum(file.stat().st_size for file in files)}

    return read_consistently(lambda: list(folder.glob("**/*.parquet")), count)
