"""The Open Data Contract Standard, version 3.1: tables, columns, keys, quality and freshness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from warehouse.contracts.relations import Field, Reference, Relation, relations_of
from warehouse.models.project import Project
from warehouse.schema.types import Sensitivity

API_VERSION = "v3.1.0"

LOGICAL_TYPES = {
    "VARCHAR": "string",
    "BIGINT": "integer",
    "DOUBLE": "number",
    "DECIMAL": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "BLOB": "string",
}
"""By DuckDB's type without its parameters; lists and structs are ``array`` and ``object``."""

CLASSIFICATION = {Sensitivity.FREE_TEXT: "confidential", Sensitivity.IDENTIFIER: "restricted"}


def odcs(project: Project, version: str, database: str, fresh_hours: int) -> dict[str, Any]:
    """The contract: ``database`` is the path of the DuckDB file, ``fresh_hours`` when a copy counts as stale."""
    relations = relations_of(project, has_lake=True)
    return {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": "convohouse",
        "name": "The conversation warehouse",
        "version": version,
        "status": "active",
        "description": {
            "purpose": "Conversations of ElevenLabs agents: the lake as it was copied, marts to query, metrics.",
            "usage": "Read-only. Read a rate as a sum divided by a sum; metrics.catalog has every definition.",
        },
        "servers": [{"server": "warehouse", "type": "duckdb", "database": database}],
        "schema": [_object(relation) for relation in relations],
        "slaProperties": [
            {
                "property": "latency",
                "value": fresh_hours,
                "unit": "h",
                "element": "sync_health.last_full_listing_at",
                "description": "Hours after its last full listing after which a workspace counts as stale.",
            },
            {"property": "frequency", "value": 1, "unit": "d", "description": "A sync each night."},
        ],
    }


def _object(relation: Relation) -> dict[str, Any]:
    return {
        "name": _name(relation),
        "physicalName": relation.key,
        "physicalType": relation.kind,
        "logicalType": "object",
        "description": relation.description,
        "dataGranularityDescription": f"One row per {', '.join(relation.grain)}.",
        "properties": [_property(relation, field) for field in relation.fields],
        "quality": [
            {
                "type": "library",
                "metric": "duplicateValues",
                "description": "The key identifies a row.",
                "arguments": {"properties": list(relation.grain)},
                "mustBe": 0,
            }
        ],
    } | _relationships(relation)


def _name(relation: Relation) -> str:
    """Unique in the contract: a table of the lake may be called like a model."""
    return f"lake_{relation.name}" if relation.schema == "lake" else relation.name


def _relationships(relation: Relation) -> dict[str, Any]:
    references = [_relationship(relation, reference) for reference in relation.references]
    return {"relationships": references} if references else {}


def _relationship(relation: Relation, reference: Reference) -> dict[str, Any]:
    target = reference.target.partition(".")[2]
    columns = [f"{relation.name}.{column}" for column in reference.columns]
    target_columns = [f"{target}.{column}" for column in reference.target_columns]
    is_single = len(columns) == 1
    return {
        "type": "foreignKey",
        "from": columns[0] if is_single else columns,
        "to": target_columns[0] if is_single else target_columns,
    }


def _property(relation: Relation, field: Field) -> dict[str, Any]:
    is_key = field.name in relation.grain
    metric = relation.metrics.get(field.name)
    optional = {
        "businessName": metric.name if metric else None,
        "primaryKey": is_key or None,
        "primaryKeyPosition": relation.grain.index(field.name) + 1 if is_key else None,
        "required": field.is_required or None,
        "classification": CLASSIFICATION[field.sensitivity] if field.sensitivity else None,
        "customProperties": [{"property": name, "value": value} for name, value in _extras(relation, field)],
        "quality": [
            {
                "type": "library",
                "metric": "invalidValues",
                "arguments": {"validValues": list(field.accepted)},
                "mustBe": 0,
            }
        ]
        if field.accepted
        else None,
    }
    return {
        "name": field.name,
        "physicalType": field.type,
        "logicalType": logical_type(field.type),
        "description": field.description,
    } | {name: value for name, value in optional.items() if value}


def logical_type(type_: str) -> str:
    """The type of the standard for one of DuckDB's."""
    if type_.endswith("[]"):
        return "array"
    return LOGICAL_TYPES.get(type_.partition("(")[0], "object")


def _extras(relation: Relation, field: Field) -> Iterator[tuple[str, str]]:
    """What the standard has no word for: the unit, and how a metric is defined."""
    if field.unit:
        yield "unit", field.unit
    metric = relation.metrics.get(field.name)
    if metric:
        yield from (
            (name, value) for name, value in metric.published().items() if value and name not in ("name", "unit")
        )
