"""Names of the assets: schema and table, as SQL calls them."""

from __future__ import annotations

import dagster as dg

KINDS = {
    "landing": {"python", "parquet"},
    "lake": {"polars", "parquet"},
    "seeds": {"csv", "duckdb"},
    "model": {"sql", "duckdb"},
}
"""What the graph's tags say of an asset's technology."""


def asset_key(name: str) -> dg.AssetKey:
    """Asset of a qualified name such as ``lake.turns``."""
    return dg.AssetKey(name.split("."))


def op_name(key: dg.AssetKey) -> str:
    """Name of the op that makes a single asset, as run config calls it."""
    return "__".join(key.path)
