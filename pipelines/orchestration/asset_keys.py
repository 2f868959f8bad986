"""Asset keys: the qualified name of the table in SQL, after the prefix of the code location if it has one."""

from __future__ import annotations

import dagster as dg

from pipelines.settings import load_settings

PREFIX = tuple(filter(None, [load_settings().asset_prefix]))
"""Read at import, as assets are declared then. A process is of one code location, and so of one prefix."""
KINDS = {
    "landing": {"python", "parquet"},
    "lake": {"polars", "parquet"},
    "seeds": {"csv", "duckdb"},
    "model": {"sql", "duckdb"},
}
"""The technology tags of an asset in Dagster's graph, by group."""


GROUPS = {
    name: f"{number}_{name}"
    for number, name in enumerate(
        ("landing", "lake", "seeds", "staging", "intermediate", "marts", "metrics", "upstream", "publish"), 1
    )
}
"""Groups by schema, with a number because Dagster's page sorts them by name: in the order in which the data flows."""
UPSTREAM_GROUP = GROUPS["upstream"]
"""Assets that need more requests than conversations do, and that run only on demand."""


def asset_key(name: str) -> dg.AssetKey:
    """The asset key of a qualified name such as ``lake.turns``."""
    return dg.AssetKey([*PREFIX, *name.split(".")])


def table_name(key: dg.AssetKey) -> str:
    """The qualified name of an asset: its key without the prefix."""
    return ".".join(key.path[len(PREFIX) :])


def schema_of(key: dg.AssetKey) -> str:
    """The schema of an asset, or ``landing``, ``lake``, and so on."""
    return key.path[len(PREFIX)]


def op_name(key: dg.AssetKey) -> str:
    """The op that materializes a single asset, under its name in run config."""
    return "__".join(key.path)
