"""Whether a conversation will be fetched again: open, settling or settled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from warehouse.storage.landing import ERASED

FINISHED = ("done", "failed")
"""Statuses of a conversation that has ended."""

RUNNING = ("initiated", "in-progress", "processing")
"""Statuses of a conversation that has not."""

ENDED_KINDS = ("gone", ERASED)
"""Kinds of a snapshot after which no other follows."""


def is_open(fetched_at: pl.Expr, reread_days: Sequence[int]) -> pl.Expr:
    """Whether a conversation has not finished; needs the columns ``status`` and ``ended_at`` of the latest snapshot.

    With a status that is not known, it counts as open until it was fetched after the last of its ``reread_days``: it
    may be a new final one.
    """
    is_fetched_last = fetched_at >= pl.col("ended_at") + timedelta(days=max(reread_days, default=0))
    is_running = pl.col("status").is_in(RUNNING)
    is_unknown = pl.col("status").is_null() | ~pl.col("status").is_in([*FINISHED, *RUNNING])
    return is_running.fill_null(value=False) | (is_unknown & ~is_fetched_last.fill_null(value=False))


def settle_state(fetched_at: pl.Expr, reread_days: Sequence[int]) -> pl.Expr:
    """``open`` (not finished), ``settling`` (will be fetched again) or ``settled``.

    Needs the columns ``kind``, ``status`` and ``ended_at`` of the latest snapshot. The conversation is settled once it
    was fetched after the last of its ``reread_days``, which count from its end.
    """
    last_reread = timedelta(days=max(reread_days, default=0))
    return (
        pl.when(pl.col("kind").is_in(ENDED_KINDS))
        .then(pl.lit("settled"))
        .when(is_open(fetched_at, reread_days))
        .then(pl.lit("open"))
        .when(fetched_at >= pl.col("ended_at") + last_reread)
        .then(pl.lit("settled"))
        .otherwise(pl.lit("settling"))
    )
