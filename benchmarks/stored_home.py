"""A home folder that holds many conversations already: landed directly, as a sync would have landed them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import polars as pl

from benchmarks.corpus import Call, corpus
from pipelines.api.responses import parse_page
from pipelines.clock import utc_now
from pipelines.extract.landing_rows import list_row, snapshot_row
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.storage import landing, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing import Listing

SEGMENT = 400
"""Documents a segment, as the sync lands them."""


def land(folder: Path, count: int) -> int:
    """Land the corpus and its listing, oldest first; say how many conversations that are."""
    home, now = Home(folder).open(), utc_now()
    calls = corpus(count)
    rows = [parquet.frame(LANDED_LISTINGS, [])]
    waiting = reversed(calls)
    while segment := list(islice(waiting, SEGMENT)):
        listed = [list_row(row, now) for row in _page(segment)]
        landing.land_documents(
            home,
            [
                snapshot_row({**row, "content_sha256": None}, call.detail, now)
                for row, call in zip(listed, segment, strict=True)
            ],
        )
        rows.append(parquet.frame(LANDED_LISTINGS, listed))
    landing.land_listing(home, Listing(now, None, now), pl.concat(rows))
    return len(calls)


def _page(segment: list[Call]) -> list:
    rows = b",".join(call.row for call in segment)
    return parse_page(b'{"conversations":[' + rows + b'],"has_more":false}').conversations
