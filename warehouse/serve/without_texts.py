"""A connection to the warehouse without what was said and without who it was: for readers who may not see it.

The file is attached under a name that nobody can know before the query runs, and what is read are views of it in memory
that leave out the columns of ``WITHHELD``. So no spelling of a table, no function and no other catalog leads around
them. No file can be read at all, not even that of the warehouse, to whose path DuckDB allows access as it is attached.
"""

# ruff: noqa: S608 -- every name in these statements is from the warehouse

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from warehouse.connection import DEFAULT_LIMITS, LOCKED_DOWN, Limits, connect, require_warehouse, sql_literal
from warehouse.errors import QueryError
from warehouse.storage.home import Home

SCHEMAS = ("marts", "metrics")

WITHHELD: dict[str, frozenset[str]] = {
    "marts.dim_agent_versions": frozenset({"author_name"}),
    "marts.fct_conversations": frozenset(
        {"caller_id", "error_reason", "feedback_comment", "summary_title", "transcript_summary", "user_id"}
    ),
    "marts.fct_data_collection": frozenset({"rationale", "value"}),
    "marts.fct_evaluations": frozenset({"rationale"}),
    "marts.fct_rag_retrievals": frozenset({"retrieval_query"}),
    "marts.fct_tool_calls": frozenset({"params_as_json", "raw_error_message", "result_reason", "result_value"}),
    "marts.fct_transfers": frozenset({"error", "reason", "to_number"}),
    "marts.fct_turns": frozenset({"message", "original_message"}),
    "metrics.data_collection_fill": frozenset({"top_values"}),
    "metrics.transfers": frozenset({"to_number"}),
}
"""Columns with free text or identifiers: texts that are computed from a column of the lake with a sensitivity, unless a
test of the model lists their values, or they are in ``COMPUTED``. A test compares this with the lineage."""

NO_FILES = {
    "temp_directory": "''",  # a query that needs more memory fails
    "enable_external_access": "false",
    "disabled_filesystems": "'LocalFileSystem'",
} | LOCKED_DOWN
"""Settings, in this order, after the warehouse was attached."""

COMPUTED = {
    ("marts.fct_conversations", "outcome_reason"),  # a word of ours, the type of an error or the name of a guardrail
    ("metrics.experiments", "finding"),  # a sentence of ours about rates
}
"""Texts that are computed from sensitive columns and hold nothing of them."""


@contextmanager
def open_without_texts(home: Home, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to marts and metrics without the columns of ``WITHHELD``; it reaches no file.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the file cannot be opened, or another program has written to it.
    """
    require_warehouse(home)
    name = f"warehouse_{uuid.uuid4().hex}"
    try:
        with connect(limits=limits) as connection:
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
        {"name": name, "schemas": list(SCHEMAS)},
    ).fetchall()
    for schema in SCHEMAS:
        connection.execute(f"create schema {schema}")
    for schema, table, column_names in columns:
        withheld = WITHHELD.get(f"{schema}.{table}", frozenset())
        shown = ", ".join(f'"{column}"' for column in column_names if column not in withheld)
        connection.execute(f"create view {schema}.{table} as select {shown} from {name}.{schema}.{table}")
        connection.execute(f"create view main.{table} as from {schema}.{table}")  # the short name, as in the file
