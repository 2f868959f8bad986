"""The landing assets of conversations: rows of the API's list, and the full documents."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from pipelines.extract import run_log
from pipelines.extract.landing_pipeline import FetchStats
from pipelines.orchestration.asset_keys import KINDS, asset_key
from pipelines.orchestration.partitions import (
    DAYS,
    RequestedDays,
    log_other_days,
    requested_window,
    run_days,
)
from pipelines.orchestration.run_session import step_session
from pipelines.orchestration.table_metadata import table_schema
from pipelines.usecases import sync_steps
from pipelines.usecases.agents import require_agent
from pipelines.usecases.context import Context, Progress
from pipelines.usecases.run_session import for_each_workspace
from pipelines.usecases.sync import build_after_outage
from pipelines.usecases.sync_steps import ListedWindow
from warehouse.schema.landing import LANDED_DOCUMENTS, LANDED_LISTINGS
from warehouse.serve.value_format import plural
from warehouse.storage import landing

LISTINGS, DOCUMENTS = asset_key("landing.listings"), asset_key("landing.documents")
ALL_FETCHED_CHECK = "every_wanted_call_is_read"


@dg.asset(
    key=LISTINGS,
    group_name="landing",
    kinds=KINDS["landing"],
    partitions_def=DAYS,
    metadata={"dagster/column_schema": table_schema(LANDED_LISTINGS)},
)
def conversation_list(
    context: dg.AssetExecutionContext,
    config: RequestedDays,
    app_context: dg.ResourceParam[Context],
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult[None]:
    """Rows of the API's list of conversations, unchanged except for masking.

    One row per conversation and listing, in one Parquet file per listing. A listing lands only when all its pages have
    been fetched.

    If this fails, nothing of the listing has landed, and the warehouse was built from what had landed before. Run it
    again; the error says if the API was down, refused the key, or if another run holds the home folder.
    """
    run_id, started_at = context.run.run_id, app_context.clock()

    def list_workspace(workspace: Context) -> ListedWindow:
        window = requested_window(context, workspace, config)
        return sync_steps.list_conversations(workspace, window, run_id, progress)

    with (
        step_session(app_context, run_id, "listing conversations") as workspaces,
        build_after_outage(app_context, workspaces, run_id, progress),
    ):
        listed_windows = for_each_workspace(workspaces, run_id, list_workspace)
        require_agent(app_context.home, config.agent_id if run_days(context) else None)
        rows = landing.latest_list_rows(app_context.home.all_workspaces).filter(pl.col("listed_at") >= started_at)
    log_other_days(context, LISTINGS, rows["start_date"])
    windows = "; ".join(f"{name}: {result.window}" for name, result in listed_windows.items())
    n_listed = sum(result.n_listed for result in listed_windows.values())
    n_skipped = sum(len(result.skipped_ids) for result in listed_windows.values())
    summary = f"Listed {plural(n_listed, 'conversation')}, and {n_skipped} that earlier listings had skipped. {windows}"
    context.log.info(summary)
    return dg.MaterializeResult(metadata={"window": windows, "n_listed": n_listed, "n_skipped": n_skipped})


@dg.asset(
    key=DOCUMENTS,
    deps=[LISTINGS],
    group_name="landing",
    kinds=KINDS["landing"],
    partitions_def=DAYS,
    metadata={"dagster/column_schema": table_schema(LANDED_DOCUMENTS)},
    check_specs=[
        dg.AssetCheckSpec(
            ALL_FETCHED_CHECK,
            asset=DOCUMENTS,
            description="Every conversation that was to be fetched was fetched, and its response is a valid document.",
        )
    ],
)
def conversation_details(
    context: dg.AssetExecutionContext,
    app_context: dg.ResourceParam[Context],
    progress: dg.ResourceParam[Progress],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Full conversation documents, unchanged except for masking.

    One row per snapshot: a conversation is fetched when it is new, and again while it is open, when its list row has
    changed, and on fixed days after its end. An unchanged document lands as a row without content.

    If this fails, what has landed is in the warehouse, and the next run fetches only what is missing. If its check
    fails, the other conversations are complete: the next run fetches the missing ones again, as does
    `convohouse retry`.
    """
    run_id, started_at = context.run.run_id, app_context.clock()

    def fetch_workspace(workspace: Context) -> FetchStats:
        window = None
        if run_days(context):
            window = run_log.window(workspace.home, run_id) or requested_window(context, workspace, RequestedDays())
        return sync_steps.fetch_documents(workspace, run_id, window, progress, worker_pool=worker_pool)

    with (
        step_session(app_context, run_id, "fetching conversations") as workspaces,
        build_after_outage(app_context, workspaces, run_id, progress),
        app_context.worker_pool() as worker_pool,
    ):
        fetch_stats = for_each_workspace(workspaces, run_id, fetch_workspace).values()
        snapshots = landing.snapshots(app_context.home.all_workspaces).filter(pl.col("fetched_at") >= started_at)
    log_other_days(context, DOCUMENTS, snapshots["start_date"])
    names = ("n_fetched", "n_landed", "n_unchanged", "n_gone")
    counts = {name: sum(getattr(stats, name) for stats in fetch_stats) for name in names}
    n_failing = sum(len(stats.failed) for stats in fetch_stats)
    summary = (
        f"Fetched {plural(counts['n_fetched'], 'conversation')}: {counts['n_landed']} landed, "
        f"{counts['n_unchanged']} unchanged, {counts['n_gone']} gone; {n_failing} could not be fetched."
    )
    context.log.info(summary)
    yield dg.MaterializeResult(metadata=counts)
    yield dg.AssetCheckResult(
        check_name=ALL_FETCHED_CHECK, asset_key=DOCUMENTS, passed=not n_failing, metadata={"n_failing": n_failing}
    )
