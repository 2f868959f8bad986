"""Publishes to PostgreSQL: tables in the schemas that they have here, with types, comments and keys.

Everything happens in one transaction. A changed table is loaded beside the current one. If the columns are the same,
the rows that differ are then deleted and inserted: readers never wait, a transaction that sees an earlier state goes on
to see it, and what others have made of the table, such as views and grants, stays. They also stay if columns are only
added, behind the others. If the columns differ otherwise, the new table takes the place of the current one at the end,
with its grants. After an erasure, all rows are written into a new file, since deleted ones stay in the current one.
``convohouse.published`` says which rows are there, in the same transaction.

Statistics of texts are not collected, as they would keep words that were erased from the tables.
"""

# ruff: noqa: S608 -- names are from sql/ or warehouse.schema or quoted, none from a user

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_manager import dbapi

from warehouse.connection import sql_literal
from warehouse.errors import PublishError
from warehouse.publish.postgres_tables import (
    STATE_SCHEMA,
    add_columns,
    column_name,
    loaded_name,
    merge,
    method_of,
    quoted_name,
)
from warehouse.publish.source import Source, SourceTable
from warehouse.publish.target import REMOVED, RESTORED, UNCHANGED, WRITTEN, Outcome, Progress, Publication, Target

STATE = f"{STATE_SCHEMA}.published"
LOCK = 5_404_310_842
"""Of PostgreSQL's advisory locks: one publication at a time."""
LOCK_ATTEMPTS, LOCK_PAUSE_SECS = 600, 0.1
"""A minute, for readers that hold a table in a transaction of their own."""
LOCK_TIMEOUT = "60s"
"""For another publication, and for whoever has locked rows or a whole table."""
IN_USE = "55P03"
"""SQLSTATE of a lock that another transaction holds."""
CONNECT_TIMEOUT_SECS = "10"


def check(target: Target, publication: Publication) -> None:
    """Check that the database can be reached, and has no tables of the same names from somebody else.

    Raises:
        PublishError: it cannot, or has one.
    """
    with target.reporting(dbapi.Error, OSError), _transaction(target) as cursor:
        current = _begin(cursor)
        for key in publication.new:
            cursor.execute(f"select to_regclass({sql_literal(quoted_name(key))}) is not null")
            if cursor.fetchall() == [(True,)] and key not in current:
                message = f"{target.url} has a table {key} that convohouse has not created."
                raise PublishError(message, "Choose another database, or rename that table.")
        cursor.execute("rollback")


def publish(target: Target, source: Source, publication: Publication, progress: Progress) -> list[Outcome]:
    """Bring the tables of a publication to a database, in one transaction.

    Raises:
        PublishError: the database cannot be reached or written.
    """
    outcomes = []
    with target.reporting(dbapi.Error, OSError), _transaction(target) as cursor:
        current = _begin(cursor)
        obsolete = [name for name in publication.obsolete if name in current]
        outcomes += [Outcome(name, REMOVED, 0) for name in obsolete]
        changed_tables = []
        n_rows = _count_rows(cursor, (table.key for table in publication.tables if table.key in current))
        for number, table in enumerate(publication.tables, 1):
            change = _change(table, current.get(table.key), n_rows.get(table.key), publication)
            if change != UNCHANGED:
                changed_tables.append(table)
                if not publication.is_dry_run:
                    _load(cursor, source, table)
            outcomes.append(Outcome(table.key, change, table.n_rows))
            progress(number, len(publication.tables))
        if publication.is_dry_run:
            cursor.execute("rollback")
            return outcomes
        methods = {table.key: method_of(cursor, table.key, current, publication) for table in changed_tables}
        for table in changed_tables:
            if methods[table.key] is merge:
                merge(cursor, table)
        current_others = [key for key, method in methods.items() if key in current and method is not merge]
        _lock(cursor, [*obsolete, *current_others])  # after all are loaded: from here on, readers wait
        for name in obsolete:
            cursor.execute(f"drop table {quoted_name(name)}")
            cursor.execute(f"delete from {STATE} where name = {sql_literal(name)}")
        for table in changed_tables:
            if methods[table.key] is not merge:
                methods[table.key](cursor, table)
            _describe(cursor, table, publication.now)
        cursor.execute("commit")
    return outcomes


