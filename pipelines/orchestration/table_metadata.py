"""Column schema and column lineage of a table in Dagster's terms."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from pipelines.orchestration.asset_keys import asset_key
from warehouse.models.project import Model
from warehouse.models.seeds import Seed
from warehouse.schema.types import Table, unit_of

Sources = Mapping[str, list[tuple[str, str]]]
"""Source columns by column, as pairs of qualified table and column (``warehouse.models.lineage``)."""


def table_schema(table: Table) -> dg.TableSchema:
    """The columns of a landing or lake table."""
    return dg.TableSchema(
        [
            _column(column.name, column.type.value, column.description, is_required=column.required)
            for column in table.columns
        ]
    )


def sql_table_schema(table: Model | Seed, types: Mapping[str, str]) -> dg.TableSchema:
    """The columns of a model or seed: descriptions from its header, DuckDB types by column from the build."""
    header = table.header
    required = {*header.grain, *header.tests.not_null}
    return dg.TableSchema(
        [
            _column(name, types[name], description, is_required=name in required)
            for name, description in header.columns.items()
        ]
    )


def table_column_lineage(sources: Sources) -> dg.TableColumnLineage:
    """The column lineage of a model; a column without sources, such as a count, has none."""
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(asset_key=asset_key(source), column_name=name) for source, name in column_sources
            ]
            for column, column_sources in sources.items()
            if column_sources
        }
    )


def _column(name: str, type_: str, description: str, *, is_required: bool) -> dg.TableColumn:
    unit = unit_of(name)
    return dg.TableColumn(
        name,
        type_,
        description=f"{description} [{unit}]" if unit else description,
        constraints=dg.TableColumnConstraints(nullable=not is_required),
    )
