"""The tools of a workspace become rows: one per tool, one per parameter of its schemas, one per version."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import polars as pl

from pipelines.transform.canonical_json import dump, load
from pipelines.transform.history import changed_paths, valid_from
from pipelines.transform.record_tables import RecordTable
from warehouse.schema.reference_data import LANDED_TOOLS, TOOL_PARAMETERS, TOOL_VERSIONS, TOOLS
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import item_listings, item_rows

STATISTICS = "usage_stats"
"""Key of a listed tool that is not part of its definition: it changes without a new version of the tool."""

ROOT = "$"
"""Name of the root of a schema among its parameters, as in JSONPath."""
REQUEST_SCHEMAS = {"api_schema": "", "base_api_schema": "base_", "api_schema_overrides": "override_"}
"""Keys of a tool's configuration that hold the schema of a request, with the prefix of their locations."""

TOOL_TABLE = RecordTable(TOOLS)
PARAMETER_TABLE = RecordTable(TOOL_PARAMETERS)
_DERIVED_COLUMNS = ("tool_id", "first_seen_at", "changed_at", "last_seen_at", "is_gone", "content_sha256")
_EPOCH = datetime.fromtimestamp(0, UTC)
_PLAIN_NAME = re.compile(r"[\w-]+")


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool as it was last listed, and the columns that only the landing knows."""

    tool_id: str
    document: Mapping[str, Any]
    content_sha256: str
    first_seen_at: datetime
    changed_at: datetime
    last_seen_at: datetime
    is_gone: bool


class _SchemaNode(NamedTuple):
    """A schema inside a tool, with its place; ``is_required`` is None where its parent has no list of required keys."""

    location: str
    name: str
    schema: Any
    is_required: bool | None = None


class _Parameter(NamedTuple):
    """A row of ``tool_parameters``: its key, and the struct of its schema."""

    tool_id: str
    location: str
    name: str
    is_required: bool | None
    struct: Any


def flatten_tools(definitions: Iterable[ToolDefinition]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Frames of ``tools`` and of ``tool_parameters``."""
    tools = list(definitions)
    parameters = [parameter for tool in tools for parameter in _parameters(tool)]
    return (
        TOOL_TABLE.frame(
            [TOOL_TABLE.read(dict(tool.document)) for tool in tools],
            {name: [getattr(tool, name) for tool in tools] for name in _DERIVED_COLUMNS},
        ),
        PARAMETER_TABLE.frame(
            [parameter.struct for parameter in parameters],
            {
                name: [getattr(parameter, name) for parameter in parameters]
                for name in ("tool_id", "location", "name", "is_required")
            },
        ),
    )


def check_tool(tool_id: str, document: Mapping[str, Any]) -> None:
    """Flatten one tool.

    Raises:
        Exception: it cannot be flattened.
    """
    flatten_tools([ToolDefinition(tool_id, document, "", _EPOCH, _EPOCH, _EPOCH, is_gone=False)])


def _parameters(tool: ToolDefinition) -> Iterator[_Parameter]:
    """Every schema of a tool, at any depth. The stack is explicit, as schemas may nest deeper than Python recurses."""
    stack = list(_root_schemas(_object_or_empty(tool.document.get("tool_config"))))
    while stack:
        node = stack.pop()
        schema = PARAMETER_TABLE.read(node.schema)
        yield _Parameter(tool.tool_id, node.location, node.name, node.is_required, schema)
        required_keys = schema.required if isinstance(schema.required, list) else None
        for key, property_schema in (schema.properties or {}).items():
            is_required = None if required_keys is None else key in required_keys
            stack.append(_SchemaNode(node.location, _join_name(node.name, key), property_schema, is_required))
        if schema.items is not None:
            stack.append(_SchemaNode(node.location, f"{node.name}[]", schema.items))


def _root_schemas(config: Mapping[str, Any]) -> Iterator[_SchemaNode]:
    """The outermost schemas of a tool's configuration."""
    if config.get("parameters") is not None:
        yield _SchemaNode("parameters", ROOT, config["parameters"])
    for key, prefix in REQUEST_SCHEMAS.items():
        request = _object_or_empty(config.get(key))
        for name, schema in _object_or_empty(request.get("path_params_schema")).items():
            yield _SchemaNode(f"{prefix}path", _join_name(ROOT, name), schema)
        for part, location in (("query_params", "query"), ("request_body", "body"), ("response_body", "response")):
            if request.get(f"{part}_schema") is not None:
                yield _SchemaNode(f"{prefix}{location}", ROOT, request[f"{part}_schema"])
        for name, value in _object_or_empty(request.get("request_headers")).items():
            yield _SchemaNode(f"{prefix}header", _join_name(ROOT, name), _header_schema(value))
    variables = _object_or_empty(_object_or_empty(config.get("dynamic_variables")).get("dynamic_variable_placeholders"))
    for name, value in variables.items():
        yield _SchemaNode("dynamic_variable", _join_name(ROOT, name), {"constant_value": value})


def _header_schema(header: Any) -> dict[str, Any]:
    """What fills a header, in the keys of a parameter. A plain value is left out: even masked, it may be secret."""
    renamed_keys = {"variable_name": "dynamic_variable"}
    return {renamed_keys.get(key, key): value for key, value in _object_or_empty(header).items()}


def _join_name(parent: str, key: str) -> str:
    """Name of a parameter below another one; a key that could be read as a path is quoted in brackets."""
    is_plain = _PLAIN_NAME.fullmatch(key) is not None
    part = key if is_plain else f"[{json.dumps(key, ensure_ascii=False)}]"
    if parent == ROOT:
        return part
    return f"{parent}.{part}" if is_plain else f"{parent}{part}"


def _object_or_empty(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def refresh_tools(home: Home) -> None:
    """Rebuild ``tools``, ``tool_parameters`` and ``tool_versions`` from the landing, unless no listing was landed."""
    listings = item_listings(home, LANDED_TOOLS)
    if not listings:
        return
    rows = item_rows(home, LANDED_TOOLS)
    tools, parameters = flatten_tools(_definitions(rows, listings[-1]))
    lake.overwrite_table(home, TOOL_PARAMETERS, parameters)
    lake.overwrite_table(home, TOOL_VERSIONS, _versions(rows))
    lake.overwrite_table(home, TOOLS, tools)


def _definitions(rows: pl.DataFrame, last_listing: datetime) -> Iterator[ToolDefinition]:
    """Every tool that was ever listed, as it was last listed; it is gone if the last listing does not have it."""
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
            row["last_seen_at"] != last_listing,
        )


def _versions(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per definition that a tool had, with the paths that differ from the previous definition."""
    definitions: dict[str, Any] = {}
    valid_from_at: dict[str, datetime] = {}
    versions = []
    for row in rows.filter(pl.col("payload").is_not_null()).iter_rows(named=True):
        tool_id, definition = row["tool_id"], load(row["payload"])
        changes = _changes(definitions[tool_id], definition) if tool_id in definitions else None
        definitions[tool_id] = definition
        valid_from_at[tool_id] = valid_from(row["listed_at"], valid_from_at.get(tool_id))
        versions.append(
            {
                "tool_id": tool_id,
                "valid_from_at": valid_from_at[tool_id],
                "content_sha256": row["content_sha256"],
                "changes": None if changes is None else dump(changes).decode(),
            }
        )
    return parquet.frame(TOOL_VERSIONS, versions)


def _changes(old: Any, new: Any) -> list[str]:
    """The paths, from ``tool_config`` on, at which two definitions differ."""
    return sorted({path.removeprefix("tool_config.") for path in changed_paths(old, new)})
