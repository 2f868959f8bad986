"""Runs SQL on the warehouse of a home; the error for an unknown table or column suggests a similar name."""

from __future__ import annotations

import duckdb
import polars as pl

from warehouse.connection import DEFAULT_LIMITS, Limits, open_warehouse
from warehouse.errors import QueryError
from warehouse.serve.name_suggestions import suggestion
from warehouse.storage.home import Home


def query(home: Home, sql: str, *, limits: Limits = DEFAULT_LIMITS) -> pl.DataFrame:
    """The rows of ``sql``; a frame without columns for a statement that returns none.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the SQL failed; the message is DuckDB's.
    """
    with open_warehouse(home, limits=limits) as connection:
        try:
            relation = connection.sql(sql)
            rows: pl.DataFrame = pl.DataFrame() if relation is None else relation.pl()
        except duckdb.Error as error:
            raise QueryError(str(error), _hint(connection, error)) from error
    return rows


def _hint(connection: duckdb.DuckDBPyConnection, error: duckdb.Error) -> str:
    if isinstance(error, duckdb.CatalogException | duckdb.BinderException):
        return f"{suggestion(connection, str(error))}`convohouse tables` lists the tables and their columns."
    if "read-only" in str(error):
        return "Queries cannot change the warehouse; `convohouse build` writes it."
    return "Write tables with their schema, such as marts.fct_conversations."
