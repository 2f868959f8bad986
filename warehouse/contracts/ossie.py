"""The open semantic model of Apache Ossie (Open Semantic Interchange, OSI), version 0.2: datasets, keys, metrics."""

from __future__ import annotations

from typing import Any

from warehouse.contracts.aggregates import Aggregate, aggregates
from warehouse.contracts.relations import Field, Reference, Relation, relations_of
from warehouse.models.project import Project

VERSION = "0.2.0.dev0"
"""Of the specification; there is no release of 0.2 yet."""

DATA_TYPES = {
    "VARCHAR": "String",
    "BIGINT": "Integer",
    "DOUBLE": "Float",
    "DECIMAL": "Decimal",
    "BOOLEAN": "Boolean",
    "DATE": "Date",
    "TIMESTAMP": "DateTime",
    "TIMESTAMP WITH TIME ZONE": "DateTimeTz",
}
"""By DuckDB's type without its parameters; others are ``Opaque``."""

NUMBERS, TIMES = ("Integer", "Float", "Decimal"), ("Date", "DateTime", "DateTimeTz")


def ossie(project: Project) -> dict[str, Any]:
    """The semantic model: marts and metrics as datasets, and the metrics that can be evaluated over any rows."""
    relations = relations_of(project)
    return {
        "version": VERSION,
        "name": "convohouse",
        "description": "Conversations of ElevenLabs agents: facts, dimensions and metrics.",
        "ai_context": {
            "instructions": "Rates are sums divided by sums: never average a rate, and show its n. Percentiles are "
            "computed from entries. Times are UTC. n_calls counts finished conversations, n_open the others."
        },
        "datasets": [_dataset(relation) for relation in relations],
        "relationships": [
            _relationship(relation, reference) for relation in relations for reference in relation.references
        ],
        "metrics": [_metric(aggregate) for aggregate in aggregates(relations)],
    }


def _dataset(relation: Relation) -> dict[str, Any]:
    return {
        "name": relation.name,
        "source": relation.key,
        "primary_key": list(relation.grain),
        "description": relation.description,
        "fields": [_field(relation, field) for field in relation.fields],
    }


def _field(relation: Relation, field: Field) -> dict[str, Any]:
    metric, data_type = relation.metrics.get(field.name), DATA_TYPES.get(field.type.partition("(")[0], "Opaque")
    is_measure = data_type in NUMBERS and field.unit is not None and field.name not in relation.grain
    return {
        "name": field.name,
        "expression": _expression(field.name),
        **({"label": metric.name} if metric else {}),
        "description": f"{field.description} Unit: {field.unit}." if field.unit else field.description,
        "datatype": data_type,
        **({} if is_measure else {"dimension": {"is_time": data_type in TIMES}}),
    }


def _relationship(relation: Relation, reference: Reference) -> dict[str, Any]:
    target = reference.target.partition(".")[2]
    return {
        "name": f"{relation.name}_{reference.columns[-1]}",
        "from": relation.name,
        "to": target,
        "from_columns": list(reference.columns),
        "to_columns": list(reference.target_columns),
    }


def _metric(aggregate: Aggregate) -> dict[str, Any]:
    metric, dataset = aggregate.metric, aggregate.relation.partition(".")[2]
    formula = f"{metric.numerator} ÷ ({metric.denominator})" if metric.denominator else metric.numerator
    return {
        "name": f"{dataset}_{aggregate.column}",
        "expression": _expression(aggregate.sql(f"{dataset}.")),
        "description": f"{metric.name}, in {metric.unit}: {formula}; {metric.null_when}.",
        "datatype": "Integer" if metric.unit in ("count", "credits") else "Float",
        "ai_context": {"synonyms": [metric.name], "instructions": metric.differs_from_vendor},
    }


def _expression(sql: str) -> dict[str, Any]:
    return {"dialects": [{"dialect": "ANSI_SQL", "expression": sql}]}
