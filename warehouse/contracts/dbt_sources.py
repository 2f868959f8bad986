"""``sources.yml`` of dbt: marts and metrics as sources, with their columns, tests and freshness."""

from __future__ import annotations

from typing import Any

from warehouse.contracts.relations import Field, Relation, relations_of
from warehouse.models.project import PUBLIC_SCHEMAS, Project

DATABASE = "warehouse"
"""What DuckDB calls the file ``warehouse.duckdb``, opened or attached."""

FRESHNESS = "metrics.sync_health"
"""The relation that says until when conversations were listed: a night without calls is not stale."""


def dbt_sources(project: Project, fresh_hours: int) -> dict[str, Any]:
    """One source a schema; ``fresh_hours`` is when a copy counts as stale."""
    relations = relations_of(project)
    return {
        "version": 2,
        "sources": [
            {
                "name": _source(schema),
                "description": f"Schema {schema} of the conversation warehouse. Read-only.",
                "database": DATABASE,
                "schema": schema,
                "tables": [_table(relation, fresh_hours) for relation in relations if relation.schema == schema],
            }
            for schema in PUBLIC_SCHEMAS
        ],
    }


def _source(schema: str) -> str:
    return f"convohouse_{schema}"


def _table(relation: Relation, fresh_hours: int) -> dict[str, Any]:
    table: dict[str, Any] = {
        "name": relation.name,
        "description": relation.description,
        "config": {"meta": {"grain": list(relation.grain)}},
        "columns": [_column(relation, field) for field in relation.fields],
    }
    if relation.key == FRESHNESS:
        table["config"] |= {
            "loaded_at_field": "last_full_listing_at",
            "freshness": {"error_after": {"count": fresh_hours, "period": "hour"}},
        }
    return table


def _column(relation: Relation, field: Field) -> dict[str, Any]:
    tests: list[Any] = ["not_null"] if field.is_required else []
    if relation.grain == (field.name,):
        tests.append("unique")
    if field.accepted:
        tests.append({"accepted_values": {"arguments": {"values": list(field.accepted)}}})
    for reference in relation.references:
        if reference.columns[-1] == field.name:
            schema, _, name = reference.target.partition(".")
            target = f"source('{_source(schema)}', '{name}')"
            tests.append({"relationships": {"arguments": {"to": target, "field": reference.target_columns[-1]}}})
    meta = {"unit": field.unit} if field.unit else {}
    metric = relation.metrics.get(field.name)
    if metric:
        meta |= {name: value for name, value in metric.published().items() if value}
    return {
        "name": field.name,
        "description": field.description,
        "data_type": field.type,
        **({"config": {"meta": meta}} if meta else {}),
        **({"data_tests": tests} if tests else {}),
    }
