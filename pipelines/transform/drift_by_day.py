"""``unknown_fields_daily``: what is unknown in the conversations of each day, counted again only for changed days.

Counting opens each file of the lake, which for a home of two years is most of a run without news. The table follows
from the files of a day and from the code that counts; a file beside the lake has the fingerprints of both, and of the
table. So a file that is missing, or was written before an erasure, a kill or an upgrade, is only slower.
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
from warehouse.storage.fingerprint import digest_code, digest_files
from warehouse.storage.home import Home

CODE, TABLE = "code", "table"
"""Keys of the code and of the table among the fingerprints of days."""
_COLUMNS = [name for name in UNKNOWN_FIELDS_DAILY.column_names if name != WORKSPACE.name]
_EMPTY = parquet.frame(UNKNOWN_FIELDS_DAILY, []).select(_COLUMNS)


def refresh(home: Home, count: Callable[[Collection[date]], pl.DataFrame]) -> pl.DataFrame:
    """Rows of ``summarize`` by ``start_date``, of all days; ``count`` returns those of the days that have changed."""
    days = {day.isoformat(): lake.day_fingerprint(home, day) for day in lake.days(home, CONVERSATIONS)}
    counted_days, counted_rows = _read(home)
    if days == counted_days:
        return counted_rows
    changed_days = [
        date.fromisoformat(day) for day, fingerprint in days.items() if counted_days.get(day) != fingerprint
    ]
    existing_days = list(map(date.fromisoformat, days))
    rows = counted_rows.filter(pl.col("start_date").is_in(existing_days) & ~pl.col("start_date").is_in(changed_days))
    rows = pl.concat([rows, count(changed_days).select(_COLUMNS)])
    lake.overwrite_table(home, UNKNOWN_FIELDS_DAILY, rows)
    with parquet.replacing(home, home.drift) as temporary:
        temporary.write_text(json.dumps(days | _fingerprints(home)), encoding="utf-8")
    return rows


def _read(home: Home) -> tuple[dict[str, str], pl.DataFrame]:
    """The fingerprints of the counted days and the rows of the table; empty if they do not belong together."""
    try:
        fingerprints: dict[str, str] = json.loads(home.drift.read_bytes())
        rows = pl.read_parquet(home.file(home.table(UNKNOWN_FIELDS_DAILY)), glob=False, columns=_COLUMNS)
    except (OSError, pl.exceptions.PolarsError, ValueError):
        return {}, _EMPTY
    others = {key: fingerprints.pop(key, None) for key in (CODE, TABLE)}
    return (fingerprints, rows) if others == _fingerprints(home) else ({}, _EMPTY)


def _fingerprints(home: Home) -> dict[str, str]:
    """The fingerprints of the code and of the table."""
    return {CODE: _code_fingerprint(), TABLE: digest_files([home.file(home.table(UNKNOWN_FIELDS_DAILY))])}


@cache
def _code_fingerprint() -> str:
    """The fingerprint of what is known and how the rest is counted: the schema and this package."""
    return digest_code(Path(__file__).parent, Path(registry.__file__).parent)
