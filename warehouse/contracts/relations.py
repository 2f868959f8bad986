"""The relations that users read, with everything that is declared about them: the common source of all contracts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from warehouse.models.column_types import column_types
from warehouse.models.headers import Metric, Value
from warehouse.models.project import PUBLIC_SCHEMAS, Model, Project
from warehouse.models.sensitive_columns import SENSITIVE_COLUMNS
from warehouse.schema.registry import TABLES
from warehouse.schema.types import WORKSPACE, Sensitivity, Table, unit_of


@dataclass(frozen=True, slots=True)
class Field:
    """A column: DuckDB's ``type``, and what is declared about its values; ``accepted`` is empty if any value may be."""

    name: str
    type: str
    description: str
    unit: str | None
    is_required: bool = False
    accepted: tuple[Value, ...] = ()
    sensitivity: Sensitivity | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key: every combination of ``columns`` is in ``target_columns`` of the relation ``target``."""

    columns: tuple[str, ...]
    target: str
    target_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view of the warehouse; ``grain`` are the columns that identify a row."""

    schema: str
    name: str
    kind: str
    description: str
    grain: tuple[str, ...]
    fields: tuple[Field, ...]
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()

    @property
    def key(self) -> str:
        """Qualified name."""
        return f"{self.schema}.{self.name}"


def relations_of(project: Project, *, has_lake: bool = False) -> tuple[Relation, ...]:
    """The models of the public schemas, in the order of their names; then the tables of the lake, if wanted."""
    types, models = column_types(project), project.by_key
    keys = sorted(key for key, model in models.items() if model.schema in PUBLIC_SCHEMAS)
    lake = tuple(_lake_relation(table, types[f"lake.{table.name}"]) for table in TABLES) if has_lake else ()
    return (*(_model_relation(models[key], types[key], models) for key in keys), *lake)


def _model_relation(model: Model, types: Mapping[str, str], models: Mapping[str, Model]) -> Relation:
    header = model.header
    fields = tuple(
        Field(
            name,
            types[name],
            description,
            header.metrics[name].unit if name in header.metrics else unit_of(name),
            is_required=name in header.tests.not_null,
            accepted=header.tests.accepted.get(name, ()),
            sensitivity=SENSITIVE_COLUMNS.get(model.key, {}).get(name),
        )
        for name, description in header.columns.items()
    )
    references = tuple(
        _reference(column, target, models)
        for column, target in header.tests.references.items()
        if target.rpartition(".")[0] in models
    )
    kind = "view" if model.is_view else "table"
    return Relation(
        model.schema, model.name, kind, header.description, header.grain, fields, header.metrics, references
    )


def _reference(column: str, target: str, models: Mapping[str, Model]) -> Reference:
    """A reference to a column, with the workspace where that is a part of the target's key."""
    key, _, target_column = target.rpartition(".")
    if WORKSPACE.name in models[key].header.grain:
        return Reference((WORKSPACE.name, column), key, (WORKSPACE.name, target_column))
    return Reference((column,), key, (target_column,))


def _lake_relation(table: Table, types: Mapping[str, str]) -> Relation:
    fields = tuple(
        Field(
            column.name,
            types[column.name],
            column.description,
            column.unit,
            is_required=column.required,
            sensitivity=column.sensitivity,
        )
        for column in table.columns
    )
    return Relation("lake", table.name, "view", f"One row per {table.grain}.", table.key, fields)
