"""What a model or one of its columns is: its definition, its SQL, and where it comes from, back to the API's JSON.

Read from ``sql/`` and the schema alone, so a warehouse need not be built.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.lineage import Node

from warehouse.models.build_tables import GENERATED_TABLES
from warehouse.models.headers import Metric
from warehouse.models.lineage import lineage_nodes, readable_columns, source_columns
from warehouse.models.project import SCHEMAS, SQL_DIR, Project
from warehouse.schema.registry import BY_NAME
from warehouse.schema.types import unit_of
from warehouse.suggestions import nearest_column

PUBLIC = ("metrics", "marts")
"""Schemas in which a column is looked for first when it is named alone."""


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A model (qualified name), or a column of it."""

    model: str
    column: str | None = None

    def __str__(self) -> str:
        return f"{self.model}.{self.column}" if self.column else self.model


@dataclass(frozen=True, slots=True)
class LineageStep:
    """What a CTE makes of a column: its expression, and the condition on the rows that it takes."""

    cte: str
    column: str
    sql: str
    where: str | None


@dataclass(frozen=True, slots=True)
class LineageColumn:
    """A column on the way back: the columns it is made from, or the JSON paths of the API where it comes in.

    ``steps`` are what its model makes of them, from CTE ``final`` on; none where the column is only handed on.
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
    a column that is no metric; ``lineage`` begins with the column itself and holds each column once. A model as a whole
    has ``columns`` and no lineage.
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


def targets(project: Project, wanted: str) -> tuple[ColumnRef, ...]:
    """What ``wanted`` can mean: a model, a column of a model, or a column alone, which several models may have.

    Schemas may be left out. A column alone is looked for in metrics and marts, and elsewhere only if it is in none.
    """
    name = wanted.lower()
    models = sorted(project.models, key=lambda model: (-SCHEMAS.index(model.schema), model.name))
    for model in models:
        if name in (model.key, model.name):
            return (ColumnRef(model.key),)
    front, _, column = name.rpartition(".")
    holders = [model for model in models if column in model.header.columns]
    if front:
        return tuple(ColumnRef(model.key, column) for model in holders if front in (model.key, model.name))
    public = [model for model in holders if model.schema in PUBLIC]
    return tuple(ColumnRef(model.key, column) for model in public or holders)


def suggest(project: Project, wanted: str) -> list[str]:
    """Names that can be asked for and that are nearest to one that cannot."""
    schema, _, name = wanted.lower().partition(".")
    named = {model.name: model.header.columns for model in project.models}
    return nearest_column(name if schema in SCHEMAS else wanted, named)


def explain(project: Project, target: ColumnRef) -> Explanation:
    """All that is known of a target.

    Raises:
        ModelError: a SELECT on the way back uses a column that what it reads does not have.
    """
    model, column = project.by_key[target.model], target.column
    header = model.header
    metric = header.metrics.get(column) if column else None
    unit = unit_of(column) if column else None
    return Explanation(
        name=str(target),
        file=str(model.path.relative_to(SQL_DIR.parent)) if model.path.is_relative_to(SQL_DIR) else str(model.path),
        description=header.columns[column] if column else header.description,
        unit=metric.unit if metric else unit,
        grain=header.grain,
        metric=metric,
        columns={} if column else header.columns,
        reads=model.reads,
        lineage=_lineage(project, model.key, column) if column else (),
        sql=model.sql,
    )


def _steps(top: Node) -> tuple[LineageStep, ...]:
    """What each CTE on the way makes of the column, each once; of those that only hand it on, what they leave out."""
    found: dict[tuple[str, str, str], LineageStep] = {}
    handed: dict[str, LineageStep] = {}
    waiting, seen = _below(top), set[int]()
    while waiting:
        node = waiting.pop(0)
        if id(node) in seen or isinstance(node.expression, exp.Table):
            continue
        seen.add(id(node))
        waiting += _below(node)
        step = _step(node)
        if not isinstance(node.expression.unalias(), exp.Column):
            found.setdefault((step.cte, step.column, step.sql), step)
        elif step.where:
            handed.setdefault(step.cte, step)
    made = {step.cte for step in found.values()}
    return (*found.values(), *(step for cte, step in handed.items() if cte not in made))


def _below(node: Node) -> list[Node]:
    """What an expression is made from, in the order in which it says so; sqlglot's own order changes."""
    text = node.expression.sql(dialect="duckdb")
    return sorted(node.downstream, key=lambda below: (text.find(below.name), below.expression.alias_or_name))


def _step(node: Node) -> LineageStep:
    where = node.source.args.get("where") if isinstance(node.source, exp.Select) else None
    sql, column = _plain(node.expression.unalias()), node.expression.alias_or_name
    return LineageStep(node.reference_node_name, column, sql, _plain(where.this) if where else None)


def _plain(expression: exp.Expr) -> str:
    """SQL in lower case, as in ``sql/``; what stands in quotes is left as it is."""
    parts = re.split(r"('[^']*')", expression.sql(dialect="duckdb"))
    return "".join(part if part.startswith("'") else part.lower() for part in parts)


def _lineage(project: Project, model: str, column: str) -> tuple[LineageColumn, ...]:
    """The column and all that it is made from, nearest first."""
    known, models, traced = readable_columns(project), project.by_key, dict[str, dict[str, Node]]()
    found: dict[tuple[str, str], LineageColumn] = {}
    waiting = [(model, column)]
    while waiting:
        place = waiting.pop(0)
        if place in found:
            continue
        relation, name = place
        if relation not in models:
            found[place] = _outermost(project, relation, name)
            continue
        if relation not in traced:
            traced[relation] = lineage_nodes(models[relation], known)
        node, about = traced[relation][name], models[relation].header.columns[name]
        above = source_columns(node)
        found[place] = LineageColumn(".".join(place), about, _steps(node), tuple(map(".".join, above)), ())
        waiting += above
    return tuple(found.values())


def _outermost(project: Project, relation: str, column: str) -> LineageColumn:
    """A column of the lake with its JSON paths, or one of a seed."""
    schema, _, name = relation.partition(".")
    if schema == "lake":
        known = BY_NAME[name].column(column)
        return LineageColumn(f"{relation}.{column}", known.description, (), (), BY_NAME[name].paths(known))
    described = {seed.key: seed.header.columns for seed in project.seeds} | {
        each.key: each.columns for each in GENERATED_TABLES
    }
    return LineageColumn(f"{relation}.{column}", described[relation][column], (), (), ())
