"""How every DuckDB connection is opened, and SQL text that depends on nothing but names.

Every connection uses UTC and a memory limit, and is closed as soon as it is no longer needed. Within a process, DuckDB
shares one database instance per path: after a build has replaced the file, a new connection would still see the old
file until the last connection to it is closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb
import polars as pl

from warehouse.arrow_stream import ArrowStream
from warehouse.errors import NothingBuiltError, QueryError
from warehouse.schema.types import Table
from warehouse.storage import lake
from warehouse.storage.home import Home
from warehouse.storage.spill import spill_folder


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may use: ``memory`` in DuckDB's notation (``2GB``), ``threads`` None for all cores.

    Measured on a build of 100,000 conversations: 500 MB is no faster than the default, 250 MB is slower: more spills.
    """

    memory: str = "350MB"
    threads: int | None = None


DEFAULT_LIMITS = Limits()

MAX_MEMORY = "2GB"
"""Limit for the retry of a statement that ran out of memory."""

HOME_VARIABLE = "convohouse_home"
"""Variable of a connection: the home folder, as a glob pattern, whose files the views of schema ``lake`` read."""

LOCKED_DOWN = {
    "python_enable_replacements": "false",  # else the name of one of our variables would be a table
    "enable_external_access": "false",
    "allowed_configs": "['memory_limit', 'threads', 'TimeZone']",  # of ours: ``execute_with_memory_retry``, the checks
    "lock_configuration": "true",
}
"""Settings, in this order, of the connections to ``warehouse.duckdb``, after the lake was allowed to them."""

MISSING_RELATION = (duckdb.BinderException, duckdb.CatalogException)
"""What DuckDB raises for a table or a column that is not there."""

NOT_IN_FRAMES = re.compile(r'(?<!["\'])\b(INTERVAL|UNION)\b(?!["\'])')
"""Types that polars does not read, also as a part of another; DuckDB writes names of fields like these in quotes."""

_LOCK_DOWN_LOCK = Lock()
"""Connections of a process to one file share their settings, which only the first may set."""

_MEMORY_LIMIT_LOCK = Lock()
"""All cursors share one memory limit: it must not be lowered while another thread's statement needs the raised one."""


