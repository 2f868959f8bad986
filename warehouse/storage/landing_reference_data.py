"""The landing of reference data: listings of tools, agents, batches and tags, requests for prices and bills.

All of it is append-only. ``landing/tools``, ``landing/agents``, ``landing/batches`` and ``landing/tags`` have one file
per complete listing, or several merged (``landing_merge``), with a row for each item listed: a missing row means that
the item is gone; versions of agents never change, so each has one row. The row has the document only if no earlier
file has it. ``landing/prices`` has one file per round of price requests, ``landing/bills`` one per request.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from warehouse.schema.account_data import LANDED_AGENTS, LANDED_BATCHES, LANDED_BILLS, LANDED_TAGS
from warehouse.schema.reference_data import LANDED_PRICES, LANDED_TOOLS
from warehouse.schema.types import Table
from warehouse.storage import landing_files, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_sequence import CLOCK_TOLERANCE, file_name, next_number

ITEM_TABLES = (LANDED_TOOLS, LANDED_AGENTS, LANDED_BATCHES, LANDED_TAGS)
"""The tables of listings; the first column of their key is the id of an item."""
_LISTED_AT, _ASKED_AT = "listed_at", "asked_at"
"""Keys in the footer of a file."""


def folder(home: Home, table: Table) -> Path:
    """Where the files of a landed table are."""
    return home.landing / table.name


def land_items(home: Home, table: Table, listed_at: datetime, rows: Sequence[Mapping[str, object]]) -> None:
    """Append a complete listing, even an empty one."""
    data = parquet.frame(table, rows).sort(table.key[0])
    target = home.file(folder(home, table), file_name(next_number(home)))
    parquet.write_file(home, target, data, footer=listings_footer([listed_at]))


def listings_footer(listed_at: Iterable[datetime]) -> dict[str, str]:
    """The footer of a file with the rows of the listings that started at these times."""
    return {_LISTED_AT: " ".join(at.isoformat() for at in listed_at)}


def listing_times(file: Path) -> list[datetime]:
    """Start of each complete listing in a file."""
    return [datetime.fromisoformat(at) for at in pl.read_parquet_metadata(file)[_LISTED_AT].split()]


def item_listings(home: Home, table: Table) -> list[datetime]:
    """Start of each complete listing, in the order in which they landed."""
    return parquet.read_consistently(
        lambda: landing_files.list_files(home, folder(home, table)),
        lambda files: [at for file in files for at in listing_times(file)],
    )


def item_rows(home: Home, table: Table) -> pl.DataFrame:
    """Every row of every listing, in the order in which they landed; columns of the table."""
    return landing_files.read(home, table, folder(home, table))  # the names of the files sort so


def latest_documents(home: Home, table: Table) -> pl.DataFrame:
    """The latest landed row of each item that has its document; columns of the table."""
    rows = item_rows(home, table).filter(pl.col("payload").is_not_null())
    return rows.unique(table.key[0], keep="last", maintain_order=True)


def land_prices(home: Home, asked_at: datetime, rows: Sequence[Mapping[str, object]]) -> None:
    """Append the responses to a round of price requests, even none: the next is due some time after this one."""
    data = parquet.frame(LANDED_PRICES, rows).sort("agent_id")
    target = home.file(folder(home, LANDED_PRICES), file_name(next_number(home)))
    parquet.write_file(home, target, data, footer={_ASKED_AT: asked_at.isoformat()})


def price_rows(home: Home) -> pl.DataFrame:
    """Every response with prices, in the order in which they landed; columns of ``LANDED_PRICES``."""
    return parquet.read_files(LANDED_PRICES, home.files(folder(home, LANDED_PRICES)))  # the names of the files sort so


def price_requests(home: Home) -> list[datetime]:
    """Time of each round of price requests, in the order in which they landed."""
    files = home.files(folder(home, LANDED_PRICES))  # their names sort so
    return [datetime.fromisoformat(pl.read_parquet_metadata(file)[_ASKED_AT]) for file in files]


def latest_price_request_at(home: Home) -> datetime | None:
    """Time of the round of price requests that landed last; None if there was none."""
    return max(price_requests(home)[-1:], default=None)


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
