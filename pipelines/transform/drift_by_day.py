"""``unknown_fields_daily``: what is unknown in the conversations of each day, counted again only for changed days.

Counting opens each file of the lake, which for a home of two years is most of a run without news. The table follows
from the files of a day and from the code that counts; its footer has the fingerprints of both. So a file that is
missing, or was written before an erasure, a kill or an upgrade, is only slower.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

from warehouse.schema import registry
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import UNKNOWN_FIELDS_DAILY
from warehouse.schema.types import WORKSPACE
from warehouse.storage import lake, parquet
from warehouse.storage.fingerprint import digest_code
from warehouse.storage.home import Home

FINGERPRINTS = "fingerprints"
"""Key in the footer of the file: the fingerprint of each day and that of the code, as JSON."""
CODE = "code"
"""Key of the code among the fingerprints of days."""
_COLUMNS = [name for name in UNKNOWN_FIELDS_DAILY.column_names if name != WORKSPACE.name]
_EMPTY = parquet.frame(UNKNOWN_FIELDS_DAILY, []).select(_COLUMNS)


def refresh(home: Home, count: Callable[[Collection[date]], pl.DataFrame]) -> pl.DataFrame:
    """Rows of ``summarize`` by ``start_date``, of all days; ``count`` returns those of the days that have changed."""
    fingerprints = {day.isoformat(): lake.day_fingerprint(home, day) for day in lake.days(home, CONVERSATIONS)}
    fingerprints[CODE] = _code_fingerprint()
    counted_fingerprints, counted_rows = _read(home)
    if fingerprints == counted_fingerprints:
        return counted_rows
    if counted_fingerprints.get(CODE) != fingerprints[CODE]:
        counted_fingerprints = {}
    changed_days = [
        date.fromisoformat(day)
        for day, fingerprint in fingerprints.items()
        if day != CODE and counted_fingerprints.get(day) != fingerprint
    ]
    existing_days = [date.fromisoformat(day) for day in fingerprints.keys() - {CODE}]
    rows = counted_rows.filter(pl.col("start_date").is_in(existing_days) & ~pl.col("start_date").is_in(changed_days))
    rows = pl.concat([rows, count(changed_days).select(_COLUMNS)])
    lake.overwrite_table(home, UNKNOWN_FIELDS_DAILY, rows, footer={FINGERPRINTS: json.dumps(fingerprints)})
    return rows


def _read(home: Home) -> tuple[dict[str, str], pl.DataFrame]:
    """The fingerprints and the rows of the table; empty if there are none, or the file cannot be read."""
    file = home.file(home.table(UNKNOWN_FIELDS_DAILY))
    try:
        rows = pl.read_parquet(file, glob=False, columns=_COLUMNS)
        fingerprints: dict[str, str] = json.loads(pl.read_parquet_metadata(file)[FINGERPRINTS])
    except (OSError, pl.exceptions.PolarsError, KeyError, ValueError):
        return {}, _EMPTY
    return (fingerprints, rows) if rows.schema == _EMPTY.schema else ({}, _EMPTY)


@cache
def _code_fingerprint() -> str:
    """The fingerprint of what is known and how the rest is counted: the schema and this package."""
    return digest_code(Path(__file__).parent, Path(registry.__file__).parent)