@contextmanager
def _transaction(target: Target) -> Iterator[dbapi.Cursor]:
    """A cursor in a transaction, which is rolled back unless it was committed."""
    with (
        adbc_driver_postgresql.dbapi.connect(_uri(target), autocommit=True) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("begin")
        yield cursor


def _uri(target: Target) -> str:
    """The URL with what the options say: user and password, and parameters of libpq."""
    parts, options = urlsplit(target.url), dict(target.options)
    user = options.pop("user", None) or (None if parts.username is None else unquote(parts.username))
    password = options.pop("password", None)
    login = "" if user is None else quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    host = parts.netloc.rpartition("@")[2]
    parameters = {"connect_timeout": CONNECT_TIMEOUT_SECS, "application_name": "convohouse"}
    query = urlencode(parameters | dict(parse_qsl(parts.query)) | options)
    return parts._replace(netloc=f"{login}@{host}" if login else host, query=query).geturl()


def _begin(cursor: dbapi.Cursor) -> dict[str, str]:
    """Fingerprint by table, as far as the table is there."""
    cursor.execute("set local time zone 'UTC'")
    cursor.execute(f"set local lock_timeout = '{LOCK_TIMEOUT}'")
    cursor.execute(f"select pg_advisory_xact_lock({LOCK})")
    cursor.fetchall()
    cursor.execute(f"create schema if not exists {STATE_SCHEMA}")
    cursor.execute(
        f"create table if not exists {STATE} "
        "(name text primary key, fingerprint text not null, n_rows bigint not null, published_at timestamptz not null)"
    )
    cursor.execute(f"comment on table {STATE} is 'One row per table that convohouse has published here.'")
    cursor.execute(f"select name, fingerprint from {STATE} where to_regclass(name) is not null")
    return dict(cursor.fetchall())


def _change(table: SourceTable, fingerprint: str | None, n_rows: int | None, publication: Publication) -> str:
    """What there is to do with a table; None where it is not there."""
    if fingerprint is None:
        return RESTORED if table.key in publication.published else WRITTEN
    if publication.purges or fingerprint != table.fingerprint:
        return WRITTEN
    return UNCHANGED if n_rows == table.n_rows else RESTORED


def _count_rows(cursor: dbapi.Cursor, keys: Iterable[str]) -> dict[str, int]:
    """Rows by table: somebody may have deleted some, or emptied it."""
    counts = " union all ".join(f"select {sql_literal(key)}, count(*) from {quoted_name(key)}" for key in keys)
    if not counts:
        return {}
    cursor.execute(counts)
    return dict(cursor.fetchall())


def _load(cursor: dbapi.Cursor, source: Source, table: SourceTable) -> None:
    """Create and fill a table beside the current one."""
    name = loaded_name(table.key)
    cursor.execute(f"create table {name} ()")
    add_columns(cursor, name, table, table.schema)
    batches = source.batches(table)
    schema = pa.schema([pa.field(column_name(field.name), field.type) for field in table.schema])
    rows = pa.RecordBatchReader.from_batches(schema, (_loadable(batch, schema) for batch in batches))
    cursor.adbc_ingest(name.partition(".")[2].strip('"'), rows, mode="append", db_schema_name=STATE_SCHEMA)
    key = ", ".join(f'"{column_name(column)}"' for column in table.primary_key)
    kind = "unique nulls not distinct" if source.has_nulls(table) else "primary key"
    # named, as the names of indexes are those of a schema, into which the table moves
    cursor.execute(f'alter table {name} add constraint "{table.key}_key" {kind} ({key})')


def _loadable(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch in the declared types, without the character 0, which PostgreSQL's text cannot have."""
    arrays = []
    for array, field in zip(batch.columns, schema, strict=True):
        values = array.cast(field.type)
        arrays.append(pc.replace_substring(values, "\0", "") if pa.types.is_string(field.type) else values)
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _lock(cursor: dbapi.Cursor, keys: Sequence[str]) -> None:
    """Lock all tables at once, without holding one while it waits for another.

    A query that reads several of them locks these in its own order: two that wait for each other would be a deadlock,
    and PostgreSQL would end one of them.
    """
    if not keys:
        return
    for number in count(1):
        cursor.execute("savepoint unlocked")
        try:
            cursor.execute(f"lock table {', '.join(map(quoted_name, keys))} in access exclusive mode nowait")
        except dbapi.Error as error:
            if error.sqlstate != IN_USE or number == LOCK_ATTEMPTS:
                raise
            cursor.execute("rollback to savepoint unlocked")
            time.sleep(LOCK_PAUSE_SECS)
        else:
            return


def _describe(cursor: dbapi.Cursor, table: SourceTable, now: datetime) -> None:
    """Set comments and statistics of a table that was written, and what the state says of it."""
    name = quoted_name(table.key)
    cursor.execute(f"comment on table {name} is {sql_literal(table.description)}")
    for column, text in table.comments.items():
        cursor.execute(f'comment on column {name}."{column_name(column)}" is {sql_literal(text)}')
    cursor.execute(f"analyze {name}")
    values = f"{sql_literal(table.key)}, '{table.fingerprint}', {table.n_rows}, '{now.isoformat()}'"
    cursor.execute(
        f"insert into {STATE} values ({values}) on conflict (name) do update set "
        "fingerprint = excluded.fingerprint, n_rows = excluded.n_rows, published_at = excluded.published_at"
    )
