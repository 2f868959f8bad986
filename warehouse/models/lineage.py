"""Column lineage: which column is computed from which, read from the SQL with sqlglot.

Dagster shows it as metadata, and ``convohouse explain`` prints it. Tracing all models is slow, so the result is
cached for the process by the text of the models.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlglot
from sqlglot import MappingSchema, exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

from warehouse.errors import ModelError
from warehouse.models.build_tables import GENERATED_TABLES
from warehouse.models.project import Model, Project
from warehouse.schema.registry import TABLES

Lineage = dict[str, dict[str, list[tuple[str, str]]]]
"""Model to column to the columns that it is computed from, as pairs of qualified model and column."""

_cache: dict[tuple[str, ...], Lineage] = {}


def column_lineage(project: Project) -> Lineage:
    """Direct sources of every column, sorted: the columns that its SELECT computes it from; none for count(*).

    Raises:
        ModelError: a SELECT uses a column that its inputs do not have.
    """
    texts = tuple(model.sha256 for model in project.models)
    if texts not in _cache:
        columns = readable_columns(project)
        _cache[texts] = {
            model.key: {column: source_columns(node) for column, node in lineage_nodes(model, columns).items()}
            for model in project.models
        }
    return _cache[texts]


def readable_columns(project: Project) -> MappingSchema:
    """Every column that a model of the project can read; all but those of seeds are given as text.

    As sqlglot's own class: it would turn a plain dictionary into one for each model, a third of the time.
    """
    columns: dict[str, dict[str, dict[str, str]]] = {
        "seeds": {table.name: dict.fromkeys(table.columns, "text") for table in GENERATED_TABLES}
    }
    columns["lake"] = {table.name: dict.fromkeys(table.column_names, "text") for table in TABLES}
    for seed in project.seeds:
        columns["seeds"][seed.name] = seed.header.types
    for model in project.models:
        columns.setdefault(model.schema, {})[model.name] = dict.fromkeys(model.header.columns, "text")
    return MappingSchema({**columns}, dialect="duckdb")


def lineage_nodes(model: Model, columns: MappingSchema) -> dict[str, Node]:
    """Lineage tree of each column of a model, from sqlglot: the expressions between it and the tables that it reads.

    Raises:
        ModelError: the SELECT uses a column that its inputs do not have.
    """
    try:
        tree = sqlglot.parse_one(model.sql, dialect="duckdb")
        return lineage(None, tree, columns, dialect="duckdb", trim_selects=False)
    except SqlglotError as error:
        raise ModelError(f"{model.path}: its columns cannot be traced: {error}", "Check their names.") from error


def source_columns(node: Node) -> list[tuple[str, str]]:
    """The columns that a column is computed from, as sorted pairs of qualified model and column."""
    return sorted(set(_sources(node)))


def _sources(top: Node) -> Iterator[tuple[str, str]]:
    visited: set[int] = set()  # two paths can lead to the same node
    queue = [top]
    while queue:
        node = queue.pop()
        if id(node) in visited:
            continue
        visited.add(id(node))
        queue += node.downstream
        if isinstance(node.expression, exp.Table):
            yield f"{node.expression.db}.{node.expression.name}", node.name.rpartition(".")[2]
