"""The user's policy for conversations that the API deleted, or whose content its retention removed.

``redact``: content and personal fields are removed from the landing, and so from the lake and the models; numbers stay.
``erase``: the conversation is removed entirely, and is never landed again. ``keep``: the last snapshot with content
stays.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from pipelines.settings import Policy
from pipelines.transform.redaction import redact
from warehouse.storage import erasure, landing
from warehouse.storage.home import Home


def landable(home: Home, rows: pl.DataFrame) -> pl.DataFrame:
    """List rows without erased conversations, and without the content of redacted ones."""
    erased, redacted = landing.erased_ids(home), landing.redacted_ids(home)
    is_redacted = pl.col("conversation_id").is_in(list(redacted))
    payload = pl.when(is_redacted).then(pl.lit(erasure.EMPTY_PAYLOAD)).otherwise("payload")
    return rows.filter(~pl.col("conversation_id").is_in(list(erased))).with_columns(payload=payload)


def apply_policy(home: Home, policy: Policy, at: datetime) -> None:
    """Redact or erase in the landing each conversation that was deleted or emptied upstream since the last time."""
    if policy == "keep":
        return
    removed = landing.latest_removed_snapshots(home)
    if policy == "erase":
        erasure.write_tombstones(home, removed, at)
        erasure.purge(home)
        return
    snapshots = landing.snapshots(home, removed["conversation_id"])
    unredacted = snapshots.filter(pl.col("is_redacted").is_null()).select("conversation_id")
    if ids := set(removed.join(unredacted, "conversation_id", "semi")["conversation_id"]):
        erasure.redact(home, ids, redact)
