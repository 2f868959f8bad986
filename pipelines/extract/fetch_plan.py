"""The fetch plan of a run: which conversations to fetch, given what is landed and a listing that may not be."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import polars as pl

from pipelines.extract.announced import announced_conversations
from pipelines.extract.fetch_policy import decide_refetch
from pipelines.extract.removals import ids_to_confirm
from pipelines.extract.time_window import Window
from warehouse.schema.activity import FEEDBACK_SENT
from warehouse.schema.operations import (
    MALFORMED_ROW,
    QUARANTINE,
    QUARANTINE_REASONS,
    ROW_PREFIX,
    UNFETCHABLE,
    UNREADABLE,
)
from warehouse.storage import activity_log, damage, lake, landing, quarantine
from warehouse.storage.home import Home
from warehouse.storage.landing import Listing
from warehouse.storage.landing_sequence import NOT_LANDED, order

LIST_COLUMNS = ("start_time_at", "agent_id", "status", "fingerprint", "listed_at", "sequence")
"""What a decision needs of the latest list rows, besides the id."""


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """What a run would list and fetch; ``to_fetch`` has the columns of ``fetch_policy.decide_refetch``."""

    window: Window
    n_listed: int
    to_fetch: pl.DataFrame


def plan_fetches(
    home: Home,
    window: Window | None = None,
    *,
    now: datetime,
    reread_days: Sequence[int],
    confirm_after: timedelta,
    listing: Listing | None = None,
    list_rows: pl.DataFrame | None = None,
    only_ids: Collection[str] | None = None,
) -> pl.DataFrame:
    """The conversations to fetch and why, in a window or all; columns as of ``fetch_policy.decide_refetch``.

    A conversation that looked removed ``confirm_after`` ago or earlier is looked at a second time.
    ``listing`` and its ``list_rows`` are not landed, as in a dry run, but count as if they were. ``only_ids`` are
    fetched whether or not they are due, and nothing else is.
    """
    landed_rows = landing.latest_list_rows(home, LIST_COLUMNS)
    all_rows = landed_rows
    if list_rows is not None:
        listed = list_rows.with_columns(sequence=pl.lit(NOT_LANDED, pl.Int64))
        all_rows = pl.concat([landed_rows, listed.select(landed_rows.columns)])
    announced = announced_conversations(home)
    unlanded = announced.filter(~pl.col("is_landed"))  # perhaps not listed either; if they are, the list row counts
    quarantined = quarantine.current(home)
    malformed, lost = _conversations_of_malformed_rows(home, quarantined), damage.lost_conversations(home)
    all_rows = pl.concat([malformed, unlanded, lost, all_rows], how="diagonal_relaxed").select(landed_rows.columns)
    unread = quarantined.filter(pl.col("reason").is_in([UNFETCHABLE, UNREADABLE]))
    requested_ids = {
        *conversations_with_new_feedback(home),
        *announced["conversation_id"],
        *unread["conversation_id"],  # perhaps for a reason that no longer holds: a listing shows it again
    }
    latest_rows = all_rows.unique("conversation_id", keep="last", maintain_order=True)
    rows = decide_refetch(
        latest_rows,
        landing.latest_snapshots(home),
        now=now,
        reread_days=reread_days,
        listings=[*landing.listings(home), *([replace(listing, sequence=NOT_LANDED)] if listing else [])],
        requested_ids=requested_ids if only_ids is None else only_ids,
        ids_to_confirm=ids_to_confirm(home, now=now, confirm_after=confirm_after, list_rows=latest_rows),
    )
    if only_ids is not None:
        rows = rows.filter(pl.col("conversation_id").is_in(list(only_ids)))
    if window is not None:
        is_in_window = pl.col("start_time_at") < window.until
        if window.since is not None:
            is_in_window &= pl.col("start_time_at") >= window.since
        if window.agent_id is not None:
            is_in_window &= pl.col("agent_id") == window.agent_id
        # When a conversation with a malformed list row started is unknown: it may belong to any window.
        rows = rows.filter(is_in_window | pl.col("conversation_id").is_in(malformed["conversation_id"].to_list()))
    return rows


def _conversations_of_malformed_rows(home: Home, quarantined: pl.DataFrame) -> pl.DataFrame:
    """Conversations whose list row was quarantined and which are not landed: conversation_id, start_time_at.

    They are read by their id; the start is the time of the listing, until the document says it.
    """
    rows = quarantined.filter(pl.col("reason") == MALFORMED_ROW, ~pl.col("conversation_id").str.starts_with(ROW_PREFIX))
    landed = landing.latest_snapshots(home, rows["conversation_id"])
    unlanded = rows.join(landed, "conversation_id", "anti")
    return unlanded.select("conversation_id", start_time_at="fetched_at")


def quarantined_ids(home: Home) -> set[str]:
    """Conversations in quarantine, for whatever reason; not list rows without an id, tools and prices."""
    columns = ["conversation_id", "reason"]
    rows = pl.concat([quarantine.current(home).select(columns), lake.read(home, QUARANTINE, columns)])
    of_conversations = rows.filter(
        pl.col("reason").is_in(QUARANTINE_REASONS), ~pl.col("conversation_id").str.starts_with(ROW_PREFIX)
    )
    return set(of_conversations["conversation_id"])


def conversations_with_new_feedback(home: Home) -> set[str]:
    """Conversations for which feedback was sent since their latest snapshot."""
    sent = activity_log.latest_entries(home, FEEDBACK_SENT).filter(outcome="sent")
    if sent.is_empty():
        return set()
    snapshots = landing.latest_snapshots(home).select("conversation_id", landed_order=landing.LANDING_ORDER)
    newer = sent.join(snapshots, "conversation_id").filter(order("sequence", "sent_at") >= pl.col("landed_order"))
    return set(newer["conversation_id"])
