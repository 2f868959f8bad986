"""Conversations that a webhook announced without a document: the next run fetches them, listed or not."""

from __future__ import annotations

import polars as pl

from warehouse.schema.activity import INITIATION_FAILURE, WEBHOOK_EVENTS
from warehouse.storage import activity_log, landing
from warehouse.storage.home import Home


def announced_conversations(home: Home) -> pl.DataFrame:
    """Conversations with an event since their latest snapshot: conversation_id, start_time_at, agent_id, is_landed.

    The start is unknown, so it is the time of the event, which comes soon after the end. An attempt that reached nobody
    is left out: the API may have no conversation of it, and the list shows those that it has.
    """
    events = activity_log.latest_entries(home, WEBHOOK_EVENTS).filter(pl.col("event_type") != INITIATION_FAILURE)
    latest = events.sort("received_at").unique("conversation_id", keep="last", maintain_order=True)
    snapshots = landing.latest_snapshots(home, latest["conversation_id"]).select("conversation_id", "fetched_at")
    return (
        latest.join(snapshots, "conversation_id", "left")
        .filter(pl.col("fetched_at").is_null() | (pl.col("received_at") >= pl.col("fetched_at")))
        .select("conversation_id", "agent_id", start_time_at="event_at", is_landed=pl.col("fetched_at").is_not_null())
    )
