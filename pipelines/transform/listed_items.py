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

TABLES = {LANDED_BATCHES.name: BATCH_CALLS, LANDED_TAGS.name: TAG_DEFINITIONS}
"""The table of the lake, by the name of the landed one."""
RECORDS = {table.name: RecordTable(table) for table in TABLES.values()}
Document = Mapping[str, Any]


def refresh_items(home: Home, landed_table: Table) -> None:
    """Rebuild the table of a landed one, unless no listing was landed."""
    table = TABLES[landed_table.name]
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


def check_item(landed_table: Table, item_id: str, document: Document) -> None:
    """Flatten one item.

    Raises:
        Exception: it cannot be flattened.
    """
    table = TABLES[landed_table.name]
    names = ("changed_at", "last_seen_at", "is_gone", "content_sha256")
    _frame(table, [document], {_id_column(table): [item_id]} | {name: [None] for name in names})


def _id_column(table: Table) -> str:
    return table.key[-1]


def _frame(table: Table, documents: list[Document], columns: Mapping[str, list[Any]]) -> pl.DataFrame:
    records = RECORDS[table.name]
    derived_columns = {name: values for name, values in columns.items() if name in table.column_names}
    return records.frame([records.read(dict(document)) for document in documents], derived_columns)
