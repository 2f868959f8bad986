"""Schema drift of what comes from no conversation: the rows of the lake to look at; ``unknown_fields`` counts them.

A tool, configuration, branch, batch or tag was seen when it was first listed as it is, a version when it was first
listed, a price or bill when it was fetched. The example is the id of the tool, agent, batch or tag; of a bill, its
basis. A key of a parameter counts under the location of the parameter, however deep it is: ``tools[].body{}.new_key``.
Keys that the vendor documents and no column has (``documented_keys``) do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import polars as pl

from pipelines.transform import agent_configs, listed_items
from pipelines.transform.bills import unread_fields
from pipelines.transform.document_schema import paths
from pipelines.transform.llm_prices import PRICE_TABLE
from pipelines.transform.record_tables import RECORD_ITSELF, RecordTable
from pipelines.transform.tools import PARAMETER_TABLE, TOOL_TABLE
from pipelines.transform.unknown_fields import count_keys, count_rows
from warehouse.schema.account_data import (
    AGENT_BRANCHES,
    AGENT_CONFIGS,
    AGENT_VERSIONS,
    BATCH_CALLS,
    TAG_DEFINITIONS,
)
from warehouse.schema.documented_keys import DOCUMENTED_KEYS
from warehouse.schema.reference_data import LLM_PRICES, TOOL_PARAMETERS, TOOLS
from warehouse.schema.types import Table, display_path
from warehouse.storage import lake
from warehouse.storage.home import Home

BILL_PATH = "usage"


class _Records(NamedTuple):
    """A table, and its columns that say whose a row is and when it was seen."""

    table: Table
    record_table: RecordTable
    id_column: str
    time_column: str


_RECORDS = (
    _Records(TOOLS, TOOL_TABLE, "tool_id", "changed_at"),
    _Records(LLM_PRICES, PRICE_TABLE, "agent_id", "asked_at"),
    _Records(AGENT_CONFIGS, agent_configs.RECORDS[AGENT_CONFIGS.name], "agent_id", "valid_from_at"),
    _Records(AGENT_BRANCHES, agent_configs.RECORDS[AGENT_BRANCHES.name], "agent_id", "valid_from_at"),
    _Records(AGENT_VERSIONS, agent_configs.RECORDS[AGENT_VERSIONS.name], "agent_id", "first_seen_at"),
    _Records(BATCH_CALLS, listed_items.RECORDS[BATCH_CALLS.name], "batch_call_id", "changed_at"),
    _Records(TAG_DEFINITIONS, listed_items.RECORDS[TAG_DEFINITIONS.name], "tag_id", "changed_at"),
)


def reference_occurrences(home: Home) -> Iterator[pl.DataFrame]:
    """Unknown keys and types of tools, their parameters, prices, agents, batches, tags and bills."""
    for records in _RECORDS:
        rows = lake.read(home, records.table, [records.id_column, records.time_column, "extra"])
        rows = rows.rename({records.id_column: "example_id", records.time_column: "seen_at"})
        yield from _count(records.record_table, display_path(records.table.at[0]), rows, records.table.name)
    tools = lake.read(home, TOOLS, ["tool_id", "changed_at"])
    parameters = lake.read(home, TOOL_PARAMETERS, ["tool_id", "location", "extra"]).join(tools, "tool_id")
    parameters = parameters.rename({"tool_id": "example_id", "changed_at": "seen_at"})
    for (location,), rows_at_location in parameters.group_by("location"):
        yield from _count(PARAMETER_TABLE, f"{display_path(TOOLS.at[0])}.{location}{{}}", rows_at_location)
    fields = unread_fields(home).with_columns(pl.format(f"{BILL_PATH}.{{}}", "path").alias("path"))
    yield count_rows(fields.with_columns(kind=pl.lit("key"), value=pl.lit("")))


def _count(
    record_table: RecordTable, row_path: str, rows: pl.DataFrame, table_name: str = ""
) -> Iterator[pl.DataFrame]:
    known_paths = [f"{row_path}.{path}" for path in (RECORD_ITSELF, *paths(record_table.shape))]
    documented_paths = [f"{row_path}.{path}" for path in DOCUMENTED_KEYS.get(table_name, ())]
    rows_with_extra = rows.drop_nulls("extra").select("example_id", "seen_at", "extra")
    for occurrences in count_keys(row_path, rows_with_extra, known_paths):
        unknown_keys = occurrences.filter(~pl.col("path").is_in(documented_paths))
        yield unknown_keys.with_columns(pl.col("path").str.strip_suffix(f".{RECORD_ITSELF}"))
