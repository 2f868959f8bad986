"""From columns to frames: polars checks each value against the schema."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import chain
from typing import Any

import msgspec
import polars as pl

from pipelines.transform.lenient_decode import text_of
from pipelines.transform.path_values import DOCUMENT, Columns
from warehouse.schema.registry import BY_NAME
from warehouse.schema.types import Column, Table, Type
from warehouse.storage import parquet

_MICROSECONDS = {Type.TIME: 1_000_000, Type.TIME_MS: 1_000}

_lines = msgspec.json.Encoder().encode_lines


def rows(table: Table, parts: Iterable[Columns], own: pl.DataFrame | None = None) -> pl.DataFrame:
    """Rows of some parts of a table, one after the other: the columns that are not all null, times as they came.

    ``own`` are columns with a row a document, which each row of the document repeats.
    """
    columns = _joined([part for part in parts if part])
    made = [_series(column, columns[column.name]) for column in table.columns if column.name in columns]
    if own is not None:
        made += own[pl.Series(columns.get(DOCUMENT, ()), dtype=pl.UInt32)].get_columns()
    return pl.DataFrame(made)


def _joined(parts: Sequence[Columns]) -> Columns:
    """The columns of all parts; what a part does not have is null in its rows."""
    if len(parts) == 1:
        return parts[0]
    joined: dict[str, list[Any]] = {name: [] for name in dict.fromkeys(chain.from_iterable(parts))}
    for part in parts:
        null = (None,) * len(next(iter(part.values())))
        for name, values in joined.items():
            values.extend(part.get(name, null))
    return joined


def _series(column: Column, values: Sequence[Any]) -> pl.Series:
    if column.source is not None and column.type is Type.JSON:
        values = _texts(values)
    elif column.source is not None and column.type is Type.TEXT_OR_JSON:
        values = [value if value is None or isinstance(value, str) else text_of(value) for value in values]
    return pl.Series(column.name, values, _wire(column), strict=True)


def _wire(column: Column) -> pl.DataType:
    """Type in which a column's values come: times of a document are numbers."""
    is_number = column.source is not None and column.type in _MICROSECONDS
    return pl.Float64() if is_number else parquet.POLARS[column.type]


def _texts(values: Sequence[Any]) -> list[str | None]:
    """Compact JSON text of each value, written all at once: in such text is no line break.

    Measured: half the time of one call a value.
    """
    texts = iter(_lines([value for value in values if value is not None]).decode().split("\n"))
    return [None if value is None else next(texts) for value in values]


def whole(table: Table, chunks: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The rows of all chunks, with every column in the type of the schema."""
    none, times = _schema(table.name)
    every = pl.concat([none, *chunks], how="diagonal")
    return every.with_columns(times) if times else every


@cache
def _schema(name: str) -> tuple[pl.DataFrame, list[pl.Expr]]:
    """No rows of a table, with every column as its values come; and what makes times of the numbers among them."""
    table = BY_NAME[name]
    none = pl.DataFrame(schema={column.name: _wire(column) for column in table.columns})
    return none, [
        (pl.col(column.name) * _MICROSECONDS[column.type]).round().cast(pl.Int64).cast(parquet.POLARS[column.type])
        for column in table.columns
        if _wire(column) != parquet.POLARS[column.type]
    ]
