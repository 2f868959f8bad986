"""A home folder that already holds many conversations, landed directly and as a sync would have landed them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import polars as pl

from benchmarks.corpus import Conversation, corpus
from pipelines.api.responses import parse_page
from pipelines.clock import utc_now
from pipelines.extract.landing_rows import list_row, read_row
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.storage import landing, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing import Listing

SEGMENT = 400
"""Documents in a segment file, as the sync writes them."""


def land(folder: Path, count: int) -> int:
    """Land the corpus and its listing, oldest first; returns the number of conversations."""
    home, now = Home(folder).open(), utc_now()
    conversations = corpus(count)
    rows = [parquet.frame(LANDED_LISTINGS, [])]
    remaining = reversed(conversations)
    while segment := list(islice(remaining, SEGMENT)):
        listed = [list_row(row, now) for row in _page(segment)]
        landing.land_documents(
            home,
            [
                read_row({**row, "content_sha256": None}, conversation.detail, now)
                for row, conversation in zip(listed, segment, strict=True)
            ],
        )
        rows.append(parquet.frame(LANDED_LISTINGS, listed))
    landing.land_listing(home, Listing(now, None, now), pl.concat(rows))
    return len(conversations)


def _page(segment: list[Conversation]) -> list:
    rows = b",".join(conversation.row for conversation in segment)
    return parse_page(b'{"conversations":[' + rows + b'],"has_more":false}').conversations
