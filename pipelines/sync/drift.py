"""Which unknown fields are new: seen for the first time in the last run, or since a given time."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from warehouse import lake
from warehouse.home import Home
from warehouse.tables import SYNC_RUNS, UNKNOWN_FIELDS


def new_unknown(home: Home, since: datetime | None = None) -> tuple[pl.DataFrame, int]:
    """Rows of ``unknown_fields`` first seen at or after ``since``, and how many were seen before.

    Without ``since``, the start of the last run that read anything.
    """
    every = lake.read(home, UNKNOWN_FIELDS).sort("path", "value")
    if since is None:
        since = lake.read(home, SYNC_RUNS).filter(pl.col("n_fetched") > 0)["started_at"].max()  # type: ignore[assignment]
    new = every if since is None else every.filter(pl.col("first_seen_at") >= since)
    return new, every.height - new.height
