"""Schema drift of tools and prices: the rows of the lake to look at; ``unknown_fields`` counts them.

A tool was seen when it was first listed with its current definition, a price when it was fetched. The example is the
id of the tool or of the agent. A key of a parameter counts under the location of the parameter, whatever it nests in:
``tools[].body{}.new_key``.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from pipelines.transform.document_schema import paths
from pipelines.transform.llm_prices import PRICE_TABLE
from pipelines.transform.record_tables import RECORD_ITSELF, RecordTable
from pipelines.transform.tools import PARAMETER_TABLE, TOOL_TABLE
from pipelines.transform.unknown_fields import count_keys
from warehouse.schema.reference_data import LLM_PRICES, TOOL_PARAMETERS, TOOLS
from warehouse.schema.types import display_path
from warehouse.storage import lake
from warehouse.storage.home import Home

_TOOL_PATH, _PRICE_PATH = display_path(TOOLS.at[0]), display_path(LLM_PRICES.at[0])


def reference_occurrences(home: Home) -> Iterator[pl.DataFrame]:
    """Unknown keys and types of tools, of their parameters, and of prices."""
    tools = lake.read(home, TOOLS, ["tool_id", "changed_at", "extra"])
    yield from _count(TOOL_TABLE, _TOOL_PATH, tools.select("extra", example_id="tool_id", seen_at="changed_at"))
    parameters = lake.read(home, TOOL_PARAMETERS, ["tool_id", "location", "extra"])
    rows = parameters.join(tools.drop("extra"), "tool_id").rename({"tool_id": "example_id", "changed_at": "seen_at"})
    for (location,), rows_at_location in rows.group_by("location"):
        yield from _count(PARAMETER_TABLE, f"{_TOOL_PATH}.{location}{{}}", rows_at_location)
    prices = lake.read(home, LLM_PRICES, ["agent_id", "asked_at", "extra"])
    yield from _count(PRICE_TABLE, _PRICE_PATH, prices.select("extra", example_id="agent_id", seen_at="asked_at"))


def _count(table: RecordTable, row_path: str, rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    known_paths = [f"{row_path}.{path}" for path in (RECORD_ITSELF, *paths(table.shape))]
    rows_with_extra = rows.drop_nulls("extra").select("example_id", "seen_at", "extra")
    for occurrences in count_keys(row_path, rows_with_extra, known_paths):
        yield occurrences.with_columns(pl.col("path").str.strip_suffix(f".{RECORD_ITSELF}"))
