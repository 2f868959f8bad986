"""The landed assets beside conversations: the workspaces' tools, and what language models would cost."""

from collections.abc import Callable, Iterator

import dagster as dg

from pipelines.errors import ApiError
from pipelines.extract import run_log
from pipelines.orchestration.asset_keys import KINDS, key_of
from pipelines.orchestration.assets.landing import DOCUMENTS, LISTINGS
from pipelines.orchestration.run_session import step_session
from pipelines.orchestration.table_metadata import schema_of
from pipelines.usecases.context import Context, Progress
from pipelines.usecases.reference_data import copy_due_prices, fetch_and_land_tools
from warehouse.schema.reference_data import LANDED_PRICES, LANDED_TOOLS
from warehouse.schema.types import Table

TOOLS, PRICES = key_of("landing.tools"), key_of("landing.prices")
LISTED, ASKED = "tools_could_be_listed", "prices_could_be_asked_for"

Made = Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]


def _asset(
    key: dg.AssetKey, table: Table, check: str, about: str, deps: list[dg.AssetKey]
) -> Callable[[Callable[..., Made]], dg.AssetsDefinition]:
    return dg.asset(
        key=key,
        deps=deps,
        group_name="landing",
        kinds=KINDS["landing"],
        metadata={"dagster/column_schema": schema_of(table)},
        check_specs=[dg.AssetCheckSpec(check, asset=key, description=about)],
    )


@_asset(TOOLS, LANDED_TOOLS, LISTED, "The key may list the tools, and the API gave them.", [LISTINGS])
def tools(
    context: dg.AssetExecutionContext,
    workspace_context: dg.ResourceParam[Context],
    progress: dg.ResourceParam[Progress],
) -> Made:
    """The workspaces' tools as the API lists them; a definition lands when it has changed."""
    yield from _copied(
        context, workspace_context, TOOLS, LISTED, lambda each: fetch_and_land_tools(each, progress).n_listed
    )


@_asset(PRICES, LANDED_PRICES, ASKED, "The key may ask for prices, and the API gave them.", [DOCUMENTS])
def prices(
    context: dg.AssetExecutionContext,
    workspace_context: dg.ResourceParam[Context],
    progress: dg.ResourceParam[Progress],
) -> Made:
    """What language models would cost each agent, by the vendor's estimate; asked for every few days."""
    yield from _copied(context, workspace_context, PRICES, ASKED, lambda each: copy_due_prices(each, progress))


def _copied(
    context: dg.AssetExecutionContext,
    workspace_context: Context,
    key: dg.AssetKey,
    check: str,
    copy: Callable[[Context], int],
) -> Made:
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
