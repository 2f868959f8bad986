"""Descriptions of relations and columns as comments in the warehouse, so that every tool that reads it shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import duckdb

from warehouse.connection import sql_literal
from warehouse.models.project import Model
from warehouse.schema.types import Table


@dataclass(frozen=True, slots=True)
class RelationComment:
    """Descriptions of a relation (qualified name) and of its columns; ``kind`` is view or table."""

    kind: str
    key: str
    description: str
    columns: Mapping[str, str]


def table_comment(table: Table) -> RelationComment:
    """The descriptions of a view on a table of the lake."""
    columns = {column.name: column.description for column in table.columns}
    return RelationComment("view", f"lake.{table.name}", f"One row per {table.grain}.", columns)


def model_comment(model: Model) -> RelationComment:
    """The descriptions of a model."""
    kind = "view" if model.is_view else "table"
    return RelationComment(kind, model.key, model.header.description, model.header.column_comments)


def write_comments(connection: duckdb.DuckDBPyConnection, comments: Iterable[RelationComment]) -> None:
    """Store descriptions in the current database.

    DuckDB has one statement for each comment, four thousand in all, so what takes time is the overhead of a statement.
    Comments are not written side by side, nor beside checks: each waits for the lock of the catalog.
    """
    (threads,) = connection.execute("select current_setting('threads')").fetchall()[0]
    connection.execute("set threads = 1; set enable_optimizer = false")
    for comment in comments:
        on_columns = (
            f"comment on column {comment.key}.{name} is {sql_literal(description)};"
            for name, description in comment.columns.items()
        )
        connection.begin()  # one commit per relation, not one per comment
        connection.execute(
            f"comment on {comment.kind} {comment.key} is {sql_literal(comment.description)}; {' '.join(on_columns)}"
        )
        connection.commit()
    connection.execute(f"set threads = {threads}; reset enable_optimizer")
