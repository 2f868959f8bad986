"""What a run reads, from what is landed and, before anything is, from a listing that is not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.extract.fetch_policy import decide_refetch
from pipelines.extract.time_window import Window
from warehouse.schema.activity import FEEDBACK_SENT
from warehouse.schema.operations import QUARANTINE
from warehouse.storage import activity_log, lake, landing
from warehouse.storage.home import Home
from warehouse.storage.landing import Listing


@dataclass(frozen=True, slots=True)
class FetchPlan:
    """What a run would list and read: ``wanted`` has a row for each call and why (see ``settle.decide``)."""

    window: Window
    n_listed: int
    to_fetch: pl.DataFrame


def plan_fetches(
    home: Home,
    window: Window | None = None,
    *,
    now: datetime,
    reread_days: Sequence[int],
    listing: Listing | None = None,
    list_rows: pl.DataFrame | None = None,
    only_ids: Collection[str] | None = None,
) -> pl.DataFrame:
    """What a run reads and why (see ``settle.decide``), in a window or everywhere.

    ``listing`` and the rows ``listed`` by it are not landed; they count as if they were. ``only`` are conversations
    that are read whatever else holds, and no others.
    """
    known = landing.latest_list_rows(home)
    shown = known if list_rows is None else pl.concat([known, list_rows.select(known.columns)])
    rows = decide_refetch(
        shown.unique("conversation_id", keep="last", maintain_order=True),
        landing.latest_snapshots(home),
        now=now,
        reread_days=reread_days,
        listings=[*landing.listings(home), *([listing] if listing else [])],
        requested_ids=conversations_with_new_feedback(home) if only_ids is None else only_ids,
    )
    if only_ids is not None:
        rows = rows.filter(pl.col("conversation_id").is_in(list(only_ids)))
    if window is not None:
        rows = rows.filter(pl.col("start_time_at") < window.until)
        if window.since is not None:
            rows = rows.filter(pl.col("start_time_at") >= window.since)
        if window.agent_id is not None:
            rows = rows.filter(pl.col("agent_id") == window.agent_id)
    return rows


def quarantined_ids(home: Home) -> set[str]:
    """Conversations that stand in quarantine: their answer was no document, or it could not be flattened."""
    shown = lake.read(home, QUARANTINE, ["conversation_id"])["conversation_id"]
    return {*landing.quarantined(home)["conversation_id"], *shown}


def conversations_with_new_feedback(home: Home) -> set[str]:
    """Conversations that feedback was sent for since they were read last."""
    sent = activity_log.latest_entries(home, FEEDBACK_SENT).filter(outcome="sent")
    if sent.is_empty():
        return set()
    read = landing.latest_snapshots(home).select("conversation_id", "fetched_at")
    later = sent.join(read, "conversation_id").filter(pl.col("sent_at") >= pl.col("fetched_at"))
    return set(later["conversation_id"])
