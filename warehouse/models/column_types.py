"""Types of the columns of all relations, without a warehouse: the models are built in memory on tables without rows."""

from __future__ import annotations

import polars as pl

from warehouse.connection import connect, create_table
from warehouse.models.build_tables import GENERATED_TABLES
from warehouse.models.project import ALL_SCHEMAS, Project
from warehouse.schema.registry import TABLES
from warehouse.storage.parquet import polars_schema


def column_types(project: Project) -> dict[str, dict[str, str]]:
    """DuckDB's type by column, by qualified name of the relation: tables of the lake, seeds and models.

    Raises:
        duckdb.Error: a SELECT cannot be planned.
    """
    with connect() as connection:
        for schema in ALL_SCHEMAS:
            connection.execute(f"create schema {schema}")
        for table in TABLES:
            create_table(connection, f"lake.{table.name}", pl.DataFrame(schema=polars_schema(table)))
        for seed in project.seeds:
            seed.load(connection)
        for generated in GENERATED_TABLES:
            generated.load(connection, generated.frame([]))
        for model in project.models:
            connection.execute(f"create table {model.key} as {model.sql}")
        rows = connection.execute(
            "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
            "where not internal order by table_oid, column_index"
        ).fetchall()
    types: dict[str, dict[str, str]] = {}
    for relation, column, type_ in rows:
        types.setdefault(relation, {})[column] = type_
    return types
