"""The landed assets: what the API's list said, and what its details said."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from pipelines.extract import run_log
from pipelines.extract.landing_pipeline import FetchStats
from pipelines.orchestration.asset_keys import KINDS, asset_key
from pipelines.orchestration.partitions import (
    DAYS,
    SINGLE_RUN,
    RequestedDays,
    RunScope,
    log_other_days,
    requested_window,
)
from pipelines.orchestration.run_session import step_session
from pipelines.orchestration.table_metadata import table_schema
from pipelines.usecases import sync_steps
from pipelines.usecases.context import Context, Progress
from pipelines.usecases.run_session import for_each_workspace
from pipelines.usecases.sync_steps import ListedWindow
from warehouse.schema.landing import LANDED_DOCUMENTS, LANDED_LISTINGS
from warehouse.storage import landing

LISTINGS, DOCUMENTS = asset_key("landing.listings"), asset_key("landing.documents")
ALL_FETCHED_CHECK = "every_wanted_call_is_read"


@dg.asset(
    key=LISTINGS,
    group_name="landing",
    kinds=KINDS["landing"],
    partitions_def=DAYS,
    backfill_policy=SINGLE_RUN,
    metadata={"dagster/column_schema": table_schema(LANDED_LISTINGS)},
)
def conversation_list(
    context: dg.AssetExecutionContext,
    config: RequestedDays,
    workspace_context: dg.ResourceParam[Context],
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult[None]:
    """Rows of the API's list of conversations as they came, landed once the listing of the window is complete."""
    run_id, began = context.run.run_id, workspace_context.clock()

    def list_calls(each: Context) -> ListedWindow:
        return sync_steps.list_conversations(each, requested_window(context, each, config), run_id, progress)

    with step_session(workspace_context, run_id, "listing") as workspace_contexts:
        listed = for_each_workspace(workspace_contexts, run_id, list_calls)
        shown = landing.list_rows(workspace_context.home.all_workspaces).filter(pl.col("listed_at") >= began)
    log_other_days(context, LISTINGS, shown["start_date"])
    windows = "; ".join(f"{name}: {each.window}" for name, each in listed.items())
    return dg.MaterializeResult(
        metadata={"window": windows, "n_listed": sum(each.n_listed for each in listed.values())}
    )


@dg.asset(
    key=DOCUMENTS,
    deps=[LISTINGS],
    group_name="landing",
    kinds=KINDS["landing"],
    partitions_def=DAYS,
    backfill_policy=SINGLE_RUN,
    metadata={"dagster/column_schema": table_schema(LANDED_DOCUMENTS)},
    check_specs=[
        dg.AssetCheckSpec(
            ALL_FETCHED_CHECK, asset=DOCUMENTS, description="Every call that was to be read was read and understood."
        )
    ],
)
def conversation_details(
    context: dg.AssetExecutionContext,
    config: RunScope,
    workspace_context: dg.ResourceParam[Context],
    progress: dg.ResourceParam[Progress],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Conversation details as they came, of the calls that are new, open, changed or due to be read again."""
    run_id, began = context.run.run_id, workspace_context.clock()

    def fetch_calls(each: Context) -> FetchStats:
        window = run_log.window(each.home, run_id) or requested_window(context, each, RequestedDays())
        return sync_steps.fetch_conversations(
            each, run_id, None if config.everywhere else window, progress, worker_pool=crew
        )

    with (
        step_session(workspace_context, run_id, "reading") as workspace_contexts,
        workspace_context.worker_pool() as crew,
    ):
        fetched = for_each_workspace(workspace_contexts, run_id, fetch_calls).values()
        read = landing.snapshots(workspace_context.home.all_workspaces).filter(pl.col("fetched_at") >= began)
    log_other_days(context, DOCUMENTS, read["start_date"])
    counts = ("n_fetched", "n_landed", "n_unchanged", "n_gone")
    yield dg.MaterializeResult(metadata={name: sum(getattr(each, name) for each in fetched) for name in counts})
    n_failing = sum(len(each.failed) for each in fetched)
    yield dg.AssetCheckResult(
        check_name=ALL_FETCHED_CHECK, asset_key=DOCUMENTS, passed=not n_failing, metadata={"n_failing": n_failing}
    )
