"""The landing assets of reference data: the workspaces' tools, and the prices of language models."""

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
    key: dg.AssetKey, table: Table, check_name: str, description: str, deps: list[dg.AssetKey]
) -> Callable[[Callable[..., AssetResults]], dg.AssetsDefinition]:
    return dg.asset(
        key=key,
        deps=deps,
        group_name="landing",
        kinds=KINDS["landing"],
        metadata={"dagster/column_schema": table_schema(table)},
        check_specs=[dg.AssetCheckSpec(check_name, asset=key, description=description)],
    )


@_asset(TOOLS, LANDED_TOOLS, TOOLS_CHECK, "The key has the scope to list tools, and the API returned them.", [LISTINGS])
def tools(
    context: dg.AssetExecutionContext,
    app_context: dg.ResourceParam[Context],
    progress: dg.ResourceParam[Progress],
) -> AssetResults:
    """The workspaces' tools, one row per tool and listing.

    The usage statistics of a tool land with every listing, its definition only when it has changed.

    An API error does not fail the run: the check warns, and the conversations are copied all the same. It names the
    scope if the key lacks one.
    """
    yield from _land_for_workspaces(
        context, app_context, TOOLS, TOOLS_CHECK, lambda workspace: fetch_and_land_tools(workspace, progress).n_listed
    )


@_asset(
    PRICES,
    LANDED_PRICES,
    PRICES_CHECK,
    "The key has the scope to request prices, and the API returned them.",
    [DOCUMENTS],
)
def prices(
    context: dg.AssetExecutionContext,
    app_context: dg.ResourceParam[Context],
    progress: dg.ResourceParam[Progress],
) -> AssetResults:
    """The vendor's estimate of what each language model would cost an agent, one row per agent and request.

    It is requested every `CONVOHOUSE_PRICES_EVERY_DAYS` days, for agents with conversations in the last 30 days.

    An API error does not fail the run: the check warns, and the next run requests the prices again.
    """
    yield from _land_for_workspaces(
        context, app_context, PRICES, PRICES_CHECK, lambda workspace: copy_due_prices(workspace, progress)
    )


def _land_for_workspaces(
    context: dg.AssetExecutionContext,
    app_context: Context,
    key: dg.AssetKey,
    check_name: str,
    copy: Callable[[Context], int],
) -> AssetResults:
    """Copy the reference data of each workspace.

    An API error is a warning only, because a missing scope must not stop the copy of the conversations.
    """
    n_copied, errors = 0, []
    with step_session(app_context, context.run.run_id, key.path[-1]) as workspaces:
        for workspace in workspaces:
            if run_log.failure_of(workspace.home, context.run.run_id):
                continue  # its API failed for the conversations already
            try:
                n_copied += copy(workspace)
            except ApiError as error:
                errors.append(f"{workspace.settings.workspace}: {error}")
    yield dg.MaterializeResult(asset_key=key, metadata={"n_copied": n_copied})
    yield dg.AssetCheckResult(
        check_name=check_name,
        asset_key=key,
        passed=not errors,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"errors": "\n".join(errors)},
    )
