"""What becomes of conversations that the API no longer has, or whose content retention took: the user's policy.

``redact``: content and personal fields go from the landing, and so from the lake and the models; numbers stay.
``erase``: the conversation goes wholly, and never comes back. ``keep``: everything stays as it was read last.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from pipelines.privacy.redaction import redact
from pipelines.settings import Policy
from warehouse.storage import erasure, landing
from warehouse.storage.home import Home


def landable(home: Home, rows: pl.DataFrame) -> pl.DataFrame:
    """List rows as they may land: none of an erased conversation, and those of a redacted one without content."""
    erased, redacted = landing.erased_ids(home), landing.redacted_ids(home)
    is_redacted = pl.col("conversation_id").is_in(list(redacted))
    payload = pl.when(is_redacted).then(pl.lit(erasure.EMPTY_PAYLOAD)).otherwise("payload")
    return rows.filter(~pl.col("conversation_id").is_in(list(erased))).with_columns(payload=payload)


def apply_policy(home: Home, policy: Policy, at: datetime) -> None:
    """Do to the landing what the policy says, for every conversation that is gone or blanked and not yet treated."""
    if policy == "keep":
        return
    lost = landing.latest_removed_snapshots(home)
    if policy == "erase":
        erasure.write_tombstones(home, lost, at)
        erasure.purge(home)
        return
    readings = landing.snapshots(home, lost["conversation_id"])
    unredacted = readings.filter(pl.col("is_redacted").is_null()).select("conversation_id")
    if ids := set(lost.join(unredacted, "conversation_id", "semi")["conversation_id"]):
        erasure.redact(home, ids, redact)
