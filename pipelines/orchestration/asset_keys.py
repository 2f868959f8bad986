"""Asset keys: the qualified name of the table in SQL."""

from __future__ import annotations

import dagster as dg

KINDS = {
    "landing": {"python", "parquet"},
    "lake": {"polars", "parquet"},
    "seeds": {"csv", "duckdb"},
    "model": {"sql", "duckdb"},
}
"""The technology tags of an asset in Dagster's graph, by group."""


def asset_key(name: str) -> dg.AssetKey:
    """The asset key of a qualified name such as ``lake.turns``."""
    return dg.AssetKey(name.split("."))


def op_name(key: dg.AssetKey) -> str:
    """The op that materializes a single asset, under its name in run config."""
    return "__".join(key.path)
