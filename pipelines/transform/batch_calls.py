"""Landed batches of outbound calls become rows of ``batch_calls``, one per batch that was ever listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from pipelines.transform.canonical_json import load
from pipelines.transform.record_tables import RecordTable
from warehouse.schema.account_data import BATCH_CALLS, LANDED_BATCHES
from warehouse.storage import lake
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import item_listings, item_rows

BATCH_TABLE = RecordTable(BATCH_CALLS)


def refresh_batch_calls(home: Home) -> None:
    """Rebuild ``batch_calls`` from the landing, unless no listing was landed."""
    listings = item_listings(home, LANDED_BATCHES)
    if not listings:
        return
    latest = (
        item_rows(home, LANDED_BATCHES)
        .group_by("item_id", maintain_order=True)
        .agg(
            pl.col("payload").drop_nulls().last(),
            pl.col("content_sha256", "listed_at").last(),
            changed_at=pl.col("listed_at").filter(pl.col("payload").is_not_null()).last(),
        )
        .drop_nulls("payload")
        .with_columns(is_gone=pl.col("listed_at") != listings[-1])
    )
    columns = {
        "batch_call_id": latest["item_id"].to_list(),
        "changed_at": latest["changed_at"].to_list(),
        "last_seen_at": latest["listed_at"].to_list(),
        "is_gone": latest["is_gone"].to_list(),
        "content_sha256": latest["content_sha256"].to_list(),
    }
    lake.overwrite_table(home, BATCH_CALLS, _frame([load(payload) for payload in latest["payload"]], columns))


def check_batch(batch_id: str, document: Mapping[str, Any]) -> None:
    """Flatten one batch.

    Raises:
        Exception: it cannot be flattened.
    """
    names = ("changed_at", "last_seen_at", "is_gone", "content_sha256")
    _frame([document], {"batch_call_id": [batch_id]} | {name: [None] for name in names})


def _frame(documents: list[Mapping[str, Any]], columns: dict[str, list[Any]]) -> pl.DataFrame:
    return BATCH_TABLE.frame([BATCH_TABLE.read(dict(document)) for document in documents], columns)
