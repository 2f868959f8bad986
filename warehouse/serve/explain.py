"""Explains a model or a column: its definition, its SQL, and its lineage back to the JSON of the API.

Everything is read from ``sql/`` and the schema, so no warehouse has to be built.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.lineage import Node

from warehouse.models.build_tables import GENERATED_TABLES
from warehouse.models.headers import ColumnValue, Metric
from warehouse.models.lineage import lineage_nodes, readable_columns, source_columns
from warehouse.models.project import PUBLIC_SCHEMAS, SCHEMAS, SQL_DIR, Project
from warehouse.schema.registry import BY_NAME
from warehouse.schema.types import unit_of
from warehouse.suggestions import suggest_column


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A model (qualified name), or a column of it."""

    model: str
    column: str | None = None

    def __str__(self) -> str:
        return f"{self.model}.{self.column}" if self.column else self.model


@dataclass(frozen=True, slots=True)
class LineageStep:
    """A step of a column's computation: the expression in a CTE, and the WHERE condition of the CTE."""

    cte: str
    column: str
    sql: str
    where: str | None


@dataclass(frozen=True, slots=True)
class LineageColumn:
    """A column of a lineage: the columns it is computed from, or its JSON paths in the API.

    ``steps`` are the expressions of its model, from CTE ``final`` backwards; empty if the column is only passed on.
    """

    column: str
    description: str
    steps: tuple[LineageStep, ...]
    sources: tuple[str, ...]
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A model, or one column of it.

    ``file`` is relative to the project; ``reads`` are the relations that the model selects from; ``metric`` is None for
    a column that is not a metric; ``values`` are those of a column that has a rule for each, in the order in which they
    are tried; ``lineage`` begins with the column itself and has each column once. An explanation of
    a whole model has ``columns`` and no lineage.
    """

    name: str
    file: str
    description: str
    unit: str | None
    grain: tuple[str, ...]
    metric: Metric | None
    columns: dict[str, str]
    reads: tuple[str, ...]
    lineage: tuple[LineageColumn, ...]
    sql: str
    values: dict[str, ColumnValue]


def targets(project: Project, text: str) -> tuple[ColumnRef, ...]:
    """What ``text`` can refer to: a model, a column of a model, or a column alone, which several models may have.

    The schema is optional. A column alone is searched in metrics and marts, and in other schemas only if it is in none
    of these.
    """
    name = text.lower()
    models = sorted(project.models, key=lambda model: (-SCHEMAS.index(model.schema), model.name))
    for model in models:
        if name in (model.key, model.name):
            return (ColumnRef(model.key),)
    model_name, _, column = name.rpartition(".")
    holders = [model for model in models if column in model.header.columns]
    if model_name:
        return tuple(ColumnRef(model.key, column) for model in holders if model_name in (model.key, model.name))
    public = [model for model in holders if model.schema in PUBLIC_SCHEMAS]
    return tuple(ColumnRef(model.key, column) for model in public or holders)


def suggest(project: Project, text: str) -> list[str]:
    """Models and columns with a name similar to ``text``, which is neither."""
    schema, _, name = text.lower().partition(".")
    columns = {model.name: model.header.columns for model in project.models}
    return suggest_column(name if schema in SCHEMAS else text, columns)


def explain(project: Project, target: ColumnRef) -> Explanation:
    """The explanation of a model or column.

    Raises:
        ModelError: a SELECT of the lineage uses a column that its inputs do not have.
    """
    model, column = project.by_key[target.model], target.column
    header = model.header
    metric = header.metrics.get(column) if column else None
    unit = unit_of(column) if column else None
    lineage = _lineage(project, model.key, column) if column else ()
    return Explanation(
        name=str(target),
        file=str(model.path.relative_to(SQL_DIR.parent)) if model.path.is_relative_to(SQL_DIR) else str(model.path),
        description=header.columns[column] if column else header.description,
        unit=metric.unit if metric else unit,
        grain=header.grain,
        metric=metric,
        columns={} if column else header.columns,
        reads=model.reads,
        lineage=lineage,
        sql=model.sql,
        values=_values(project, lineage),
    )


def _values(project: Project, lineage: Sequence[LineageColumn]) -> dict[str, ColumnValue]:
    """The values of a column, from the model that decides them: the column is passed on from there, as it is."""
    for origin in lineage:
        relation, _, column = origin.column.rpartition(".")
        model = project.by_key.get(relation)
        if model is not None and column in model.header.values:
            return model.header.values[column]
        if origin.steps:
            break
    return {}


def _steps(top: Node) -> tuple[LineageStep, ...]:
    """The expressions that compute the column, each once; then filters of CTEs that only pass it on."""
    computed: dict[tuple[str, str, str], LineageStep] = {}
    filtered: dict[str, LineageStep] = {}
    queue, visited = _sources(top), set[int]()
    while queue:
        node = queue.pop(0)
        if id(node) in visited or isinstance(node.expression, exp.Table):
            continue
        visited.add(id(node))
        queue += _sources(node)
        step = _step(node)
        if not isinstance(node.expression.unalias(), exp.Column):
            computed.setdefault((step.cte, step.column, step.sql), step)
        elif step.where:
            filtered.setdefault(step.cte, step)
    ctes = {step.cte for step in computed.values()}
    return (*computed.values(), *(step for cte, step in filtered.items() if cte not in ctes))


def _sources(node: Node) -> list[Node]:
    """The nodes that an expression is computed from, in the order of its text; sqlglot's order varies between runs."""
    text = node.expression.sql(dialect="duckdb")
    return sorted(node.downstream, key=lambda source: (text.find(source.name), source.expression.alias_or_name))


