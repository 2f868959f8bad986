"""Whether a conversation will be read again: open, settling or settled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from warehouse.storage.landing import ERASED

FINISHED = ("done", "failed")
"""Statuses of a call that will not go on."""


ENDED_KINDS = ("gone", ERASED)
"""Kinds of a reading after which nothing more is to come."""


def settle_state(read_at: pl.Expr, reread_days: Sequence[int]) -> pl.Expr:
    """Open (not finished), settling (will be read again) or settled, from ``status``, ``ended_at`` and the reading."""
    last = timedelta(days=max(reread_days, default=0))
    return (
        pl.when(pl.col("kind").is_in(ENDED_KINDS))
        .then(pl.lit("settled"))
        .when(~pl.col("status").is_in(FINISHED) | pl.col("status").is_null())
        .then(pl.lit("open"))
        .when(read_at >= pl.col("ended_at") + last)
        .then(pl.lit("settled"))
        .otherwise(pl.lit("settling"))
    )
