"""A connection to the warehouse without what was said and without who it was: for readers who may not see it.

The file is attached under a name that nobody can know before the query runs, and what is read are views of it in memory
that leave out ``SENSITIVE_COLUMNS``. So no spelling of a table, no function and no other catalog leads around
them. No file can be read at all, not even that of the warehouse, to whose path DuckDB allows access as it is attached.
"""

# ruff: noqa: S608 -- every name in these statements is from the warehouse

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from warehouse.connection import LOCKED_DOWN, connect, require_warehouse, sql_literal
from warehouse.errors import QueryError
from warehouse.models.project import PUBLIC_SCHEMAS
from warehouse.models.sensitive_columns import SENSITIVE_COLUMNS
from warehouse.storage.home import Home

NO_FILES = {
    "temp_directory": "''",  # a query that needs more memory fails
    "enable_external_access": "false",
    "disabled_filesystems": "'LocalFileSystem'",
} | LOCKED_DOWN
"""Settings, in this order, after the warehouse was attached."""


@contextmanager
def open_without_texts(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to marts and metrics without ``SENSITIVE_COLUMNS``; it reaches no file.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the file cannot be opened, or another program has written to it.
    """
    require_warehouse(home)
    name = f"warehouse_{uuid.uuid4().hex}"
    try:
        with connect() as connection:
            connection.execute(f"attach {sql_literal(str(home.warehouse))} as {name} (read_only)")
            _create_views(connection, name)
            for setting, value in NO_FILES.items():
                connection.execute(f"set {setting} = {value}")
            yield connection
    except duckdb.IOException as error:
        raise QueryError(str(error), "If the file is damaged or in use, run `convohouse build`.") from error


def _create_views(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    columns = connection.execute(
        "select schema_name, table_name, list(column_name order by column_index) from duckdb_columns() "
        "where database_name = $name and schema_name in (select unnest($schemas)) group by all",
        {"name": name, "schemas": list(PUBLIC_SCHEMAS)},
    ).fetchall()
    for schema in PUBLIC_SCHEMAS:
        connection.execute(f"create schema {schema}")
    for schema, table, column_names in columns:
        sensitive_names = SENSITIVE_COLUMNS.get(f"{schema}.{table}", {})
        column_list = ", ".join(f'"{column}"' for column in column_names if column not in sensitive_names)
        connection.execute(f"create view {schema}.{table} as select {column_list} from {name}.{schema}.{table}")
        connection.execute(f"create view main.{table} as from {schema}.{table}")  # the short name, as in the file
