"""What Dagster shows of a table: its columns, where each comes from, and how much there is of it."""

from __future__ import annotations

from collections.abc import Mapping

import dagster as dg

from pipelines.orchestration.asset_keys import asset_key
from warehouse.models.project import Model
from warehouse.models.seeds import Seed
from warehouse.schema.types import Table, unit_of

Sources = Mapping[str, list[tuple[str, str]]]
"""Column to the columns that it is made from, each as qualified table and column (``warehouse.models.lineage``)."""


def table_schema(table: Table) -> dg.TableSchema:
    """Columns of a landed or lake table, from the schema."""
    return dg.TableSchema(
        [
            _column(column.name, column.type.value, column.description, is_required=column.required)
            for column in table.columns
        ]
    )


def sql_table_schema(described: Model | Seed, types: Mapping[str, str]) -> dg.TableSchema:
    """Columns of a model or a seed: texts from its header, types (DuckDB's, by column) from the build."""
    header = described.header
    required = {*header.grain, *header.tests.not_null}
    return dg.TableSchema(
        [_column(name, types[name], about, is_required=name in required) for name, about in header.columns.items()]
    )


def table_column_lineage(sources: Sources) -> dg.TableColumnLineage:
    """Column lineage of a model; a column made of nothing, such as a count, has none."""
    return dg.TableColumnLineage(
        {
            column: [dg.TableColumnDep(asset_key=asset_key(table), column_name=name) for table, name in parts]
            for column, parts in sources.items()
            if parts
        }
    )


def _column(name: str, type_: str, about: str, *, is_required: bool) -> dg.TableColumn:
    unit = unit_of(name)
    return dg.TableColumn(
        name,
        type_,
        description=f"{about} [{unit}]" if unit else about,
        constraints=dg.TableColumnConstraints(nullable=not is_required),
    )