def _step(node: Node) -> LineageStep:
    where = node.source.args.get("where") if isinstance(node.source, exp.Select) else None
    sql, column = _lower_case_sql(node.expression.unalias()), node.expression.alias_or_name
    return LineageStep(node.reference_node_name, column, sql, _lower_case_sql(where.this) if where else None)


def _lower_case_sql(expression: exp.Expr) -> str:
    """SQL in lower case, as in ``sql/``, except for string literals."""
    parts = re.split(r"('[^']*')", expression.sql(dialect="duckdb", comments=False))
    return "".join(part if part.startswith("'") else part.lower() for part in parts)


def _lineage(project: Project, model: str, column: str) -> tuple[LineageColumn, ...]:
    """The column and all columns that it is computed from, breadth first."""
    columns, models, nodes = readable_columns(project), project.by_key, dict[str, dict[str, Node]]()
    lineage: dict[tuple[str, str], LineageColumn] = {}
    queue = [(model, column)]
    while queue:
        relation, name = key = queue.pop(0)
        if key in lineage:
            continue
        if relation not in models:
            lineage[key] = _source_column(project, relation, name)
            continue
        if relation not in nodes:
            nodes[relation] = lineage_nodes(models[relation], columns)
        node, description = nodes[relation][name], models[relation].header.columns[name]
        sources = source_columns(node)
        lineage[key] = LineageColumn(".".join(key), description, _steps(node), tuple(map(".".join, sources)), ())
        queue += sources
    return tuple(lineage.values())


def _source_column(project: Project, relation: str, column: str) -> LineageColumn:
    """A column of the lake with its JSON paths, or of a seed or generated table."""
    schema, _, name = relation.partition(".")
    if schema == "lake":
        lake_column = BY_NAME[name].column(column)
        paths = BY_NAME[name].paths(lake_column)
        return LineageColumn(f"{relation}.{column}", lake_column.description, (), (), paths)
    descriptions = {seed.key: seed.header.columns for seed in project.seeds} | {
        table.key: table.columns for table in GENERATED_TABLES
    }
    return LineageColumn(f"{relation}.{column}", descriptions[relation][column], (), (), ())
