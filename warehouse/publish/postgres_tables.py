"""Tables of PostgreSQL: a loaded one, and how it becomes the current one.

Rows are merged, and columns only added, wherever they can be: views and grants on the current table stay. Otherwise the
loaded table takes its place.
"""

# ruff: noqa: S608 -- names are from sql/ or warehouse.schema or quoted, none from a user

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable
from typing import Any

import pyarrow as pa
from adbc_driver_manager import dbapi

from warehouse.connection import sql_literal
from warehouse.errors import PublishError
from warehouse.publish.source import SourceTable
from warehouse.publish.target import Publication

STATE_SCHEMA = "convohouse"
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


def loaded_name(key: str) -> str:
    """The table that is being loaded, which only its transaction sees."""
    return f'{STATE_SCHEMA}."{key}"'


def quoted_name(key: str) -> str:
    """The current table."""
    schema, _, name = key.partition(".")
    return f'"{schema}"."{name}"'


def add_columns(cursor: dbapi.Cursor, name: str, table: SourceTable, fields: Iterable[pa.Field[Any]]) -> None:
    """Add columns, of texts without statistics."""
    changes = []
    for field in fields:
        column = f'"{column_name(field.name)}"'
        changes.append(f"add column {column} {_type(field)}")
        if pa.types.is_string(field.type) and field.name not in table.primary_key:
            changes.append(f"alter column {column} set statistics 0")
    cursor.execute(f"alter table {name} {', '.join(changes)}")


def method_of(cursor: dbapi.Cursor, key: str, current: Container[str], publication: Publication) -> Method:
    """How a loaded table becomes the current one."""
    if key not in current:
        return replace
    (kind, columns), (loaded_kind, loaded_columns) = _shape(cursor, quoted_name(key)), _shape(cursor, loaded_name(key))
    if kind != loaded_kind or not columns.items() <= loaded_columns.items():
        return replace
    if publication.purges:
        return rewrite
    return merge if columns == loaded_columns else extend


def _shape(cursor: dbapi.Cursor, relation: str) -> tuple[tuple[Any, ...], dict[str, tuple[str, bool]]]:
    """Kind and keys of a table, and its columns with their types, whatever their order."""
    cursor.execute(
        "select relkind::text, (select string_agg(pg_get_constraintdef(oid), ' ' order by conname) from pg_constraint "
        "where conrelid = c.oid and contype in ('p', 'u')) from pg_class c "
        f"where oid = {sql_literal(relation)}::regclass"
    )
    (kind,) = cursor.fetchall()
    cursor.execute(
        "select attname::text, format_type(atttypid, atttypmod), attnotnull from pg_attribute "
        f"where attrelid = {sql_literal(relation)}::regclass and attnum > 0 and not attisdropped"
    )
    return kind, {name: (type_, is_required) for name, type_, is_required in cursor.fetchall()}


def merge(cursor: dbapi.Cursor, table: SourceTable) -> None:
    """Make the rows of the current table those of the loaded one, and touch no others."""
    current, loaded = quoted_name(table.key), loaded_name(table.key)
    # a key with a null equals none: its rows are deleted and inserted each time
    is_same_key = " and ".join(f'loaded."{name}" = published."{name}"' for name in map(column_name, table.primary_key))
    cursor.execute(
        f"delete from {current} as published where not exists (select from {loaded} as loaded where {is_same_key} "
        f"and row({_columns(table, 'loaded.')}) is not distinct from row({_columns(table, 'published.')}))"
    )
    cursor.execute(
        f"insert into {current} ({_columns(table)}) select {_columns(table, 'loaded.')} from {loaded} as loaded "
        f"where not exists (select from {current} as published where {is_same_key})"
    )
    cursor.execute(f"drop table {loaded}")


def extend(cursor: dbapi.Cursor, table: SourceTable) -> None:
    """As ``merge``, after the columns were added that the current table lacks."""
    _add_missing_columns(cursor, table)
    merge(cursor, table)


def rewrite(cursor: dbapi.Cursor, table: SourceTable) -> None:
    """Write the rows into a new file of the current table; the old one is deleted with what was erased."""
    current, loaded = quoted_name(table.key), loaded_name(table.key)
    _add_missing_columns(cursor, table)
    cursor.execute(f"truncate {current}")
    cursor.execute(f"insert into {current} ({_columns(table)}) select {_columns(table)} from {loaded}")
    cursor.execute(f"drop table {loaded}")


def _add_missing_columns(cursor: dbapi.Cursor, table: SourceTable) -> None:
    _, columns = _shape(cursor, quoted_name(table.key))
    if missing_fields := [field for field in table.schema if column_name(field.name) not in columns]:
        add_columns(cursor, quoted_name(table.key), table, missing_fields)


def _columns(table: SourceTable, prefix: str = "") -> str:
    """The columns in the order of the loaded table; those of the current one may be in another."""
    return ", ".join(f'{prefix}"{column_name(name)}"' for name in table.schema.names)


def replace(cursor: dbapi.Cursor, table: SourceTable) -> None:
    """Put a loaded table in the place of the current one, with its grants, or those that its schema gives."""
    schema, _, name = table.key.partition(".")
    cursor.execute(f'create schema if not exists "{schema}"')
    # a table that moves into a schema does not get the default privileges there: one that is created there does
    cursor.execute(f"create table if not exists {quoted_name(table.key)} ()")
    cursor.execute(
        "select a.privilege_type || ' on {table} to ' || case a.grantee when 0 then 'public' else "
        "quote_ident(pg_get_userbyid(a.grantee)) end || case when a.is_grantable then ' with grant option' else '' end "
        f"from pg_class c, aclexplode(c.relacl) a where c.oid = to_regclass({sql_literal(quoted_name(table.key))}) "
        "and a.grantee <> c.relowner"
    )
    grants = [grant for (grant,) in cursor.fetchall()]
    cursor.execute(f"drop table if exists {quoted_name(table.key)}")
    cursor.execute(f'alter table {loaded_name(table.key)} set schema "{schema}"')
    cursor.execute(f'alter table "{schema}"."{table.key}" rename to "{name}"')
    for grant in grants:
        cursor.execute("grant " + grant.replace("{table}", quoted_name(table.key)))
