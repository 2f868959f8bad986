"""Suggests names when DuckDB does not know a table or a column: the most similar ones of all schemas."""

from __future__ import annotations

import re

import duckdb

from warehouse.suggestions import did_you_mean, suggest

SCHEMAS = ("marts", "metrics", "staging", "intermediate", "lake", "seeds")
"""Schemas in the order in which their names are suggested."""
MAX_TABLES = 3

_TABLE = re.compile(r'Table with name "?([^"\n]+?)"? does not exist')
_COLUMN = re.compile(
    r'Referenced column "([^"]+)" not found|does not have a column named "([^"]+)"|'
    r'Column "([^"]+)" (?:in \w+ list not found|does not exist on)'
)

Relations = dict[str, list[str]]
"""Columns by qualified name of the relation."""


def suggestion(connection: duckdb.DuckDBPyConnection, error: str) -> str:
    """A sentence with a trailing space on the unknown name in DuckDB's message ``error``; empty if none is similar."""
    if table := _TABLE.search(error):
        return _suggest_table(table.group(1), _relations(connection))
    if column := _COLUMN.search(error):
        return _suggest_column(next(name for name in column.groups() if name), _relations(connection))
    return ""


def _relations(connection: duckdb.DuckDBPyConnection) -> Relations:
    relations: Relations = {}
    rows = connection.execute(
        "select schema_name, table_name, column_name from duckdb_columns() "
        "where not internal and database_name = current_database() "
        "and schema_name <> 'main' order by all"  # where the same tables have short names
    ).fetchall()
    for schema, table, column in sorted(rows, key=lambda row: SCHEMAS.index(row[0]) if row[0] in SCHEMAS else -1):
        relations.setdefault(f"{schema}.{table}", []).append(column)
    return relations


def _suggest_table(unknown: str, relations: Relations) -> str:
    table = unknown.rpartition(".")[2].lower()
    keys = [key for key in relations if key.partition(".")[2] == table]
    if keys:
        schemas = ", ".join(key.partition(".")[0] for key in keys)
        return f"{table} is in schema {schemas}: write {' or '.join(keys)}. "
    key_by_table = {key.partition(".")[2]: key for key in reversed(relations)}  # the first schema wins
    return did_you_mean([key_by_table[name] for name in suggest(table, key_by_table)])


def _suggest_column(unknown: str, relations: Relations) -> str:
    holders: dict[str, list[str]] = {}
    for name, columns in relations.items():
        for column in columns:
            holders.setdefault(column, []).append(name)
    if unknown.lower() in holders:
        return f"{unknown.lower()} is a column of {_join_first(holders[unknown.lower()])}. "
    return did_you_mean([f"{name} (of {_join_first(holders[name])})" for name in suggest(unknown, holders)])


def _join_first(names: list[str]) -> str:
    remainder = f" and {len(names) - MAX_TABLES} more" if len(names) > MAX_TABLES else ""
    return ", ".join(names[:MAX_TABLES]) + remainder
