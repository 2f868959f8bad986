"""From the list of tools to the lake: what lands of a listing, and the tables that the landing makes.

A tool's statistics of use change with every call, so they land in each listing, beside the definition, which lands only
when it has changed: ``changed_at`` and the versions are of the definition alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.extract.landing_rows import dump, fingerprint, load
from pipelines.privacy.mask_tools import mask_tool
from pipelines.privacy.pseudonyms import Pseudonyms
from pipelines.transform.tools import Definition, flatten_tools
from warehouse.schema.reference_data import TOOL_PARAMETERS, TOOL_VERSIONS, TOOLS
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import land_tools, tool_listings, tool_rows

STATISTICS = "usage_stats"


def land_listing(
    home: Home, tools: Mapping[str, Mapping[str, Any]], listed_at: datetime, pseudonyms: Pseudonyms | None = None
) -> None:
    """Land a complete listing (definitions by id), without credentials, and without people where they are hidden."""
    known = dict(_latest_contents(home).select("tool_id", "content_sha256").rows())
    land_tools(home, listed_at, [_row(*each, listed_at, known, pseudonyms) for each in tools.items()])


def _row(
    tool_id: str,
    tool: Mapping[str, Any],
    listed_at: datetime,
    known: Mapping[str, str],
    pseudonyms: Pseudonyms | None,
) -> dict[str, object]:
    masked = mask_tool(tool)
    if pseudonyms is not None:
        masked = pseudonyms.hide(masked)
    definition = {key: value for key, value in masked.items() if key != STATISTICS}
    content = fingerprint(definition)
    return {
        "tool_id": tool_id,
        "listed_at": listed_at,
        "content_sha256": content,
        "usage_stats": dump(masked.get(STATISTICS)),
        "payload": None if known.get(tool_id) == content else dump(definition),
    }


def refresh_tools(home: Home) -> None:
    """Write ``tools``, ``tool_parameters`` and ``tool_versions`` anew from the landing, where there is any."""
    listings = tool_listings(home)
    if not listings:
        return
    rows = tool_rows(home)
    tools, parameters = flatten_tools(_definitions(rows, listings[-1]))
    lake.write_whole(home, TOOL_PARAMETERS, parameters)
    lake.write_whole(home, TOOL_VERSIONS, _versions(rows))
    lake.write_whole(home, TOOLS, tools)


def _latest_contents(home: Home) -> pl.DataFrame:
    """The definition of each tool that was landed last."""
    landed = tool_rows(home).filter(pl.col("payload").is_not_null())
    return landed.unique("tool_id", keep="last", maintain_order=True)


def _definitions(rows: pl.DataFrame, last_listing: datetime) -> Iterator[Definition]:
    """Each tool that was ever listed, as it was listed last."""
    latest = rows.group_by("tool_id", maintain_order=True).agg(
        pl.col("content_sha256", "usage_stats").last(),
        pl.col("payload").drop_nulls().last(),
        changed_at=pl.col("listed_at").filter(pl.col("payload").is_not_null()).last(),
        first_seen_at=pl.col("listed_at").first(),
        last_seen_at=pl.col("listed_at").last(),
    )
    for row in latest.iter_rows(named=True):
        yield Definition(
            row["tool_id"],
            load(row["payload"]) | {STATISTICS: load(row["usage_stats"])},
            row["content_sha256"],
            row["first_seen_at"],
            row["changed_at"],
            row["last_seen_at"],
            row["last_seen_at"] < last_listing,
        )


def _versions(rows: pl.DataFrame) -> pl.DataFrame:
    """A row for each definition that a tool had, with the paths that differ from the one before."""
    before: dict[str, Any] = {}
    versions = []
    for row in rows.filter(pl.col("payload").is_not_null()).iter_rows(named=True):
        tool_id, definition = row["tool_id"], load(row["payload"])
        changes = sorted(set(_differences(before[tool_id], definition))) if tool_id in before else None
        before[tool_id] = definition
        versions.append(
            {
                "tool_id": tool_id,
                "valid_from_at": row["listed_at"],
                "content_sha256": row["content_sha256"],
                "changes": None if changes is None else dump(changes).decode(),
            }
        )
    return parquet.frame(TOOL_VERSIONS, versions)


def _differences(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Paths, from the tool's configuration on, at which two definitions differ; a list counts as one value."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}".removeprefix("."))
    elif old != new:
        yield path.removeprefix("tool_config.")
