"""The landed assets beside conversations: the workspaces' tools, and what language models would cost."""

from collections.abc import Callable, Iterator

import dagster as dg

from pipelines.errors import ApiError
from pipelines.extract import run_log
from pipelines.orchestration.asset_keys import KINDS, asset_key
from pipelines.orchestration.assets.landing import DOCUMENTS, LISTINGS
from pipelines.orchestration.run_session import step_session
from pipelines.orchestration.table_metadata import table_schema
from pipelines.usecases.context import Context, Progress
from pipelines.usecases.reference_data import copy_due_prices, fetch_and_land_tools
from warehouse.schema.reference_data import LANDED_PRICES, LANDED_TOOLS
from warehouse.schema.types import Table

TOOLS, PRICES = asset_key("landing.tools"), asset_key("landing.prices")
TOOLS_CHECK, PRICES_CHECK = "tools_could_be_listed", "prices_could_be_asked_for"

AssetResults = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]


def _asset(
    key: dg.AssetKey, table: Table, check: str, about: str, deps: list[dg.AssetKey]
) -> Callable[[Callable[..., AssetResults]], dg.AssetsDefinition]:
    return dg.asset(
        key=key,
        deps=deps,
        group_name="landing",
        kinds=KINDS["landing"],
        metadata={"dagster/column_schema": table_schema(table)},
        check_specs=[dg.AssetCheckSpec(check, asset=key, description=about)],
    )


@_asset(TOOLS, LANDED_TOOLS, TOOLS_CHECK, "The key may list the tools, and the API gave them.", [LISTINGS])
def tools(
    context: dg.AssetExecutionContext,
    workspace_context: dg.ResourceParam[Context],
    progress: dg.ResourceParam[Progress],
) -> AssetResults:
    """The workspaces' tools as the API lists them; a definition lands when it has changed."""
    yield from _land_for_workspaces(
        context, workspace_context, TOOLS, TOOLS_CHECK, lambda each: fetch_and_land_tools(each, progress).n_listed
    )


@_asset(PRICES, LANDED_PRICES, PRICES_CHECK, "The key may ask for prices, and the API gave them.", [DOCUMENTS])
def prices(
    context: dg.AssetExecutionContext,
    workspace_context: dg.ResourceParam[Context],
    progress: dg.ResourceParam[Progress],
) -> AssetResults:
    """What language models would cost each agent, by the vendor's estimate; asked for every few days."""
    yield from _land_for_workspaces(
        context, workspace_context, PRICES, PRICES_CHECK, lambda each: copy_due_prices(each, progress)
    )


def _land_for_workspaces(
    context: dg.AssetExecutionContext,
    workspace_context: Context,
    key: dg.AssetKey,
    check: str,
    copy: Callable[[Context], int],
) -> AssetResults:
    """What was made of each workspace; one that refuses is a warning, as it must not keep anybody from the calls."""
    count, troubles = 0, []
    with step_session(workspace_context, context.run.run_id, key.path[-1]) as workspace_contexts:
        for each in workspace_contexts:
            if run_log.failure_of(each.home, context.run.run_id):
                continue  # its API could not be had for the calls either
            try:
                count += copy(each)
            except ApiError as error:
                troubles.append(f"{each.settings.workspace}: {error}")
    yield dg.MaterializeResult(asset_key=key, metadata={"n_copied": count})
    yield dg.AssetCheckResult(
        check_name=check,
        asset_key=key,
        passed=not troubles,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"troubles": "\n".join(troubles)},
    )
