"""The landing assets of reference data: tools, prices of language models, agents, batches of calls, tags, the bill."""

from collections.abc import Callable, Iterator
from inspect import getdoc

import dagster as dg

from pipelines.errors import ApiError
from pipelines.extract import run_log
from pipelines.orchestration.asset_keys import KINDS, asset_key
from pipelines.orchestration.assets.landing import DOCUMENTS, LISTINGS
from pipelines.orchestration.run_session import step_session
from pipelines.orchestration.table_metadata import table_schema
from pipelines.usecases.account_data import (
    AgentsCopy,
    BatchesCopy,
    TagsCopy,
)
from pipelines.usecases.bill import BillCopy, is_bill_due
from pipelines.usecases.context import Context, Progress
from pipelines.usecases.reference_data import PricesCopy, ToolsCopy, are_prices_due
from warehouse.schema.account_data import LANDED_AGENTS, LANDED_BATCHES, LANDED_BILLS, LANDED_TAGS
from warehouse.schema.reference_data import LANDED_PRICES, LANDED_TOOLS
from warehouse.schema.types import Table

TOOLS, PRICES = asset_key("landing.tools"), asset_key("landing.prices")
AGENTS, BATCHES, BILLS = asset_key("landing.agents"), asset_key("landing.batches"), asset_key("landing.bills")
TAGS = asset_key("landing.tags")
TOOLS_CHECK, PRICES_CHECK = "tools_could_be_listed", "prices_could_be_asked_for"
AGENTS_CHECK, BATCHES_CHECK, TAGS_CHECK, BILLS_CHECK = (
    "agents_could_be_listed",
    "batches_could_be_listed",
    "tags_could_be_listed",
    "bill_could_be_asked_for",
)


def _copied(
    key: dg.AssetKey,
    table: Table,
    check: tuple[str, str],
    *,
    after: dg.AssetKey,
    is_due: Callable[[Context], bool] = lambda _: True,
) -> Callable[[Callable[[Context, Progress], int]], dg.AssetsDefinition]:
    """An asset that copies the reference data of each workspace for which it is due.

    It decorates the function that fetches and lands it for a workspace and returns the number of items. An API error is
    a warning only, because a missing scope must not stop the copy of the conversations.

    Args:
        key: The asset.
        table: The landed table.
        check: Name and description of the check that there was no error.
        after: The asset that comes first.
        is_due: Whether it is to be copied now.
    """
    check_name, check_description = check

    def asset_of(copy: Callable[[Context, Progress], int]) -> dg.AssetsDefinition:
        @dg.asset(
            key=key,
            deps=[after],
            description=getdoc(copy),
            group_name="landing",
            kinds=KINDS["landing"],
            metadata={"dagster/column_schema": table_schema(table)},
            check_specs=[dg.AssetCheckSpec(check_name, asset=key, description=check_description)],
        )
        def land(
            context: dg.AssetExecutionContext,
            app_context: dg.ResourceParam[Context],
            progress: dg.ResourceParam[Progress],
        ) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
            n_copied, errors = 0, []
            with step_session(app_context, context.run.run_id, key.path[-1]) as workspaces:
                for workspace in workspaces:
                    if run_log.failure_of(workspace.home, context.run.run_id):
                        continue  # its API failed for the conversations already
                    try:
                        n_copied += copy(workspace, progress) if is_due(workspace) else 0
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

        return land

    return asset_of


@_copied(
    TOOLS,
    LANDED_TOOLS,
    (TOOLS_CHECK, "The key has the scope to list tools, and the API returned them."),
    after=LISTINGS,
)
def tools(workspace: Context, progress: Progress) -> int:
    """The workspaces' tools, one row per tool and listing.

    The usage statistics of a tool land with every listing, its definition only when it has changed.

    An API error does not fail the run: the check warns, and the conversations are copied all the same. It names the
    scope if the key lacks one.
    """
    return ToolsCopy(workspace, progress).fetch_and_land().n_listed


@_copied(
    PRICES,
    LANDED_PRICES,
    (PRICES_CHECK, "The key has the scope to request prices, and the API returned them."),
    after=DOCUMENTS,
    is_due=are_prices_due,
)
def prices(workspace: Context, progress: Progress) -> int:
    """The vendor's estimate of what each language model would cost an agent, one row per agent and request.

    It is requested every `CONVOHOUSE_PRICES_EVERY_DAYS` days, for agents with conversations in the last 30 days.

    An API error does not fail the run: the check warns, and the next run requests the prices again.
    """
    return len(PricesCopy(workspace, progress=progress).fetch_and_land().queries)


@_copied(
    AGENTS,
    LANDED_AGENTS,
    (AGENTS_CHECK, "The key has the scope to read agents, and the API returned them."),
    after=DOCUMENTS,
    is_due=AgentsCopy.is_due,
)
def agents(workspace: Context, progress: Progress) -> int:
    """The configurations, branches and versions of the workspaces' agents, one row per item and listing.

    They are fetched once in a UTC day. A document lands only when it has changed; prompts and other texts only if the
    setting `CONVOHOUSE_AGENT_TEXTS` says so.

    An API error does not fail the run: the check warns, and the conversations are copied all the same.
    """
    return AgentsCopy(workspace, progress).fetch_and_land().n_listed


@_copied(
    BATCHES,
    LANDED_BATCHES,
    (BATCHES_CHECK, "The key has the scope to list batches, and the API returned them."),
    after=DOCUMENTS,
    is_due=BatchesCopy.is_due,
)
def batches(workspace: Context, progress: Progress) -> int:
    """The batches of outbound calls, with the numbers of their recipients, one row per batch and listing.

    They are fetched once in a UTC day.

    An API error does not fail the run: the check warns, and the conversations are copied all the same.
    """
    return BatchesCopy(workspace, progress).fetch_and_land().n_listed


@_copied(
    TAGS,
    LANDED_TAGS,
    (TAGS_CHECK, "The key has the scope to list tags, and the API returned them."),
    after=DOCUMENTS,
    is_due=TagsCopy.is_due,
)
def tags(workspace: Context, progress: Progress) -> int:
    """The tags of conversations, with their titles, one row per tag and listing.

    They are fetched once in a UTC day.

    An API error does not fail the run: the check warns, and conversations show the ids of their tags.
    """
    return TagsCopy(workspace, progress).fetch_and_land().n_listed


@_copied(
    BILLS,
    LANDED_BILLS,
    (BILLS_CHECK, "The key has the scope for the bill, and the API returned it."),
    after=DOCUMENTS,
    is_due=is_bill_due,
)
def bills(workspace: Context, progress: Progress) -> int:
    """The vendor's bill by UTC day and product, one row per response.

    It is requested once in a UTC day, for the days since the last bill and a week before.

    An API error does not fail the run: the check warns, and the next run requests the bill again.
    """
    return BillCopy(workspace, progress).fetch_and_land().n_days
