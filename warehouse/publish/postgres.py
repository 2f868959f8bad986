"""Publishes to PostgreSQL: tables in the schemas that they have here, with types, comments and keys.

Everything happens in one transaction. A changed table is loaded beside the current one. If the columns are the same,
the rows that differ are then deleted and inserted: readers never wait, a transaction that sees an earlier state goes on
to see it, and what others have made of the table, such as views and grants, stays. If the columns differ, the new table
takes the place of the current one at the end, with its grants. After an erasure, all rows are written into a new file,
since deleted ones stay in the current one. ``convohouse.published`` says which rows are there, in the same transaction.

Statistics of texts are not collected, as they would keep words that were erased from the tables.
"""

# ruff: noqa: S608 -- names are from sql/ or warehouse.schema or quoted, none from a user

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import adbc_driver_postgresql.dbapi  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.compute as pc
from adbc_driver_manager import dbapi

from warehouse.connection import sql_literal
from warehouse.errors import PublishError
from warehouse.publish.source import Source, SourceTable
from warehouse.publish.target import REMOVED, RESTORED, UNCHANGED, WRITTEN, Outcome, Progress, Publication, Target

STATE_SCHEMA = "convohouse"
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
MAX_NAME_LENGTH = 63

Method = Callable[[dbapi.Cursor, SourceTable], None]

TYPES: dict[pa.DataType, str] = {
    pa.string(): "text",
    pa.int64(): "bigint",
    pa.int32(): "integer",
    pa.float64(): "double precision",
    pa.bool_(): "boolean",
    pa.date32(): "date",
    pa.timestamp("us", "UTC"): "timestamp with time zone",
    pa.timestamp("us"): "timestamp",
    pa.binary(): "bytea",
}


def check(target: Target, publication: Publication) -> None:
    """Check that the database can be reached, and has no tables of the same names from somebody else.

    Raises:
        PublishError: it cannot, or has one.
    """
    with target.reporting(dbapi.Error, OSError), _transaction(target) as cursor:
        current = _begin(cursor)
        for key in publication.new:
            cursor.execute(f"select to_regclass({sql_literal(_quoted(key))}) is not null")
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
        methods = {table.key: _method(cursor, table.key, current, publication) for table in changed_tables}
        for table in changed_tables:
            if methods[table.key] is _merge:
                _merge(cursor, table)
        current_others = [key for key, method in methods.items() if key in current and method is not _merge]
        _lock(cursor, [*obsolete, *current_others])  # after all are loaded: from here on, readers wait
        for name in obsolete:
            cursor.execute(f"drop table {_quoted(name)}")
            cursor.execute(f"delete from {STATE} where name = {sql_literal(name)}")
        for table in changed_tables:
            if methods[table.key] is not _merge:
                methods[table.key](cursor, table)
            _describe(cursor, table, publication.now)
        cursor.execute("commit")
    return outcomes


def column_name(name: str) -> str:
    """A column's name as it is, or shortened to what PostgreSQL takes, with a hash of the whole."""
    if len(name) <= MAX_NAME_LENGTH:
        return name
    return f"{name[: MAX_NAME_LENGTH - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _type(field: pa.Field[Any]) -> str:
    """The type of a column.

    Raises:
        PublishError: PostgreSQL has none.
    """
    if pa.types.is_decimal(field.type):
        return f"numeric({field.type.precision}, {field.type.scale})"
    if field.type not in TYPES:
        raise PublishError(
            f"PostgreSQL has no type for column {field.name}.", f"Cast it from {field.type} in its model."
        )
    return TYPES[field.type]


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
    counts = " union all ".join(f"select {sql_literal(key)}, count(*) from {_quoted(key)}" for key in keys)
    if not counts:
        return {}
    cursor.execute(counts)
    return dict(cursor.fetchall())


def _load(cursor: dbapi.Cursor, source: Source, table: SourceTable) -> None:
    """Create and fill a table beside the current one."""
    name = _loaded(table.key)
    columns = ", ".join(f'"{column_name(field.name)}" {_type(field)}' for field in table.schema)
    cursor.execute(f"create table {name} ({columns})")
    batches = source.batches(table)
    schema = pa.schema([pa.field(column_name(field.name), field.type) for field in table.schema])
    rows = pa.RecordBatchReader.from_batches(schema, (_loadable(batch, schema) for batch in batches))
    cursor.adbc_ingest(name.partition(".")[2].strip('"'), rows, mode="append", db_schema_name=STATE_SCHEMA)
    key = ", ".join(f'"{column_name(column)}"' for column in table.primary_key)
    for field in table.schema:
        if pa.types.is_string(field.type) and field.name not in table.primary_key:
            cursor.execute(f'alter table {name} alter column "{column_name(field.name)}" set statistics 0')
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
            cursor.execute(f"lock table {', '.join(map(_quoted, keys))} in access exclusive mode nowait")
        except dbapi.Error as error:
            if error.sqlstate != IN_USE or number == LOCK_ATTEMPTS:
                raise
            cursor.execute("rollback to savepoint unlocked")
            time.sleep(LOCK_PAUSE_SECS)
        else:
            return


