"""The workspace's tools become rows: one a tool, and one a parameter of its schemas, whatever they nest."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl

from pipelines.transform.canonical_json import dump, load
from pipelines.transform.record_tables import RecordTable
from warehouse.schema.reference_data import TOOL_PARAMETERS, TOOL_VERSIONS, TOOLS
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import tool_listings, tool_rows

ROOT = "$"
"""Name of a schema itself among its parameters, as in JSONPath."""
REQUESTS = {"api_schema": "", "base_api_schema": "base_", "api_schema_overrides": "override_"}
"""Keys of a tool's configuration that hold the schema of a request, with the prefix of their locations."""

TOOL_TABLE = RecordTable(TOOLS)
PARAMETER_TABLE = RecordTable(TOOL_PARAMETERS)
_OWN = ("tool_id", "first_seen_at", "changed_at", "last_seen_at", "is_gone", "content_sha256")
_PLACE = ("tool_id", "location", "name", "is_required")
_PLAIN_NAME = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool as it was listed last, and what the landing knows of it beside its content."""

    tool_id: str
    document: Mapping[str, Any]
    content_sha256: str
    first_seen_at: datetime
    changed_at: datetime
    last_seen_at: datetime
    is_gone: bool


class _Node(NamedTuple):
    """A schema on the way through a tool: where it stands, and whether what it is in requires it."""

    location: str
    name: str
    schema: Any
    is_required: bool | None = None


def flatten_tools(definitions: Iterable[ToolDefinition]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Frames of ``tools`` and of ``tool_parameters``."""
    tools = list(definitions)
    parameters = [(each.tool_id, *row) for each in tools for row in _parameters(each.document.get("tool_config"))]
    places = {name: [row[at] for row in parameters] for at, name in enumerate(_PLACE)}
    return (
        TOOL_TABLE.frame(
            [TOOL_TABLE.read(dict(each.document)) for each in tools],
            {name: [getattr(each, name) for each in tools] for name in _OWN},
        ),
        PARAMETER_TABLE.frame([row[-1] for row in parameters], places),
    )


def _parameters(config: Any) -> Iterator[tuple[str, str, bool | None, Any]]:
    """Location, name, whether it is required, and struct of each parameter of a tool.

    The walk keeps its own stack, as schemas nest to any depth.
    """
    waiting = list(_roots(_object(config)))
    while waiting:
        node = waiting.pop()
        made = PARAMETER_TABLE.read(node.schema)
        yield node.location, node.name, node.is_required, made
        required = made.required if isinstance(made.required, list) else None
        for key, schema in (made.properties or {}).items():
            below = None if required is None else key in required
            waiting.append(_Node(node.location, _joined(node.name, key), schema, below))
        if made.items is not None:
            waiting.append(_Node(node.location, f"{node.name}[]", made.items))


def _roots(config: Mapping[str, Any]) -> Iterator[_Node]:
    """Where a tool's schemas begin."""
    if config.get("parameters") is not None:
        yield _Node("parameters", ROOT, config["parameters"])
    for key, prefix in REQUESTS.items():
        request = _object(config.get(key))
        for name, schema in _object(request.get("path_params_schema")).items():
            yield _Node(f"{prefix}path", _joined(ROOT, name), schema)
        for part, location in (("query_params", "query"), ("request_body", "body"), ("response_body", "response")):
            if request.get(f"{part}_schema") is not None:
                yield _Node(f"{prefix}{location}", ROOT, request[f"{part}_schema"])
        for name, value in _object(request.get("request_headers")).items():
            yield _Node(f"{prefix}header", _joined(ROOT, name), _provider(value))
    variables = _object(_object(config.get("dynamic_variables")).get("dynamic_variable_placeholders"))
    for name, value in variables.items():
        yield _Node("dynamic_variable", _joined(ROOT, name), {"constant_value": value})


def _provider(header: Any) -> dict[str, Any]:
    """What provides a header's value, in the words of a parameter; a plain value is not shown, even masked."""
    known = {"variable_name": "dynamic_variable"}
    return {known.get(key, key): value for key, value in _object(header).items()}


def _joined(name: str, key: str) -> str:
    """Name of a parameter below another; a key that could be mistaken for a way stands in quotes and brackets."""
    is_plain = _PLAIN_NAME.fullmatch(key) is not None
    part = key if is_plain else f"[{json.dumps(key, ensure_ascii=False)}]"
    if name == ROOT:
        return part
    return f"{name}.{part}" if is_plain else f"{name}{part}"


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


STATISTICS = "usage_stats"


def refresh_tools(home: Home) -> None:
    """Write ``tools``, ``tool_parameters`` and ``tool_versions`` anew from the landing, where there is any."""
    listings = tool_listings(home)
    if not listings:
        return
    rows = tool_rows(home)
    tools, parameters = flatten_tools(_definitions(rows, listings[-1]))
    lake.overwrite_table(home, TOOL_PARAMETERS, parameters)
    lake.overwrite_table(home, TOOL_VERSIONS, _versions(rows))
    lake.overwrite_table(home, TOOLS, tools)


def latest_definitions(home: Home) -> pl.DataFrame:
    """The definition of each tool that was landed last."""
    landed = tool_rows(home).filter(pl.col("payload").is_not_null())
    return landed.unique("tool_id", keep="last", maintain_order=True)


def _definitions(rows: pl.DataFrame, last_listing: datetime) -> Iterator[ToolDefinition]:
    """Each tool that was ever listed, as it was listed last."""
    latest = rows.group_by("tool_id", maintain_order=True).agg(
        pl.col("content_sha256", "usage_stats").last(),
        pl.col("payload").drop_nulls().last(),
        changed_at=pl.col("listed_at").filter(pl.col("payload").is_not_null()).last(),
        first_seen_at=pl.col("listed_at").first(),
        last_seen_at=pl.col("listed_at").last(),
    )
    for row in latest.iter_rows(named=True):
        yield ToolDefinition(
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
