"""DuckDB for everyone: how we connect, and the one read-only question that a command line asks.

Every connection speaks UTC and stays within its limits, and is closed as soon as it is done with: within one process a
second connection to a swapped file would see the old one until the last one to the old file is closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb

from warehouse.errors import NothingBuiltError, QueryError
from warehouse.storage.home import Home


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may use: ``memory`` as DuckDB writes it (``2GB``), ``threads`` None for all cores.

    Measured: with 500 MB, 100,000 conversations are built in the same time; with 250 MB in some more, as DuckDB spills.
    """

    memory: str = "350MB"
    threads: int | None = None


DEFAULT_LIMITS = Limits()

MOST_MEMORY = "2GB"
"""What a statement gets that does not do with less."""

_WITH_MORE = Lock()
"""The limit is one for all cursors: nobody takes it back while somebody else's statement needs it."""


@contextmanager
def connect(
    path: Path | None = None, *, limits: Limits = DEFAULT_LIMITS, temporary: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in UTC, closed at the end: to memory, or read-only to the file ``path``; spills to ``temporary``."""
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": limits.memory}
    if limits.threads is not None:
        config["threads"] = limits.threads
    if temporary is not None:
        config["temp_directory"] = str(temporary)
    connection = duckdb.connect(str(path or ":memory:"), read_only=path is not None, config=config)
    try:
        connection.execute("set global TimeZone = 'UTC'")  # its cursors speak it too
        yield connection
    finally:
        connection.close()


@contextmanager
def open_warehouse(home: Home, *, limits: Limits = DEFAULT_LIMITS) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, read-only.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the file cannot be opened.
    """
    if not home.warehouse.exists():
        raise NothingBuiltError(
            f"There is no warehouse in {home.root} yet.", "Run `convohouse sync`, or `convohouse build`."
        )
    try:
        with connect(home.warehouse, limits=limits, temporary=home.temporary) as connection:
            yield connection
    except duckdb.IOException as error:
        raise QueryError(str(error), "If the file is damaged or in use, run `convohouse build`.") from error


def execute_with_memory_retry(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a statement, with up to ``MOST_MEMORY`` where what the connection has is not enough for it.

    Not everything can spill: a percentile holds all its values. Afterwards the connection has what it had, or DuckDB
    would go on to fill the larger memory with what it may drop; it stays larger where another statement needs it then.

    Raises:
        duckdb.Error: as ``execute``.
    """
    try:
        return connection.execute(sql).fetchall()
    except duckdb.OutOfMemoryException:
        with _WITH_MORE:
            (stood,) = connection.execute("select current_setting('memory_limit')").fetchall()[0]
            connection.execute(f"set memory_limit = {sql_literal(MOST_MEMORY)}")
            try:
                return connection.execute(sql).fetchall()
            finally:
                with suppress(duckdb.OutOfMemoryException):  # more than that is in use
                    connection.execute(f"set memory_limit = {sql_literal(stood)}")


def read_parquet_sql(columns: Iterable[str], patterns: Iterable[str]) -> str:
    """A SELECT of columns in the Parquet files of some patterns, of which each has to match one at least.

    By name: a file from before a column was added has null there.
    """
    files = ", ".join(map(sql_literal, patterns))
    return (
        f"select {', '.join(columns)} "  # noqa: S608 -- names of columns are from warehouse.schema.conversations, none from a user
        f"from read_parquet([{files}], union_by_name = true, hive_partitioning = false)"
    )


def sql_literal(text: str) -> str:
    """``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"
