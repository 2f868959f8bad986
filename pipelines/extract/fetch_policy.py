"""Which calls to read (again), and when a call is settled: rules over what the landing holds.

A call is read when it is new, was not finished at its last reading, shows another list row than the one that led to its
last reading, or is due: analysis, ratings and retention change a finished call without a trace in its list row, so it
is read again some days after its end, by default 1, 7 and 30. One that a complete listing should have shown and did not
is read again as well: only a 404 to its detail says that it is deleted, never a gap in a list.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import polars as pl

from pipelines.transform.settle_state import FINISHED
from warehouse.storage.landing import ERASED, Listing

REASONS = ("new", "open", "changed", "missing", "due", "asked")
"""Why a call is read, the first that holds."""


def latest_due_refetch(now: datetime, reread_days: Sequence[int]) -> pl.Expr:
    """The latest re-read that ``ended_at`` made due by ``now``; null where none is."""
    marks = [pl.col("ended_at") + timedelta(days=days) for days in reread_days]
    return pl.max_horizontal(
        pl.lit(None, pl.Datetime("us", "UTC")), *(pl.when(mark <= now).then(mark) for mark in marks)
    )


def missing_from_listing(list_rows: pl.DataFrame, listings: Sequence[Listing]) -> pl.DataFrame:
    """Calls that a later complete listing should have shown and did not.

    Args:
        listed: The latest list row of each conversation.
        listings: Every complete listing; one of an agent says nothing of the calls of others.

    Returns:
        conversation_id, missed_at: when the latest such listing began.
    """
    rows = list_rows.select("conversation_id", "start_time_at", "agent_id", "listed_at").sort("start_time_at")
    starts = rows["start_time_at"]
    found = [pl.DataFrame(schema={"conversation_id": pl.String, "missed_at": pl.Datetime("us", "UTC")})]
    for each in listings:
        first = starts.search_sorted(each.since) if each.since else 0
        last = starts.search_sorted(each.until) if each.until else rows.height
        inside = rows[first:last].filter(pl.col("listed_at") < each.listed_at)
        if each.agent_id is not None:
            inside = inside.filter(agent_id=each.agent_id)
        missed_at = pl.lit(each.listed_at).cast(pl.Datetime("us", "UTC")).alias("missed_at")
        found.append(inside.select("conversation_id", missed_at))
    return pl.concat(found).group_by("conversation_id").agg(pl.col("missed_at").max())


def decide_refetch(
    list_rows: pl.DataFrame,
    snapshots: pl.DataFrame,
    *,
    now: datetime,
    reread_days: Sequence[int],
    listings: Sequence[Listing] = (),
    requested_ids: Collection[str] = (),
) -> pl.DataFrame:
    """What to read and why.

    Args:
        listed: The latest list row of each conversation (``landing.latest_list_rows``).
        landed: The latest reading of each (``landing.latest_snapshots``).
        now: The run's time.
        reread_days: Days after the end of a call at which it is read again.
        listings: Every complete listing, for the calls that a listing missed.
        asked: Conversations to read again whatever else holds: set aside before, or feedback was sent since.

    Returns:
        Oldest first: conversation_id, start_time_at, agent_id, status, fingerprint (of the list row; null where it was
        never listed), content_sha256 (of the latest reading; null where none), shown_texts (of the content that the
        lake shows; null where none), reason.
    """
    known = snapshots.select(
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
    rows = list_rows.select("conversation_id", "start_time_at", "agent_id", "fingerprint", list_status="status")
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
        rows.join(known, "conversation_id", "full", coalesce=True)
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
