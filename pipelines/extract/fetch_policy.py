"""Which conversations to fetch, or fetch again: rules over what is landed.

A conversation is fetched when it is new, was not finished in its latest snapshot, has another list row than the one
that led to that snapshot, or is due: analysis, ratings and retention change a finished conversation without a trace in
its list row, so it is fetched again some days after its end, by default 1, 7 and 30. One that a complete listing should
have shown and did not is fetched again as well: only a 404 for the conversation itself says that it is deleted, never a
gap in a list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import polars as pl

from pipelines.transform.settle_state import FINISHED
from warehouse.storage.landing import ERASED, Listing

REASONS = ("new", "open", "changed", "missing", "due", "asked")
"""Why a conversation is fetched, by precedence: the first reason that applies."""


def latest_due_refetch(now: datetime, reread_days: Sequence[int]) -> pl.Expr:
    """When the latest refetch was due, of those after ``ended_at`` and up to ``now``; null where none was."""
    due_times = [pl.col("ended_at") + timedelta(days=days) for days in reread_days]
    return pl.max_horizontal(
        pl.lit(None, pl.Datetime("us", "UTC")), *(pl.when(due_at <= now).then(due_at) for due_at in due_times)
    )


def missing_from_listing(list_rows: pl.DataFrame, listings: Sequence[Listing]) -> pl.DataFrame:
    """Conversations that a later complete listing should have shown and did not.

    Args:
        list_rows: The latest list row of each conversation.
        listings: Every complete listing; one of a single agent says nothing about other agents' conversations.

    Returns:
        conversation_id, missed_at: when the latest such listing started.
    """
    rows = list_rows.select("conversation_id", "start_time_at", "agent_id", "listed_at").sort("start_time_at")
    starts = rows["start_time_at"]
    missing = [pl.DataFrame(schema={"conversation_id": pl.String, "missed_at": pl.Datetime("us", "UTC")})]
    for listing in listings:
        # A binary search in the sorted starts: a filter over all rows for each listing would be quadratic.
        first = starts.search_sorted(listing.since) if listing.since else 0
        last = starts.search_sorted(listing.until) if listing.until else rows.height
        not_shown = rows[first:last].filter(pl.col("listed_at") < listing.listed_at)
        if listing.agent_id is not None:
            not_shown = not_shown.filter(agent_id=listing.agent_id)
        missed_at = pl.lit(listing.listed_at).cast(pl.Datetime("us", "UTC")).alias("missed_at")
        missing.append(not_shown.select("conversation_id", missed_at))
    return pl.concat(missing).group_by("conversation_id").agg(pl.col("missed_at").max())


def decide_refetch(
    list_rows: pl.DataFrame,
    snapshots: pl.DataFrame,
    *,
    now: datetime,
    reread_days: Sequence[int],
    listings: Sequence[Listing] = (),
    requested_ids: Collection[str] = (),
) -> pl.DataFrame:
    """Which conversations to fetch, and why.

    Args:
        list_rows: The latest list row of each conversation (``landing.latest_list_rows``).
        snapshots: The latest snapshot of each conversation (``landing.latest_snapshots``).
        now: The run's time.
        reread_days: Days after the end of a conversation at which it is fetched again.
        listings: Every complete listing, for the conversations that a listing missed.
        requested_ids: Conversations to fetch where no other reason applies: quarantined, or with new feedback.

    Returns:
        Oldest first: conversation_id, start_time_at, agent_id, status, fingerprint (of the list row; null where it was
        never listed), content_sha256 (of the latest snapshot; null where none), shown_texts (transcript entries with
        text that the lake has; null where none), reason (one of ``REASONS``).
    """
    landed = snapshots.select(
        "conversation_id",
        "kind",
        "status",
        "ended_at",
        "list_fingerprint",
        "content_sha256",
        "shown_texts",
        "fetched_at",
        landed_start=pl.col("start_time_at"),
        landed_agent=pl.col("agent_id"),
    )
    listed = list_rows.select("conversation_id", "start_time_at", "agent_id", "fingerprint", list_status="status")
    is_gone = pl.col("kind") == "gone"
    is_new_row = pl.col("fingerprint").is_not_null() & pl.col("fingerprint").ne_missing(pl.col("list_fingerprint"))
    reason = (
        pl.when(pl.col("kind") == ERASED)
        .then(None)
        .when(pl.col("kind").is_null())
        .then(pl.lit("new"))
        .when(~is_gone & (pl.col("status").is_null() | ~pl.col("status").is_in(FINISHED)))
        .then(pl.lit("open"))
        .when(is_new_row)
        .then(pl.lit("changed"))
        .when(~is_gone & (pl.col("fetched_at") < pl.col("missed_at")))
        .then(pl.lit("missing"))
        .when(~is_gone & (pl.col("fetched_at") < latest_due_refetch(now, reread_days)))
        .then(pl.lit("due"))
        .when(pl.col("conversation_id").is_in(list(requested_ids)))
        .then(pl.lit("asked"))
    )
    return (
        listed.join(landed, "conversation_id", "full", coalesce=True)
        .join(missing_from_listing(list_rows, listings), "conversation_id", "left")
        .with_columns(reason=reason)
        .filter(pl.col("reason").is_not_null())
        .select(
            "conversation_id",
            pl.coalesce("start_time_at", "landed_start").alias("start_time_at"),
            pl.coalesce("agent_id", "landed_agent").alias("agent_id"),
            pl.coalesce("status", "list_status").alias("status"),
            "fingerprint",
            "content_sha256",
            "shown_texts",
            "reason",
        )
        .sort("start_time_at", "conversation_id")
    )
