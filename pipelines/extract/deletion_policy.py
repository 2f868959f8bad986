"""The user's policy for conversations that the API deleted, or whose content its retention removed.

``redact``: content and personal fields are removed from the landing, and so from the lake and the models; numbers stay.
``erase``: the conversation is removed entirely, and is never landed again. ``keep``: the last snapshot with content
stays.

Nothing is removed on one observation (``removals``), and nothing if a run would remove an unusual number.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from pipelines.errors import RemovalsError
from pipelines.extract.removals import expected_ids, is_confirmed, read_removals
from pipelines.settings import Settings
from pipelines.transform.redaction import redact
from warehouse.serve.value_format import format_number, plural
from warehouse.storage import erasure, landing
from warehouse.storage.home import Home

MIN_REMOVALS = 10
"""Fewer unexpected removals are never refused: a share of a small workspace says nothing."""


def landable(home: Home, rows: pl.DataFrame) -> pl.DataFrame:
    """List rows without erased conversations, and without the content of redacted ones."""
    erased_ids, redacted_ids = landing.erased_ids(home), landing.redacted_ids(home)
    is_redacted = pl.col("conversation_id").is_in(list(redacted_ids))
    payload = pl.when(is_redacted).then(pl.lit(erasure.EMPTY_PAYLOAD)).otherwise("payload")
    return rows.filter(~pl.col("conversation_id").is_in(list(erased_ids))).with_columns(payload=payload)


def apply_policy(home: Home, settings: Settings, at: datetime, *, allow_removals: bool = False) -> None:
    """Redact or erase in the landing each conversation whose removal upstream was confirmed since the last time.

    Args:
        home: The workspace.
        settings: Its policy, the time between two observations, and the share that may be removed.
        at: The time of the erasure.
        allow_removals: Remove however many there are.

    Raises:
        RemovalsError: more than the share would be removed; nothing is.
    """
    policy = settings.on_upstream_delete
    if policy == "keep":
        return
    removals = read_removals(home)
    confirmed_removals = removals.filter(is_confirmed(settings.confirm_after))
    if confirmed_removals.is_empty():
        return
    if not allow_removals:
        _check_share(home, removals, confirmed_removals, settings, at)
    if policy == "erase":
        erasure.write_tombstones(home, confirmed_removals, at)
        erasure.purge(home)
        return
    snapshots = landing.snapshots(home, confirmed_removals["conversation_id"])
    unredacted_snapshots = snapshots.filter(pl.col("is_redacted").is_null()).select("conversation_id")
    if ids := set(confirmed_removals.join(unredacted_snapshots, "conversation_id", "semi")["conversation_id"]):
        erasure.redact(home, ids, redact)


def _check_share(
    home: Home, removals: pl.DataFrame, confirmed_removals: pl.DataFrame, settings: Settings, at: datetime
) -> None:
    """Refuse removals of which too many are unexpected; those that were redacted before do not count."""
    is_applied = confirmed_removals["is_redacted"] & (settings.on_upstream_delete == "redact")
    to_remove = confirmed_removals.filter(~is_applied)
    if to_remove.height < MIN_REMOVALS:
        return
    announced_ids = expected_ids(home, removals, now=at, confirm_after=settings.confirm_after)
    n_unexpected = to_remove.filter(~pl.col("conversation_id").is_in(list(announced_ids))).height
    n_all = landing.latest_snapshots(home).filter(pl.col("kind") != landing.ERASED).height - int(is_applied.sum())
    if n_unexpected >= MIN_REMOVALS and n_unexpected > settings.max_removal_share * n_all:
        verb = "erase" if settings.on_upstream_delete == "erase" else "redact"
        raise RemovalsError(
            f"Workspace {home.workspace}: {n_unexpected:,} of {plural(n_all, 'conversation')} look deleted or emptied "
            f"at the API, and no retention announced it; this run would {verb} them, more than "
            f"{format_number(settings.max_removal_share, 'share of 1')} at once. Nothing was removed.",
            "Check that the host and the key are those of this workspace. If the API did delete them, run "
            "`convohouse sync --allow-removals` once; CONVOHOUSE_MAX_REMOVAL_SHARE sets the share.",
        )
