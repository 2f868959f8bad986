"""The landing of agents' configurations, batches of calls, and bills; append-only.

``landing/agents`` and ``landing/batches`` have one file per complete listing, or several merged (``landing_merge``),
with a row for each item listed, so that a missing row means that the item is gone; versions of agents never change, so
each has one row. The row has the document only if no earlier file has it. ``landing/bills`` has one file per request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from warehouse.schema.account_data import LANDED_AGENTS, LANDED_BATCHES, LANDED_BILLS
from warehouse.schema.types import Table
from warehouse.storage import landing_files, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import listings_footer, listings_in
from warehouse.storage.landing_sequence import CLOCK_TOLERANCE, file_name, next_number

ITEM_TABLES = (LANDED_AGENTS, LANDED_BATCHES)


def folder(home: Home, table: Table) -> Path:
    """Where the files of a landed table are."""
    return home.landing / table.name


def land_items(home: Home, table: Table, listed_at: datetime, rows: Sequence[Mapping[str, object]]) -> None:
    """Append a complete listing, even an empty one."""
    data = parquet.frame(table, rows).sort("item_id")
    target = home.file(folder(home, table), file_name(next_number(home)))
    parquet.write_file(home, target, data, footer=listings_footer([listed_at]))


def item_listings(home: Home, table: Table) -> list[datetime]:
    """Start of each complete listing, in the order in which they landed."""
    return listings_in(home, folder(home, table))


def item_rows(home: Home, table: Table) -> pl.DataFrame:
    """Every row of every listing, in the order in which they landed; columns of the table."""
    return landing_files.read(home, table, folder(home, table))  # the names of the files sort so


def latest_documents(home: Home, table: Table) -> pl.DataFrame:
    """The latest landed row of each item that has its document; columns of the table."""
    rows = item_rows(home, table).filter(pl.col("payload").is_not_null())
    return rows.unique("item_id", keep="last", maintain_order=True)


def land_bills(home: Home, rows: Sequence[Mapping[str, object]]) -> None:
    """Append the responses to one request for the bill."""
    target = home.file(folder(home, LANDED_BILLS), file_name(next_number(home)))
    parquet.write_file(home, target, parquet.frame(LANDED_BILLS, rows))


def bill_rows(home: Home) -> pl.DataFrame:
    """Every response with a bill, in the order in which they landed; columns of ``LANDED_BILLS``."""
    return landing_files.read(home, LANDED_BILLS, folder(home, LANDED_BILLS))


def is_due(latest_at: datetime | None, now: datetime) -> bool:
    """Whether what is fetched once in a UTC day is to be fetched; also if it was in the future, by a wrong clock."""
    return latest_at is None or latest_at.date() < now.date() or latest_at > now + CLOCK_TOLERANCE
