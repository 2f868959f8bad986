"""Runs a SELECT on the warehouse of a home; the error for an unknown table or column suggests a similar name.

What a SELECT is, DuckDB's parser says. It also calls a ``with`` that writes one, so the parts are looked at too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from threading import Timer

import duckdb
import polars as pl

from warehouse.connection import MISSING_RELATION, open_warehouse, read_frame
from warehouse.errors import QueryError
from warehouse.serve.name_suggestions import suggestion
from warehouse.storage.home import Home

READING_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
"""Types of queries in DuckDB's parse tree that only read; others are ``COPY_QUERY_NODE`` and the like."""

NODE_TYPE = re.compile(r'"type":"(\w+_NODE)"')
"""In a parse tree as JSON; a quote in a text of the query is escaped there."""


Connect = Callable[[Home], AbstractContextManager[duckdb.DuckDBPyConnection]]
"""How the warehouse is opened: ``open_warehouse``, or ``without_texts.open_without_texts``."""


@dataclass(frozen=True, slots=True)
class AnswerLimits:
    """How many rows an answer has at most, and how long a query may take."""

    rows: int
    secs: float


@dataclass(frozen=True, slots=True)
class LimitedAnswer:
    """The first rows of an answer; ``is_truncated`` says that there are more."""

    rows: pl.DataFrame
    is_truncated: bool


def query(home: Home, sql: str) -> pl.DataFrame:
    """The rows of ``sql``, which is one SELECT.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the SQL is no SELECT, or failed; then the message is DuckDB's.
    """
    with open_warehouse(home) as connection:
        try:
            rows = read_frame(_select(connection, sql))
        except duckdb.Error as error:
            raise QueryError(_message(error), _hint(connection, error)) from error
    return rows


def limited_query(home: Home, sql: str, limits: AnswerLimits, connect: Connect = open_warehouse) -> LimitedAnswer:
    """The first rows of ``sql``, which is one SELECT and is stopped after a time.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: as ``query``; or it took too long.
    """
    with connect(home) as connection:
        timer = Timer(limits.secs, connection.interrupt)
        timer.start()
        try:
            rows = read_frame(_select(connection, sql).limit(limits.rows + 1))
        except duckdb.InterruptException as error:
            raise QueryError(
                f"The query took longer than {limits.secs:g} seconds and was stopped.", "Ask for fewer rows or days."
            ) from error
        except duckdb.Error as error:
            raise QueryError(_message(error), _hint(connection, error)) from error
        finally:
            timer.cancel()
    return LimitedAnswer(rows.head(limits.rows), rows.height > limits.rows)


def _select(connection: duckdb.DuckDBPyConnection, sql: str) -> duckdb.DuckDBPyRelation:
    """The relation of a SELECT, which is executed when its rows are read.

    Raises:
        duckdb.Error: DuckDB cannot read it, or it would write as a part of a SELECT.
        QueryError: it is no SELECT, or several.
    """
    types = [statement.type for statement in connection.extract_statements(sql)]
    if types == [duckdb.StatementType.SELECT] and _node_types(connection, sql) <= READING_NODES:
        return connection.sql(sql)
    if types in ([duckdb.StatementType.SELECT], [duckdb.StatementType.MULTI]):
        # A PIVOT that looks up its columns, or a COPY of one: DuckDB says no more. As a subquery, none can write.
        subquery = f"select * from (\n{sql.rstrip().removesuffix(';')}\n)"  # noqa: S608 -- it is the user's
        with suppress(duckdb.ParserException):
            if len(connection.extract_statements(subquery)) == 1:
                return connection.sql(subquery)
    raise QueryError("A query is one SELECT: it is read-only.", "`convohouse build` writes the warehouse.")


def _node_types(connection: duckdb.DuckDBPyConnection, sql: str) -> set[str]:
    """Types of the queries that a SELECT consists of; only ``other`` if DuckDB does not say."""
    (serialized,) = connection.execute("select cast(json_serialize_sql($sql) as varchar)", {"sql": sql}).fetchall()[0]
    return set(NODE_TYPE.findall(serialized)) or {"other"}


def _message(error: duckdb.Error) -> str:
    """What DuckDB says, without its advice to change settings, which a query cannot."""
    return str(error).partition("\n\nPossible solutions:")[0]


def _hint(connection: duckdb.DuckDBPyConnection, error: duckdb.Error) -> str:
    if isinstance(error, MISSING_RELATION):
        lists = "`convohouse tables` lists tables and columns; after an update, `convohouse build` adds new ones."
        return f"{suggestion(connection, str(error))}{lists}"
    if isinstance(error, duckdb.PermissionException):
        return "A query reads the warehouse and its lake, and no other file, address or extension."
    if isinstance(error, duckdb.IOException):  # of a view of lake or staging
        return "A file of the lake is missing or damaged: `convohouse sync` rebuilds it from the landing."
    if isinstance(error, duckdb.OutOfMemoryException):
        return "Ask for fewer rows, columns or days."
    if not isinstance(error, duckdb.ParserException):  # the message says which value is wrong
        return ""
    return "Write tables with their schema, such as marts.fct_conversations."
