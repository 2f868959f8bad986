"""Landed batches of calls and tags become rows of ``batch_calls`` and ``tag_definitions``, one per item ever listed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from pipelines.transform.canonical_json import load
from pipelines.transform.record_tables import RecordTable
from warehouse.schema.account_data import BATCH_CALLS, LANDED_BATCHES, LANDED_TAGS, TAG_DEFINITIONS
from warehouse.schema.types import Table
from warehouse.storage import lake
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import item_listings, item_rows

RECORDS = {table.name: RecordTable(table) for table in (BATCH_CALLS, TAG_DEFINITIONS)}
Document = Mapping[str, Any]


def refresh_batch_calls(home: Home) -> None:
    """Rebuild ``batch_calls`` from the landing, unless no listing was landed."""
    _refresh(home, LANDED_BATCHES, BATCH_CALLS)


def refresh_tag_definitions(home: Home) -> None:
    """Rebuild ``tag_definitions`` from the landing, unless no listing was landed."""
    _refresh(home, LANDED_TAGS, TAG_DEFINITIONS)


def check_batch(batch_id: str, document: Document) -> None:
    """Flatten one batch.

    Raises:
        Exception: it cannot be flattened.
    """
    _check(BATCH_CALLS, batch_id, document)


def check_tag(tag_id: str, document: Document) -> None:
    """Flatten one tag.

    Raises:
        Exception: it cannot be flattened.
    """
    _check(TAG_DEFINITIONS, tag_id, document)


def _refresh(home: Home, landed_table: Table, table: Table) -> None:
    listings = item_listings(home, landed_table)
    if not listings:
        return
    latest = (
        item_rows(home, landed_table)
        .group_by("item_id", maintain_order=True)
        .agg(
            pl.col("payload").drop_nulls().last(),
            pl.col("content_sha256").last(),
            last_seen_at=pl.col("listed_at").last(),
            changed_at=pl.col("listed_at").filter(pl.col("payload").is_not_null()).last(),
        )
        .drop_nulls("payload")
        .with_columns(is_gone=pl.col("last_seen_at") != listings[-1])
    )
    documents = [load(payload) for payload in latest["payload"]]
    columns = latest.drop("payload").rename({"item_id": _id_column(table)})
    lake.overwrite_table(home, table, _frame(table, documents, columns.to_dict(as_series=False)))


def _check(table: Table, item_id: str, document: Document) -> None:
    names = ("changed_at", "last_seen_at", "is_gone", "content_sha256")
    _frame(table, [document], {_id_column(table): [item_id]} | {name: [None] for name in names})


def _id_column(table: Table) -> str:
    return table.key[-1]


def _frame(table: Table, documents: list[Document], columns: Mapping[str, list[Any]]) -> pl.DataFrame:
    records = RECORDS[table.name]
    derived_columns = {name: values for name, values in columns.items() if name in table.column_names}
    return records.frame([records.read(dict(document)) for document in documents], derived_columns)
