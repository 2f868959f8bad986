"""The landed assets: what the API's list said, and what its details said."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from pipelines import steps
from pipelines.orchestration.days import DAYS, SINGLE_RUN, Asked, Scope, log_others, window_of
from pipelines.orchestration.doing import doing
from pipelines.orchestration.keys import KINDS, key_of
from pipelines.orchestration.tables import schema_of
from pipelines.site import Progress, Site
from pipelines.sync import ledger
from warehouse import landing
from warehouse.tables import LANDED_DOCUMENTS, LANDED_LISTINGS

LISTINGS, DOCUMENTS = key_of("landing.listings"), key_of("landing.documents")
ALL_READ = "every_wanted_call_is_read"


@dg.asset(
    key=LISTINGS,
    group_name="landing",
    kinds=KINDS["landing"],
    partitions_def=DAYS,
    backfill_policy=SINGLE_RUN,
    metadata={"dagster/column_schema": schema_of(LANDED_LISTINGS)},
)
def conversation_list(
    context: dg.AssetExecutionContext,
    config: Asked,
    site: dg.ResourceParam[Site],
    progress: dg.ResourceParam[Progress],
) -> dg.MaterializeResult[None]:
    """Rows of the API's list of conversations as they came, landed once the listing of the window is complete."""
    with doing(site, context.run.run_id, "listing"):
        window = window_of(context, site, config)
        began = site.clock()
        listed = steps.list_calls(site, window, context.run.run_id, progress)
        shown = landing.list_rows(site.home).filter(pl.col("listed_at") >= began)
    log_others(context, LISTINGS, shown["start_date"])
    return dg.MaterializeResult(metadata={"window": str(window), "n_listed": listed.n_listed})


@dg.asset(
    key=DOCUMENTS,
    deps=[LISTINGS],
    group_name="landing",
    kinds=KINDS["landing"],
    partitions_def=DAYS,
    backfill_policy=SINGLE_RUN,
    metadata={"dagster/column_schema": schema_of(LANDED_DOCUMENTS)},
    check_specs=[
        dg.AssetCheckSpec(
            ALL_READ, asset=DOCUMENTS, description="Every call that was to be read was read and understood."
        )
    ],
)
def conversation_details(
    context: dg.AssetExecutionContext,
    config: Scope,
    site: dg.ResourceParam[Site],
    progress: dg.ResourceParam[Progress],
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """Conversation details as they came, of the calls that are new, open, changed or due to be read again."""
    with doing(site, context.run.run_id, "reading"):
        window = ledger.window(site.home, context.run.run_id) or window_of(context, site, Asked())
        began = site.clock()
        fetched = steps.fetch_calls(site, context.run.run_id, None if config.everywhere else window, progress)
        read = landing.readings(site.home).filter(pl.col("fetched_at") >= began)
    log_others(context, DOCUMENTS, read["start_date"])
    counts = {name: getattr(fetched, name) for name in ("n_fetched", "n_landed", "n_unchanged", "n_gone")}
    yield dg.MaterializeResult(metadata=counts)
    yield dg.AssetCheckResult(
        check_name=ALL_READ, asset_key=DOCUMENTS, passed=not fetched.failed, metadata={"n_failing": len(fetched.failed)}
    )