def _method(cursor: dbapi.Cursor, key: str, current: Container[str], publication: Publication) -> Method:
    """How a loaded table becomes the current one."""
    if key not in current or _shape(cursor, _quoted(key)) != _shape(cursor, _loaded(key)):
        return _replace
    return _rewrite if publication.purges else _merge


def _shape(cursor: dbapi.Cursor, relation: str) -> list[tuple[Any, ...]]:
    """Kind, columns, types and keys of a table: where they are the same, rows of one can be in the other."""
    cursor.execute(
        "select c.relkind::text, a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull, "
        "(select string_agg(conkey::text, ' ' order by conname) from pg_constraint where conrelid = c.oid "
        "and contype in ('p', 'u')) from pg_class c join pg_attribute a on a.attrelid = c.oid "
        f"where c.oid = {sql_literal(relation)}::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum"
    )
    return list(cursor.fetchall())


def _merge(cursor: dbapi.Cursor, table: SourceTable) -> None:
    """Make the rows of the current table those of the loaded one, and touch no others."""
    current, loaded = _quoted(table.key), _loaded(table.key)
    # a key with a null equals none: its rows are deleted and inserted each time
    is_same_key = " and ".join(f'loaded."{name}" = published."{name}"' for name in map(column_name, table.primary_key))
    cursor.execute(
        f"delete from {current} as published where not exists (select from {loaded} as loaded "
        f"where {is_same_key} and row(loaded.*) is not distinct from row(published.*))"
    )
    cursor.execute(
        f"insert into {current} select loaded.* from {loaded} as loaded "
        f"where not exists (select from {current} as published where {is_same_key})"
    )
    cursor.execute(f"drop table {loaded}")


def _rewrite(cursor: dbapi.Cursor, table: SourceTable) -> None:
    """Write the rows into a new file of the current table; the old one is deleted with what was erased."""
    cursor.execute(f"truncate {_quoted(table.key)}")
    cursor.execute(f"insert into {_quoted(table.key)} select * from {_loaded(table.key)}")
    cursor.execute(f"drop table {_loaded(table.key)}")


def _replace(cursor: dbapi.Cursor, table: SourceTable) -> None:
    """Put a loaded table in the place of the current one, with its grants, or those that its schema gives."""
    schema, _, name = table.key.partition(".")
    cursor.execute(f'create schema if not exists "{schema}"')
    # a table that moves into a schema does not get the default privileges there: one that is created there does
    cursor.execute(f"create table if not exists {_quoted(table.key)} ()")
    cursor.execute(
        "select a.privilege_type || ' on {table} to ' || case a.grantee when 0 then 'public' else "
        "quote_ident(pg_get_userbyid(a.grantee)) end || case when a.is_grantable then ' with grant option' else '' end "
        f"from pg_class c, aclexplode(c.relacl) a where c.oid = to_regclass({sql_literal(_quoted(table.key))}) "
        "and a.grantee <> c.relowner"
    )
    grants = [grant for (grant,) in cursor.fetchall()]
    cursor.execute(f"drop table if exists {_quoted(table.key)}")
    cursor.execute(f'alter table {_loaded(table.key)} set schema "{schema}"')
    cursor.execute(f'alter table "{schema}"."{table.key}" rename to "{name}"')
    for grant in grants:
        cursor.execute("grant " + grant.replace("{table}", _quoted(table.key)))


def _describe(cursor: dbapi.Cursor, table: SourceTable, now: datetime) -> None:
    """Set comments and statistics of a table that was written, and what the state says of it."""
    name = _quoted(table.key)
    cursor.execute(f"comment on table {name} is {sql_literal(table.description)}")
    for column, text in table.comments.items():
        cursor.execute(f'comment on column {name}."{column_name(column)}" is {sql_literal(text)}')
    cursor.execute(f"analyze {name}")
    values = f"{sql_literal(table.key)}, '{table.fingerprint}', {table.n_rows}, '{now.isoformat()}'"
    cursor.execute(
        f"insert into {STATE} values ({values}) on conflict (name) do update set "
        "fingerprint = excluded.fingerprint, n_rows = excluded.n_rows, published_at = excluded.published_at"
    )


def _loaded(key: str) -> str:
    """The table that is being loaded, which only its transaction sees."""
    return f'{STATE_SCHEMA}."{key}"'


def _quoted(key: str) -> str:
    schema, _, name = key.partition(".")
    return f'"{schema}"."{name}"'
