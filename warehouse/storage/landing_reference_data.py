"""The landing of what the API says beside conversations: listings of the tools, and askings for prices; append-only.

``landing/tools`` has a file a complete listing. Each tool that it showed has a row there, so that one that is missing
is known to be gone; its definition stands in the row only where no earlier file has it. ``landing/prices`` has a file
an asking.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import polars as pl

from warehouse.schema.reference_data import LANDED_PRICES, LANDED_TOOLS
from warehouse.storage import parquet
from warehouse.storage.home import Home

_LISTED_AT, _ASKED_AT = "listed_at", "asked_at"


def land_tools(home: Home, listed_at: datetime, rows: Sequence[Mapping[str, object]]) -> None:
    """Append a complete listing, even where it showed nothing."""
    data = parquet.frame(LANDED_TOOLS, rows)
    footer = {_LISTED_AT: listed_at.isoformat()}
    parquet.write_file(home, home.file(home.tools, _name(listed_at)), data, footer=footer)


def tool_listings(home: Home) -> list[datetime]:
    """When each complete listing began, oldest first."""
    footers = (pl.read_parquet_metadata(file) for file in home.files(home.tools))
    return sorted(datetime.fromisoformat(footer[_LISTED_AT]) for footer in footers)


def tool_rows(home: Home) -> pl.DataFrame:
    """Every row of every listing of the tools, oldest first; columns of ``LANDED_TOOLS``."""
    return parquet.read_files(LANDED_TOOLS, home.files(home.tools)).sort("listed_at", "tool_id")


def land_prices(home: Home, asked_at: datetime, rows: Sequence[Mapping[str, object]]) -> None:
    """Append the answers to an asking, even where there were none, so that it is known when it was."""
    data = parquet.frame(LANDED_PRICES, rows)
    parquet.write_file(home, home.file(home.prices, _name(asked_at)), data, footer={_ASKED_AT: asked_at.isoformat()})


def price_rows(home: Home) -> pl.DataFrame:
    """Every answer to every asking, oldest first; columns of ``LANDED_PRICES``."""
    return parquet.read_files(LANDED_PRICES, home.files(home.prices)).sort("asked_at", "agent_id")


def prices_asked_at(home: Home) -> datetime | None:
    """When prices were asked for last; None where they never were."""
    files = home.files(home.prices)  # their names sort by time
    return datetime.fromisoformat(pl.read_parquet_metadata(files[-1])[_ASKED_AT]) if files else None


def _name(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"