@contextmanager
def connect(
    path: Path | None = None, *, limits: Limits = DEFAULT_LIMITS, temporary: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in UTC, closed at the end: in memory, or read-only to file ``path``; spills below ``temporary``."""
    config: dict[str, str | bool | int | float | list[str]] = {"memory_limit": limits.memory}
    if limits.threads is not None:
        config["threads"] = limits.threads
    with nullcontext() if temporary is None else spill_folder(temporary) as folder:
        if folder is not None:
            config["temp_directory"] = str(folder)
        connection = duckdb.connect(str(path or ":memory:"), read_only=path is not None, config=config)
        try:
            connection.execute("set global TimeZone = 'UTC'")  # global: its cursors inherit it
            yield connection
        finally:
            connection.close()


@contextmanager
def open_warehouse(home: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to ``warehouse.duckdb``, which reaches no other file than those of the lake.

    It can neither load extensions nor change settings. To write, it has only ``COPY`` into the lake and the folder of
    spills: what a user typed goes through ``warehouse.serve.query``, which takes nothing but a SELECT.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the file cannot be opened, another program has written to it, or a table or column that is read
            is not in it, as before the first build after an update.
    """
    require_warehouse(home)
    try:
        with connect(home.warehouse, temporary=home.temporary) as connection:
            _read_own_files(connection, home)
            _lock_down(connection, home)
            yield connection
    except duckdb.IOException as error:
        raise QueryError(str(error), "If the file is damaged or in use, run `convohouse build`.") from error
    except MISSING_RELATION as error:
        raise other_version_error(home, error) from error


def other_version_error(home: Home, error: Exception) -> QueryError:
    """The error for a table or a column that this version reads and that the warehouse does not have."""
    first_line = str(error).partition("\n")[0]
    return QueryError(
        f"The warehouse of {home.root} was built by another version of convohouse: {first_line}",
        "Run `convohouse build`. If that changes nothing, this is a bug: report what --debug shows.",
    )


def require_warehouse(home: Home) -> None:
    """Check that there is a warehouse, and that it is as its build has written it.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: another program has written to it.
    """
    require_build(home)
    if home.warehouse_log.exists():  # our builds write none; DuckDB would apply it, even that of a file before
        raise QueryError(
            f"Another program has written to {home.warehouse}: it left {home.warehouse_log.name}.",
            "Close that program, then run `convohouse build`, which discards what it has written.",
        )


def require_build(home: Home) -> None:
    """Check that there is a warehouse, whatever has happened to it since.

    Raises:
        NothingBuiltError: there is no warehouse yet.
    """
    if not home.warehouse.exists():
        home.require_data()
        raise NothingBuiltError(
            f"There is no warehouse in {home.root} yet.", "Run `convohouse sync`, or `convohouse build`."
        )


def _read_own_files(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Let the views of schema ``lake`` read the files of ``home``, wherever it was built.

    Raises:
        QueryError: they are of an earlier version, which cannot do so, and were built elsewhere.
    """
    connection.execute(f"set variable {HOME_VARIABLE} = {_home_literal(home)}")
    foreign_views = connection.execute(
        "select 1 from duckdb_views() "
        "where schema_name = 'lake' and not contains(sql, ?) and not contains(sql, ?) limit 1",
        [HOME_VARIABLE, _home_literal(home)[:-1] + "/"],
    ).fetchall()
    if foreign_views:
        raise QueryError(
            f"The warehouse of {home.root} was built in another folder, and its views read the files there.",
            "Run `convohouse build`.",
        )


def _lock_down(connection: duckdb.DuckDBPyConnection, home: Home) -> None:
    """Let a connection read no file but those of the lake, and keep it so."""
    lake_folder = f"{home.root.resolve()}/{home.lake.name}"
    folders = ", ".join(
        sql_literal(folder) for folder in (lake_folder, escape(lake_folder))
    )  # a pattern is compared too
    with _LOCK_DOWN_LOCK:
        if connection.execute("select current_setting('lock_configuration')").fetchall() == [(True,)]:
            return
        connection.execute(f"set allowed_directories = [{folders}]")
        for name, value in LOCKED_DOWN.items():
            connection.execute(f"set {name} = {value}")


def execute_with_memory_retry(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a statement, which is retried with ``MAX_MEMORY`` if the connection's limit is not enough.

    Not everything can spill: a percentile holds all its values. Afterwards the limit is lowered again, as DuckDB would
    fill the larger memory with its cache. It stays raised if other statements use more than the previous limit then.

    Raises:
        duckdb.Error: as ``execute``.
    """
    try:
        return connection.execute(sql).fetchall()
    except duckdb.OutOfMemoryException:
        with _MEMORY_LIMIT_LOCK:
            (previous_limit,) = connection.execute("select current_setting('memory_limit')").fetchall()[0]
            connection.execute(f"set memory_limit = {sql_literal(MAX_MEMORY)}")
            try:
                return connection.execute(sql).fetchall()
            finally:
                with suppress(duckdb.OutOfMemoryException):  # DuckDB cannot go below what is in use
                    connection.execute(f"set memory_limit = {sql_literal(previous_limit)}")


def read_frame(relation: duckdb.DuckDBPyRelation) -> pl.DataFrame:
    """The rows of a relation; ``relation.pl()`` would import pyarrow, ``materialize()`` take twice the memory.

    Raises:
        duckdb.Error: they cannot be computed.
        QueryError: a type has no counterpart in a frame.
    """
    for name, type_ in zip(relation.columns, relation.types, strict=True):
        if NOT_IN_FRAMES.search(str(type_)):
            raise QueryError(f"The answer cannot be read: {name} is of type {type_}.", "Cast it to text.")
    if len({name.lower() for name in relation.columns}) < len(relation.columns):
        frame: pl.DataFrame = relation.pl()  # which gives columns of one name others
        return frame
    try:
        return pl.DataFrame(ArrowStream(relation))
    except pl.exceptions.ComputeError as error:  # polars runs it, and passes on what DuckDB says
        message = str(error).removeprefix("got external error: ")
        raise (duckdb.InterruptException if message.startswith("INTERRUPT") else duckdb.Error)(message) from None


def create_table(connection: duckdb.DuckDBPyConnection, key: str, frame: pl.DataFrame) -> None:
    """Write the rows of a frame into the connection's database as table ``key``, which must not exist yet.

    Raises:
        duckdb.Error: it exists, or cannot be written.
    """
    connection.register("new_frame", ArrowStream(frame))
    try:
        connection.table("new_frame").create(key)
    finally:
        connection.unregister("new_frame")


def read_parquet_sql(columns: Iterable[str], patterns: Iterable[str]) -> str:
    """A SELECT of columns in the Parquet files of some glob patterns, each of which must match at least one file.

    ``patterns`` are SQL expressions. All files have the columns of their table (``lake.ensure_schema_files``).
    """
    return (
        f"select {', '.join(columns)} "  # noqa: S608 -- column names are from warehouse.schema, none from a user
        f"from read_parquet([{', '.join(patterns)}], hive_partitioning = false)"
    )


def lake_files_sql(home: Home, table: Table) -> str:
    """An expression for the glob of a table's files: below ``HOME_VARIABLE`` where it is set, else where ``home`` is.

    A view with it can be read by any program, and after the home folder was copied, by us.
    """
    folder = f"coalesce(getvariable('{HOME_VARIABLE}'), {_home_literal(home)})"
    return f"{folder} || {sql_literal(f'/{home.lake.name}/{table.name}/{lake.files_glob(table)}')}"


def _home_literal(home: Home) -> str:
    return sql_literal(escape(str(home.root.resolve())))


def sql_literal(text: str) -> str:
    """``text`` as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
