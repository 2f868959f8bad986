"""Whether a conversation will be fetched again: open, settling or settled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from warehouse.storage.landing import ERASED

FINISHED = ("done", "failed")
"""Statuses of a conversation that has ended."""

ENDED_KINDS = ("gone", ERASED)
"""Kinds of a snapshot after which no other follows."""


def settle_state(fetched_at: pl.Expr, reread_days: Sequence[int]) -> pl.Expr:
    """``open`` (not finished), ``settling`` (will be fetched again) or ``settled``.

    Needs the columns ``kind``, ``status`` and ``ended_at`` of the latest snapshot. The conversation is settled once it
    was fetched after the last of its ``reread_days``, which count from its end.
    """
    last_reread = timedelta(days=max(reread_days, default=0))
    return (
        pl.when(pl.col("kind").is_in(ENDED_KINDS))
        .then(pl.lit("settled"))
        .when(~pl.col("status").is_in(FINISHED) | pl.col("status").is_null())
        .then(pl.lit("open"))
        .when(fetched_at >= pl.col("ended_at") + last_reread)
        .then(pl.lit("settled"))
        .otherwise(pl.lit("settling"))
    )
