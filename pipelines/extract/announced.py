"""Conversations that a webhook announced without a document: the next run fetches them, listed or not."""

from __future__ import annotations

import polars as pl

from warehouse.schema.activity import INITIATION_FAILURE, WEBHOOK_EVENTS
from warehouse.storage import activity_log, landing
from warehouse.storage.home import Home
from warehouse.storage.landing_sequence import order


def announced_conversations(home: Home) -> pl.DataFrame:
    """Conversations with an event since their latest snapshot: conversation_id, start_time_at, agent_id, is_landed.

    The start is unknown, so it is the time of the event, which comes soon after the end. An attempt that reached nobody
    is left out: the API may have no conversation of it, and the list shows those that it has.
    """
    events = activity_log.latest_entries(home, WEBHOOK_EVENTS).filter(pl.col("event_type") != INITIATION_FAILURE)
    in_order = events.with_columns(event_order=order("sequence", "received_at")).sort(
        "event_order", maintain_order=True
    )
    latest = in_order.unique("conversation_id", keep="last", maintain_order=True)
    snapshots = landing.latest_snapshots(home, latest["conversation_id"])
    landed_orders = snapshots.select("conversation_id", landed_order=landing.LANDING_ORDER)
    return (
        latest.join(landed_orders, "conversation_id", "left")
        .filter(pl.col("landed_order").is_null() | (pl.col("event_order") >= pl.col("landed_order")))
        .select("conversation_id", "agent_id", start_time_at="event_at", is_landed=pl.col("landed_order").is_not_null())
    )
