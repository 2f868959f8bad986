"""List a window and land the listing; if an earlier listing had skipped any of it, the time before as well."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import polars as pl

from pipelines.api.client import Stats
from pipelines.extract import run_log
from pipelines.extract.deletion_policy import landable
from pipelines.extract.list_conversations import list_rows
from pipelines.extract.time_window import Window
from pipelines.extract.workspace_identity import check_identity, remember
from pipelines.usecases.context import Context, Progress
from warehouse.storage import landing, quarantine
from warehouse.storage.freshness import listed_until
from warehouse.storage.home import Home

LIST_DELAY = timedelta(hours=1)
"""A conversation that started this long before a listing had to be in it."""


def list_window(
    context: Context, window: Window, run_id: str, progress: Progress, *, allow_removals: bool, days_before: int
) -> tuple[int, frozenset[str]]:
    """List a window and land the listing, after that of as many days before it if an earlier listing had skipped any.

    Returns:
        The number of conversations, and those that an earlier request for their time had skipped.
    """
    listed_at = context.clock()
    client = context.client()
    try:
        listed_rows = asyncio.run(
            list_rows(client, window, listed_at, lambda n: progress("list", n, None), context.pseudonyms)
        )
        listed_before = landing.latest_list_rows(context.home, (), ids=listed_rows.rows["conversation_id"])
        if not allow_removals and listed_before.is_empty():
            asyncio.run(
                check_identity(context.client, context.home, context.settings.base_url, window, listed_rows.rows)
            )
    finally:
        run_log.add_counts(context.home, run_id, at=context.clock(), **request_counts(client.stats))
    rows = landable(context.home, listed_rows.rows)
    skipped_earlier = _skipped_earlier(context.home, rows, listed_before, listed_at)
    skipped_ids = listed_rows.skipped_ids | skipped_earlier
    n_before, skipped_before = 0, frozenset[str]()
    if skipped_earlier and days_before and window.since is not None:
        # Before this listing lands: only until then is it seen that something was skipped, also by the next run.
        before = Window(window.since - timedelta(days=days_before), window.since)
        n_before, skipped_before = list_window(
            context, before, run_id, progress, allow_removals=True, days_before=2 * days_before
        )
    # Before the listing: a run that is killed in between must not leave a complete listing without them.
    erased_ids = list(landing.erased_ids(context.home))
    quarantine.land(context.home, listed_rows.malformed.filter(~pl.col("conversation_id").is_in(erased_ids)))
    landing.land_listing(context.home, window.as_listing(listed_at), rows)
    remember(context.home, context.settings.base_url, rows)
    run_log.add_counts(context.home, run_id, at=context.clock(), n_listed=rows.height, n_skipped=len(skipped_ids))
    return n_before + rows.height, skipped_before | skipped_ids


def _skipped_earlier(home: Home, rows: pl.DataFrame, listed_before: pl.DataFrame, listed_at: datetime) -> set[str]:
    """Conversations of a listing that an earlier listing of all agents had to show, and did not."""
    listings = [listing for listing in landing.listings(home) if listing.agent_id is None]
    until = listed_until(listings, now=listed_at)
    if until is None:
        return set()
    since = min(listing.since or landing.BEGINNING for listing in listings)
    quarantined_ids = quarantine.current(home)["conversation_id"]
    new_rows = rows.join(listed_before, "conversation_id", "anti").filter(
        pl.col("start_time_at").is_between(since, until - LIST_DELAY, closed="left"),
        ~pl.col("conversation_id").is_in(quarantined_ids.to_list()),
    )
    return set(new_rows["conversation_id"])


def request_counts(stats: Stats) -> dict[str, int]:
    """Counts of a client's requests by column of ``sync_runs``."""
    return {"n_requests": stats.requests, "n_retries": stats.retries, "received_bytes": stats.bytes_received}
