"""What the API sends of tools and prices that the schema does not know: keys and types, counted as ``drift`` does.

Seen is when a tool was first listed as it is, or a price was asked for; the example is the tool or the agent. A key of
a parameter counts under its location, whatever it nests in: ``tools[].body{}.new_key``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

import msgspec
import polars as pl

from pipelines.transform.document_schema import paths
from pipelines.transform.lenient_decode import generic_path
from pipelines.transform.llm_prices import PRICE_TABLE
from pipelines.transform.tools import PARAMETER_TABLE, TOOL_TABLE
from warehouse.schema.operations import UNKNOWN_FIELDS
from warehouse.schema.reference_data import LLM_PRICES, TOOL_PARAMETERS, TOOLS
from warehouse.schema.types import display_path
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home

_keys_of = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_KNOWN = {
    known: frozenset(paths(each.shape))
    for known, each in (("tool", TOOL_TABLE), ("parameter", PARAMETER_TABLE), ("price", PRICE_TABLE))
}

UnknownField = tuple[str, str, datetime, str]
"""Whole path, kind, when it was seen, and an example."""


def count_unknown_reference(home: Home) -> pl.DataFrame:
    """Rows of ``unknown_fields``, those of tools and prices."""
    by_path: dict[str, list[UnknownField]] = defaultdict(list)
    for sighting in _sightings(home):
        by_path[sighting[0]].append(sighting)
    rows = []
    for path, seen in by_path.items():
        seen.sort(key=lambda each: each[2:])
        rows.append(
            {
                "path": path,
                "value": "",
                "kind": min(kind for _, kind, _, _ in seen),
                "n_rows": len(seen),
                "n_conversations": 0,
                "first_seen_at": seen[0][2],
                "last_seen_at": seen[-1][2],
                "example_id": seen[-1][3],
            }
        )
    return parquet.frame(UNKNOWN_FIELDS, rows).drop("workspace")


def _sightings(home: Home) -> Iterator[UnknownField]:
    """Each entry of ``extra`` of each row."""
    tools = lake.read(home, TOOLS, ["tool_id", "changed_at", "extra"])
    parameters = lake.read(home, TOOL_PARAMETERS, ["tool_id", "location", "extra"]).drop_nulls("extra")
    prices = lake.read(home, LLM_PRICES, ["agent_id", "asked_at", "extra"]).drop_nulls("extra")
    at_tool, at_price = display_path(TOOLS.at[0]), display_path(LLM_PRICES.at[0])
    for tool_id, changed_at, extra in tools.drop_nulls("extra").rows():
        yield from _entries("tool", at_tool, extra, changed_at, tool_id)
    changed = dict(tools.select("tool_id", "changed_at").rows())
    for tool_id, location, extra in parameters.rows():
        yield from _entries("parameter", f"{at_tool}.{location}{{}}", extra, changed[tool_id], tool_id)
    for agent_id, asked_at, extra in prices.rows():
        yield from _entries("price", at_price, extra, asked_at, agent_id)


def _entries(known: str, at: str, extra: str, seen_at: datetime, example_id: str) -> Iterator[UnknownField]:
    for path in map(generic_path, _keys_of(extra)):
        kind = "type" if path == "." or path in _KNOWN[known] else "key"
        yield f"{at}.{path}".removesuffix(".."), kind, seen_at, example_id
