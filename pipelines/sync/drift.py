"""Which unknown fields are new: seen for the first time by the last run, or since a given time."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from warehouse.schema.operations import SYNC_RUNS, UNKNOWN_FIELDS
from warehouse.storage import lake
from warehouse.storage.home import Home

_TIME = pl.Datetime("us", "UTC")


def new_unknown(home: Home, since: datetime | None = None) -> tuple[pl.DataFrame, int]:
    """Rows of ``unknown_fields`` first seen at or after ``since``, and how many were seen before.

    Without ``since``, what the last run that read anything brought into the lake, that of runs before it included that
    were cut short after they had landed documents. Every unknown field is new to the first run.
    """
    every = lake.read(home.everywhere, UNKNOWN_FIELDS).sort("workspace", "path", "value")
    starts = {name: since or _since_last_run(home.of(name)) for name in home.workspaces()}
    is_new = pl.col("first_seen_at") >= pl.col("workspace").replace_strict(starts, default=None, return_dtype=_TIME)
    new = every.filter(is_new.fill_null(value=True))
    return new, every.height - new.height


def _since_last_run(home: Home) -> datetime | None:
    """Start of the first run after the last but one that brought readings into the lake; None without such a run."""
    rows = lake.read(home, SYNC_RUNS, ["started_at", "n_fetched", "n_flattened"]).sort("started_at").rows()
    starts: list[datetime] = [start for start, _, _ in rows]
    reading = [start for start, n_fetched, n_flattened in rows if n_fetched and n_flattened]
    return next((start for start in starts if start > reading[-2]), None) if len(reading) > 1 else None
