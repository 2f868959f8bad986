"""The tables on which engines are compared, and what they have to be."""

from __future__ import annotations

from datetime import date

import polars as pl
import pyarrow as pa

from tests.helpers.small_lake import DAYS
from warehouse.schema.conversations import CONVERSATIONS, TAGS, WARNINGS
from warehouse.schema.operations import AGENTS, QUARANTINE
from warehouse.schema.reference_data import REFERENCE_TABLES
from warehouse.schema.transcript import TURNS
from warehouse.schema.types import Table
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home

DAY = DAYS[1]
COMPARED = {
    "every day, two hundred columns": CONVERSATIONS,
    "a day missing, late columns": TURNS,
    "all days but one missing": TAGS,
    "empty, with days": WARNINGS,
    "no days": QUARANTINE,
    "no days, a late column": AGENTS,
    "empty, no days": REFERENCE_TABLES[0],
}
N_ROWS = {CONVERSATIONS: 6, TURNS: 15, TAGS: 2, WARNINGS: 0, QUARANTINE: 2, AGENTS: 2, REFERENCE_TABLES[0]: 0}
UNTYPED_ENGINES = ("pandas", "Dask")
"""Their integers with nulls are floats, and their columns without values have no type."""


def has_day(home: Home, table: Table) -> bool:
    return table.is_daily and home.partition(table, DAY).exists()


def assert_equals(home: Home, engine: str, table: Table, rows: pa.Table, day: date | None = None) -> None:
    """Every row, value and type of a table, or of a day, is what we read ourselves.

    Raises:
        AssertionError: something differs.
    """
    expected = lake.read(home.all_workspaces, table)
    assert expected.height == N_ROWS[table], expected
    if day:
        expected = expected.filter(start_date=day)
    assert set(rows.column_names) - {"day"} <= {*table.column_names, "__null_dask_index__", "index"}, rows.column_names
    rows = rows.select(table.column_names)
    schema = pl.DataFrame(schema=parquet.polars_schema(table)).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
    if engine not in UNTYPED_ENGINES:
        types = {field.name: (_plain_type(field.type), _plain_type(rows.field(field.name).type)) for field in schema}
        assert all(expected == actual for expected, actual in types.values()), types
    actual = pl.DataFrame(rows.cast(schema))
    order = ["workspace", *(name for name in table.key if name != "workspace")]
    assert actual.sort(order).equals(expected.sort(order)), actual


def _plain_type(type_: pa.DataType) -> str:
    """The type without how an engine lays it out in memory."""
    if pa.types.is_dictionary(type_):
        return _plain_type(type_.value_type)
    if pa.types.is_timestamp(type_):
        return f"timestamp of an instant, {type_.unit}" if type_.tz else "timestamp"  # the zone is only how it is shown
    return str(type_).removeprefix("large_").removesuffix("_view")
