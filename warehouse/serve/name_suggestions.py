"""What to write instead, when DuckDB does not know a table or a column: the nearest names of all schemas."""

from __future__ import annotations

import re

import duckdb

from warehouse.suggestions import join_or, suggest

SCHEMAS = ("marts", "metrics", "staging", "intermediate", "lake", "seeds")
"""Schemas, those first that a question is likely to be for."""
MAX_TABLES = 3

_TABLE = re.compile(r'Table with name "?([^"\n]+?)"? does not exist')
_COLUMN = re.compile(
    r'Referenced column "([^"]+)" not found|does not have a column named "([^"]+)"|'
    r'Column "([^"]+)" (?:in \w+ list not found|does not exist on)'
)

Relations = dict[str, list[str]]
"""Columns by qualified name of the relation."""


def suggestion(connection: duckdb.DuckDBPyConnection, error: str) -> str:
    """A sentence on the name that ``error``, in DuckDB's words, does not know, and a blank; empty if none is near."""
    if table := _TABLE.search(error):
        return _of_table(table.group(1), _relations(connection))
    if column := _COLUMN.search(error):
        return _of_column(next(name for name in column.groups() if name), _relations(connection))
    return ""


def _relations(connection: duckdb.DuckDBPyConnection) -> Relations:
    found: Relations = {}
    rows = connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() where not internal order by all"
    ).fetchall()
    for schema, table, column in sorted(rows, key=lambda row: SCHEMAS.index(row[0]) if row[0] in SCHEMAS else -1):
        found.setdefault(f"{schema}.{table}", []).append(column)
    return found


def _of_table(wanted: str, relations: Relations) -> str:
    bare = wanted.rpartition(".")[2].lower()
    same = [name for name in relations if name.partition(".")[2] == bare]
    if same:
        schemas = ", ".join(name.partition(".")[0] for name in same)
        return f"{bare} is in schema {schemas}: write {' or '.join(same)}. "
    by_bare = {name.partition(".")[2]: name for name in reversed(relations)}
    return join_or([by_bare[name] for name in suggest(bare, by_bare)])


def _of_column(wanted: str, relations: Relations) -> str:
    holders: dict[str, list[str]] = {}
    for name, columns in relations.items():
        for column in columns:
            holders.setdefault(column, []).append(name)
    if wanted.lower() in holders:
        return f"{wanted.lower()} is a column of {_some(holders[wanted.lower()])}. "
    return join_or([f"{name} (of {_some(holders[name])})" for name in suggest(wanted, holders)])


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MAX_TABLES} more" if len(names) > MAX_TABLES else ""
    return ", ".join(names[:MAX_TABLES]) + more
