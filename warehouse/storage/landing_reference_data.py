"""The landing of reference data: complete listings of the tools, and requests for LLM prices; append-only.

``landing/tools`` has one file per complete listing, or several merged (``landing_merge``), with a row for each tool
listed, so that a missing row means that the tool is gone. The row has the tool's definition only if no earlier file has
it. ``landing/prices`` has one file per round of price requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from warehouse.schema.reference_data import LANDED_PRICES, LANDED_TOOLS
from warehouse.storage import landing_files, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_sequence import file_name, next_number

_LISTED_AT, _ASKED_AT = "listed_at", "asked_at"
"""Keys in the footer of a file."""


def land_tools(home: Home, listed_at: datetime, rows: Sequence[Mapping[str, object]]) -> None:
    """Append a complete listing, even an empty one."""
    data = parquet.frame(LANDED_TOOLS, rows).sort("tool_id")
    target = home.file(home.tools, file_name(next_number(home)))
    parquet.write_file(home, target, data, footer=listings_footer([listed_at]))


def listings_footer(listed_at: Iterable[datetime]) -> dict[str, str]:
    """The footer of a file with the rows of the listings that started at these times."""
    return {_LISTED_AT: " ".join(at.isoformat() for at in listed_at)}


def listing_times(file: Path) -> list[datetime]:
    """Start of each complete listing in a file."""
    return [datetime.fromisoformat(at) for at in pl.read_parquet_metadata(file)[_LISTED_AT].split()]


def listings_in(home: Home, folder: Path) -> list[datetime]:
    """Start of each complete listing in a folder, in the order in which they landed."""
    return parquet.read_consistently(
        lambda: landing_files.list_files(home, folder),
        lambda files: [at for file in files for at in listing_times(file)],
    )


def tool_listings(home: Home) -> list[datetime]:
    """Start of each complete listing of the tools, in the order in which they landed."""
    return listings_in(home, home.tools)


def tool_rows(home: Home) -> pl.DataFrame:
    """Every row of every listing of the tools, in the order in which they landed; columns of ``LANDED_TOOLS``."""
    return landing_files.read(home, LANDED_TOOLS, home.tools)  # the names of the files sort so


def land_prices(home: Home, asked_at: datetime, rows: Sequence[Mapping[str, object]]) -> None:
    """Append the responses to a round of price requests, even none: the next is due some time after this one."""
    data = parquet.frame(LANDED_PRICES, rows).sort("agent_id")
    target = home.file(home.prices, file_name(next_number(home)))
    parquet.write_file(home, target, data, footer={_ASKED_AT: asked_at.isoformat()})


def price_rows(home: Home) -> pl.DataFrame:
    """Every response with prices, in the order in which they landed; columns of ``LANDED_PRICES``."""
    return parquet.read_files(LANDED_PRICES, home.files(home.prices))  # the names of the files sort so


def price_requests(home: Home) -> list[datetime]:
    """Time of each round of price requests, in the order in which they landed."""
    files = home.files(home.prices)  # their names sort so
    return [datetime.fromisoformat(pl.read_parquet_metadata(file)[_ASKED_AT]) for file in files]


def latest_price_request_at(home: Home) -> datetime | None:
    """Time of the round of price requests that landed last; None if there was none."""
    return max(price_requests(home)[-1:], default=None)
