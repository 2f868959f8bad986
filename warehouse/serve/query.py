"""Run SQL against the warehouse of a home; name the nearest table or column where one is unknown."""

from __future__ import annotations

import duckdb
import polars as pl

from warehouse.connection import DEFAULT_LIMITS, Limits, open_warehouse
from warehouse.errors import QueryError
from warehouse.serve.name_suggestions import suggestion
from warehouse.storage.home import Home


def query(home: Home, sql: str, *, limits: Limits = DEFAULT_LIMITS) -> pl.DataFrame:
    """Rows that ``sql`` gives; no columns where it gives none.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: DuckDB refused; the message is its own.
    """
    with open_warehouse(home, limits=limits) as connection:
        try:
            relation = connection.sql(sql)
            found: pl.DataFrame = pl.DataFrame() if relation is None else relation.pl()
        except duckdb.Error as error:
            raise QueryError(str(error), _hint(connection, error)) from error
    return found


def _hint(connection: duckdb.DuckDBPyConnection, error: duckdb.Error) -> str:
    if isinstance(error, duckdb.CatalogException | duckdb.BinderException):
        return f"{suggestion(connection, str(error))}`convohouse tables` lists the tables and their columns."
    if "read-only" in str(error):
        return "The warehouse is only read; it is written by `convohouse build`."
    return "Tables are written with their schema, such as marts.fct_conversations."
