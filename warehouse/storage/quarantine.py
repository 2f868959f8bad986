"""The quarantine: items that a run could not take, by id and with the reason; each run tries them again.

``landing/quarantine`` has one row per item and attempt, without the content: credentials in something that cannot be
read could not be masked, and the API still has it.
"""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl

from warehouse.schema.account_data import LANDED_AGENTS, LANDED_BATCHES, LANDED_TAGS
from warehouse.schema.landing import LANDED_QUARANTINE
from warehouse.schema.operations import (
    AGENT_UNAVAILABLE,
    BATCH_UNAVAILABLE,
    MALFORMED_ROW,
    PRICE_UNAVAILABLE,
    QUARANTINE,
    TAG_UNREADABLE,
    TOOL_UNREADABLE,
)
from warehouse.schema.reference_data import LANDED_TOOLS
from warehouse.storage import landing, landing_files, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing import LANDING_ORDER, Listing
from warehouse.storage.landing_reference_data import item_listings, price_requests
from warehouse.storage.landing_sequence import file_name, next_number

TABLES_BY_REASON = {
    TOOL_UNREADABLE: LANDED_TOOLS,
    AGENT_UNAVAILABLE: LANDED_AGENTS,
    BATCH_UNAVAILABLE: LANDED_BATCHES,
    TAG_UNREADABLE: LANDED_TAGS,
}
"""The landed table of listed items, by the reason for which one is quarantined."""
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
"""No conversation starts before: a listing from here on is of all."""


def land(home: Home, rows: pl.DataFrame) -> None:
    """Record items that were quarantined: rows of ``QUARANTINE``, perhaps none."""
    if rows.is_empty():
        return
    number = next_number(home)
    numbered = rows.with_columns(sequence=pl.lit(number, pl.Int64)).select(LANDED_QUARANTINE.column_names)
    parquet.write_file(home, home.file(home.quarantine, file_name(number)), numbered)


def add(home: Home, item_id: str, *, at: datetime, reason: str, error: str) -> None:
    """Record one item; ``reason`` is one of those of the column, ``error`` quotes no content."""
    row = {"conversation_id": item_id, "fetched_at": at, "reason": reason, "error": error}
    land(home, parquet.frame(QUARANTINE, [row]))


def current(home: Home) -> pl.DataFrame:
    """What is quarantined at present: rows of ``QUARANTINE``.

    A conversation is until a later snapshot of it lands. A list row is for as long as listings show it, and after that
    until its conversation has a snapshot or, as its conversation may be unknown, a later listing that reaches as far
    back no longer shows it. A tool, a price, an agent, a batch and a tag are until they are listed or requested again.
    """
    rows = landing_files.read(home, LANDED_QUARANTINE, home.quarantine).with_columns(order=LANDING_ORDER)
    if rows.is_empty():
        return rows.select(QUARANTINE.column_names)
    latest = rows.sort("order", maintain_order=True).unique("conversation_id", keep="last", maintain_order=True)
    snapshots = landing.snapshots(home, latest["conversation_id"]).group_by("conversation_id")
    latest_rows = latest.join(snapshots.agg(landed_order=LANDING_ORDER.max()), "conversation_id", "left")
    is_landed = (pl.col("landed_order") > pl.col("order")).fill_null(value=False)
    earlier_times = {reason: item_listings(home, table)[:-1] for reason, table in TABLES_BY_REASON.items()}
    earlier_times[PRICE_UNAVAILABLE] = price_requests(home)[:-1]
    is_earlier = (
        (pl.col("reason") == reason) & pl.col("fetched_at").is_in(times) for reason, times in earlier_times.items()
    )
    is_settled = (
        pl.when(pl.col("reason") == MALFORMED_ROW)
        .then(_is_listed_again(home, latest_rows.filter(reason=MALFORMED_ROW), is_landed))
        .when(pl.col("reason").is_in(list(earlier_times)))
        .then(pl.any_horizontal(is_earlier))
        .otherwise(is_landed)
    )
    rows = latest_rows.filter(~is_settled.fill_null(value=False)).select(QUARANTINE.column_names)
    return rows.sort("fetched_at", "conversation_id")


def _is_listed_again(home: Home, malformed_rows: pl.DataFrame, is_landed: pl.Expr) -> pl.Expr:
    """Whether a listing of all agents after that of a malformed row settles it; see ``current``."""
    listings = landing.listings(home) if malformed_rows.height else []
    since = {listing.listed_at: listing.since for listing in listings}
    has_later, has_reaching = [], []
    for at, order in malformed_rows.select("fetched_at", "order").unique().rows():
        # Its own listing, of the same time, lands after the row.
        later = [listing for listing in listings if listing.agent_id is None and listing.order > order]
        later = [listing for listing in later if listing.listed_at != at]
        has_later += [order] if later else []
        has_reaching += [order] if any(_reaches_back(listing, since.get(at)) for listing in later) else []
    return pl.col("order").is_in(has_reaching) | (pl.col("order").is_in(has_later) & is_landed)


def _reaches_back(listing: Listing, since: datetime | None) -> bool:
    return listing.since is None or listing.since <= (since or BEGINNING)
