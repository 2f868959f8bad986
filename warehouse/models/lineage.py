"""Which column comes from which: read from the SQL of the models, for Dagster's metadata and the docs.

The answer is kept for the process, by the text of the models: a second asking is free.
"""

from __future__ import annotations

from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage

from warehouse.errors import ModelError
from warehouse.models.build_tables import GENERATED_TABLES
from warehouse.models.project import Model, Project
from warehouse.schema.registry import TABLES

Lineage = dict[str, dict[str, list[tuple[str, str]]]]
"""Model to column to the columns that it is made from, each as qualified model and column."""

Columns = dict[str, dict[str, dict[str, str]]]
"""Schema to relation to column to type, as sqlglot asks for it."""

_known: dict[tuple[str, ...], Lineage] = {}


def column_lineage(project: Project) -> Lineage:
    """Direct sources of every column: the columns that its SELECT makes it from, sorted; none for count(*).

    Raises:
        ModelError: a SELECT uses a column that what it reads does not have.
    """
    state = tuple(model.sha256 for model in project.models)
    if state not in _known:
        columns = readable_columns(project)
        _known[state] = {
            model.key: {column: source_columns(node) for column, node in lineage_nodes(model, columns).items()}
            for model in project.models
        }
    return _known[state]


def readable_columns(project: Project) -> Columns:
    """Every column that a model of the project can read."""
    found: Columns = {"seeds": {each.name: dict.fromkeys(each.columns, "text") for each in GENERATED_TABLES}}
    found["lake"] = {table.name: dict.fromkeys(table.column_names, "text") for table in TABLES}
    for seed in project.seeds:
        found["seeds"][seed.name] = seed.header.types
    for model in project.models:
        found.setdefault(model.schema, {})[model.name] = dict.fromkeys(model.header.columns, "text")
    return found


def lineage_nodes(model: Model, columns: Columns) -> dict[str, Node]:
    """Lineage of each column of a model in sqlglot's words: the expressions on the way to the tables that it reads.

    Raises:
        ModelError: the SELECT uses a column that what it reads does not have.
    """
    try:
        tree = sqlglot.parse_one(model.sql, dialect="duckdb")
        return lineage(None, tree, columns, dialect="duckdb", trim_selects=False)
    except SqlglotError as error:
        raise ModelError(f"{model.path}: its columns cannot be traced: {error}", "Check their names.") from error


def source_columns(node: Node) -> list[tuple[str, str]]:
    """The columns that a column is made from, each as qualified model and column, sorted."""
    return sorted(set(_sources(node)))


def _sources(top: Node) -> Iterator[tuple[str, str]]:
    seen: set[int] = set()
    waiting = [top]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        waiting += node.downstream
        if isinstance(node.expression, exp.Table):
            yield f"{node.expression.db}.{node.expression.name}", node.name.rpartition(".")[2]
