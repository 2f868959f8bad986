"""Which conversations to fetch, or fetch again: rules over what is landed.

A conversation is fetched when it is new, was not finished in its latest snapshot, has another list row than the one
that led to that snapshot, or is due: analysis, ratings and retention change a finished conversation without a trace in
its list row, so it is fetched again some days after its end, by default 1, 7 and 30. One that a complete listing should
have shown and did not is fetched again as well: only a 404 for the conversation itself says that it is deleted, never a
gap in a list.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from pipelines.transform.settle_state import is_open
from warehouse.storage.landing import ERASED, Listing

REASONS = ("new", "open", "changed", "missing", "due", "asked")
"""Why a conversation is fetched, by precedence: the first reason that applies."""


_BEGINNING, _END = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


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
    missing = [
        (rows if agent_id is None else rows.filter(agent_id=agent_id))
        .join_asof(_latest_listings(listings, agent_id), left_on="start_time_at", right_on="since")
        .filter(pl.col("listed_at") < pl.col("missed_at"))
        .select("conversation_id", "missed_at")
        for agent_id in {None, *(listing.agent_id for listing in listings)}
    ]
    return pl.concat(missing).group_by("conversation_id").agg(pl.col("missed_at").max())


def _latest_listings(listings: Sequence[Listing], agent_id: str | None) -> pl.DataFrame:
    """The latest listing by start time of a conversation, of the listings of one agent, or of those of all agents.

    Returns:
        since, missed_at: from each start time on until the next, when the latest listing of it started, null if none.
    """
    bounds = [(listing.since or _BEGINNING, listing.until or _END) for listing in listings]
    starts = sorted({_BEGINNING, *(bound for window in bounds for bound in window)})
    listed_at: list[datetime | None] = [None] * len(starts)
    # Of many listings, only the latest matters at any start time: comparing rows with each listing would be quadratic.
    for listing, (since, until) in sorted(zip(listings, bounds, strict=True), key=lambda pair: pair[0].listed_at):
        if listing.agent_id == agent_id:
            first, last = bisect_left(starts, since), bisect_left(starts, until)
            listed_at[first:last] = [listing.listed_at] * (last - first)
    time = pl.Datetime("us", "UTC")
    return pl.DataFrame({"since": starts, "missed_at": listed_at}, {"since": time, "missed_at": time})


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
        .when(~is_gone & is_open(pl.col("fetched_at"), reread_days))
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
