"""Column schema and column lineage of a table in Dagster's terms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import dagster as dg

from pipelines.orchestration.asset_keys import asset_key
from pipelines.orchestration.beta import no_beta_warnings
from warehouse.errors import ConvohouseError
from warehouse.models.build_tables import GeneratedTable
from warehouse.models.project import Model
from warehouse.models.seeds import Seed
from warehouse.schema.types import Table, unit_of
from warehouse.serve.query import query
from warehouse.storage.home import Home

ColumnTypes = Mapping[str, Mapping[str, str]]
"""DuckDB types by column, by qualified name of a table."""
_TYPES = "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns()"
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


def column_types(home: Home) -> dict[str, dict[str, str]]:
    """The types in the current warehouse; empty if there is none that can be read."""
    types: defaultdict[str, dict[str, str]] = defaultdict(dict)
    with suppress(ConvohouseError):
        for name, column, data_type in query(home, _TYPES).rows():
            types[name][column] = data_type
    return types


@no_beta_warnings()
def code_reference(path: Path) -> dict[str, dg.CodeReferencesMetadataValue]:
    """Metadata that links an asset to its file."""
    reference = dg.LocalFileCodeReference(file_path=str(path), line_number=1, label=path.name)
    return {"dagster/code_references": dg.CodeReferencesMetadataValue(code_references=[reference])}


def sql_table_schema(table: Model | Seed, types: Mapping[str, str]) -> dg.TableSchema:
    """The columns of a model or seed: descriptions from its header, DuckDB types by column if they are known."""
    header = table.header
    required_columns = {*header.grain, *header.tests.not_null}
    return dg.TableSchema(
        [
            _column(name, types.get(name, ""), description, is_required=name in required_columns)
            for name, description in header.columns.items()
        ]
    )


def generated_table_schema(table: GeneratedTable) -> dg.TableSchema:
    """The columns of a table that the build writes, all of them text."""
    return dg.TableSchema(
        [_column(name, "VARCHAR", description, is_required=False) for name, description in table.columns.items()]
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
