"""Which conversations to fetch, or fetch again: rules over what is landed.

A conversation is fetched when it is new, was not finished in its latest snapshot, has another list row than the one
that led to that snapshot, or is due: analysis, ratings and retention change a finished conversation without a trace in
its list row, so it is fetched again some days after its end, by default 1, 7 and 30. One that a complete listing should
have shown and did not is fetched again as well: only a 404 for the conversation itself says that it is deleted, never a
gap in a list. A second 404 must confirm the first, and a later listing that shows the conversation
revokes it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import polars as pl

from pipelines.transform.settle_state import is_open
from warehouse.storage.landing import BEGINNING, ERASED, Listing
from warehouse.storage.landing_sequence import CLOCK_TOLERANCE, order

REASONS = ("new", "open", "changed", "missing", "due", "asked")
"""Why a conversation is fetched, by precedence: the first reason that applies."""


_END = datetime(9999, 12, 31, tzinfo=UTC)


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
        conversation_id, missed_order: the latest such listing in the order of the landing (``landing_sequence.order``).
    """
    listed_order = order("sequence", "listed_at").alias("listed_order")
    rows = list_rows.select("conversation_id", "start_time_at", "agent_id", listed_order).sort("start_time_at")
    missing_rows = [
        (rows if agent_id is None else rows.filter(agent_id=agent_id))
        .join_asof(_latest_listings(listings, agent_id), left_on="start_time_at", right_on="since")
        .filter(pl.col("listed_order") < pl.col("missed_order"))
        .select("conversation_id", "missed_order")
        for agent_id in {None, *(listing.agent_id for listing in listings)}
    ]
    return pl.concat(missing_rows).group_by("conversation_id").agg(pl.col("missed_order").max())


def _latest_listings(listings: Sequence[Listing], agent_id: str | None) -> pl.DataFrame:
    """The latest listing by start time of a conversation, of the listings of one agent, or of those of all agents.

    Returns:
        since, missed_order: from each start time on until the next, the latest listing of it (its order), null if none.
    """
    bounds = [(listing.since or BEGINNING, listing.until or _END) for listing in listings]
    starts = sorted({BEGINNING, *(bound for window in bounds for bound in window)})
    latest_orders: list[int | None] = [None] * len(starts)
    # Of many listings, only the latest matters at any start time: comparing rows with each listing would be quadratic.
    for listing, (since, until) in sorted(zip(listings, bounds, strict=True), key=lambda pair: pair[0].order):
        if listing.agent_id == agent_id:
            first, last = bisect_left(starts, since), bisect_left(starts, until)
            latest_orders[first:last] = [listing.order] * (last - first)
    return pl.DataFrame(
        {"since": starts, "missed_order": latest_orders}, {"since": pl.Datetime("us", "UTC"), "missed_order": pl.Int64}
    )


def decide_refetch(
    list_rows: pl.DataFrame,
    snapshots: pl.DataFrame,
    *,
    now: datetime,
    reread_days: Sequence[int],
    listings: Sequence[Listing] = (),
    requested_ids: Collection[str] = (),
    ids_to_confirm: Collection[str] = (),
) -> pl.DataFrame:
    """Which conversations to fetch, and why.

    Args:
        list_rows: The latest list row of each conversation (``landing.latest_list_rows``).
        snapshots: The latest snapshot of each conversation (``landing.latest_snapshots``).
        now: The run's time.
        reread_days: Days after the end of a conversation at which it is fetched again.
        listings: Every complete listing, for the conversations that a listing missed.
        requested_ids: Conversations to fetch where no other reason applies: quarantined, or with new feedback.
        ids_to_confirm: Conversations whose removal has to be observed a second time (``removals.ids_to_confirm``).

    Returns:
        Oldest first: conversation_id, start_time_at, agent_id, fingerprint (of the list row; null where it was never
        listed), content_sha256 (of the latest snapshot; null where none), shown_texts (transcript entries with
        text that the lake has; null where none), is_listed_again (the API answered 404 and the latest listing shows
        it all the same), reason (one of ``REASONS``).
    """
    landed_columns = snapshots.select(
        "conversation_id",
        "kind",
        "status",
        "ended_at",
        "list_fingerprint",
        "content_sha256",
        "shown_texts",
        "fetched_at",
        "content_at",
        landed_order=order("sequence", "fetched_at"),
        landed_start=pl.col("start_time_at"),
        landed_agent=pl.col("agent_id"),
    )
    names = ("conversation_id", "start_time_at", "agent_id", "fingerprint")
    listed_columns = list_rows.select(*names, listed_order=order("sequence", "listed_at"))
    is_gone = pl.col("kind") == "gone"
    is_without_content = (pl.col("kind") == "unchanged") & pl.col("content_at").is_null()  # its document was damaged
    is_there_again = is_gone & (pl.col("listed_order") > pl.col("landed_order"))
    latest_listing = max((listing.order for listing in listings), default=None)
    is_listed_again = is_gone & (pl.col("listed_order") >= pl.lit(latest_listing, pl.Int64))
    is_to_confirm = pl.col("conversation_id").is_in(list(ids_to_confirm))
    is_new_row = pl.col("fingerprint").is_not_null() & pl.col("fingerprint").ne_missing(pl.col("list_fingerprint"))
    reason = (
        pl.when(pl.col("kind") == ERASED)
        .then(None)
        .when(pl.col("kind").is_null() | is_without_content)
        .then(pl.lit("new"))
        .when(~is_gone & is_open(pl.col("fetched_at"), reread_days))
        .then(pl.lit("open"))
        .when(is_new_row | is_there_again)
        .then(pl.lit("changed"))
        .when(pl.when(is_gone).then(is_to_confirm).otherwise(pl.col("landed_order") < pl.col("missed_order")))
        .then(pl.lit("missing"))
        .when(pl.col("fetched_at") > now + CLOCK_TOLERANCE)  # landed by a clock that was ahead: any refetch may be due
        .then(pl.lit("due"))
        .when(~is_gone & (is_to_confirm | (pl.col("fetched_at") < latest_due_refetch(now, reread_days))))
        .then(pl.lit("due"))
        .when(pl.col("conversation_id").is_in(list(requested_ids)))
        .then(pl.lit("asked"))
    )
    return (
        listed_columns.join(landed_columns, "conversation_id", "full", coalesce=True)
        .join(missing_from_listing(list_rows, listings), "conversation_id", "left")
        .with_columns(reason=reason)
        .filter(pl.col("reason").is_not_null())
        .select(
            "conversation_id",
            pl.coalesce("start_time_at", "landed_start").alias("start_time_at"),
            pl.coalesce("agent_id", "landed_agent").alias("agent_id"),
            "fingerprint",
            # without it, the response is not compared with a document that is no longer landed
            pl.when(~is_without_content.fill_null(value=False)).then("content_sha256").alias("content_sha256"),
            "shown_texts",
            is_listed_again.fill_null(value=False).alias("is_listed_again"),
            "reason",
        )
        .sort("start_time_at", "conversation_id")
    )
