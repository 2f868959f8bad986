"""From columns to frames: polars checks each value against the schema."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl

from pipelines.flatten.lenient import text_of
from pipelines.flatten.walk import DOCUMENT, Columns
from warehouse import lake
from warehouse.columns import Column, Table, Type

_WIRE = {Type.TIME: pl.Float64(), Type.TIME_MS: pl.Float64()}
_MICROSECONDS = {Type.TIME: 1_000_000, Type.TIME_MS: 1_000}

_lines = msgspec.json.Encoder().encode_lines


def rows(table: Table, columns: Columns, own: Columns) -> pl.DataFrame:
    """Rows of one chunk: the columns that are not all null, times still as they came.

    ``own`` are columns with a row a document, which each row of the document repeats.
    """
    documents = pl.Series(columns.get(DOCUMENT, ()), dtype=pl.Int64)
    return pl.DataFrame(
        [
            _series(column, columns[column.name])
            if column.name in columns
            else _series(column, own[column.name]).gather(documents)
            for column in table.columns
            if column.name in columns or column.name in own
        ]
    )


def _series(column: Column, values: Sequence[Any]) -> pl.Series:
    if column.source is None:
        return pl.Series(column.name, values, lake.POLARS[column.type], strict=True)
    if column.type is Type.JSON:
        values = _texts(values)
    elif column.type is Type.BAG:
        values = [value if value is None or isinstance(value, str) else text_of(value) for value in values]
    return pl.Series(column.name, values, _WIRE.get(column.type, lake.POLARS[column.type]), strict=True)


def _texts(values: Sequence[Any]) -> list[str | None]:
    """Compact JSON text of each value, written all at once: in such text is no line break.

    Measured: half the time of one call a value.
    """
    texts = iter(_lines([value for value in values if value is not None]).decode().split("\n"))
    return [None if value is None else next(texts) for value in values]


def whole(table: Table, chunks: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """The rows of all chunks, with every column in the type of the schema."""
    every = pl.concat(chunks, how="diagonal") if chunks else pl.DataFrame()
    return every.select(_typed(column, every) for column in table.columns)


def _typed(column: Column, frame: pl.DataFrame) -> pl.Expr:
    if column.name not in frame.columns:
        return pl.repeat(None, frame.height, dtype=lake.POLARS[column.type]).alias(column.name)
    if column.source is None or column.type not in _MICROSECONDS:
        return pl.col(column.name)
    return (pl.col(column.name) * _MICROSECONDS[column.type]).round().cast(pl.Int64).cast(lake.POLARS[column.type])
