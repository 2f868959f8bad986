"""What was told to the API from here, and so is to be read again: feedback."""

from __future__ import annotations

import polars as pl

from warehouse.schema.activity import FEEDBACK_SENT
from warehouse.storage import activity_log, landing
from warehouse.storage.home import Home


def told_since(home: Home) -> set[str]:
    """Conversations that feedback was sent for since they were read last."""
    sent = activity_log.read(home, FEEDBACK_SENT).filter(outcome="sent")
    if sent.is_empty():
        return set()
    read = landing.latest_readings(home).select("conversation_id", "fetched_at")
    later = sent.join(read, "conversation_id").filter(pl.col("sent_at") >= pl.col("fetched_at"))
    return set(later["conversation_id"])
