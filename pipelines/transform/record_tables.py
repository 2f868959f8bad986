"""Rows of elements that stand in no conversation: a shape of their own, read by the lenient road alone.

Tools and prices are few, so they need no fast road.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from pipelines.transform.document_schema import EXTRA, object_at, build_shape
from pipelines.transform.lenient_decode import convert, json_text
from pipelines.transform.path_values import Columns, PathExtractor
from pipelines.transform.polars_frames import build_frame, concat_frames
from warehouse.schema.types import Table

_AT = "elements[]"


class RecordTable:
    """How the rows of a table are made of plain JSON objects, each a row."""

    def __init__(self, table: Table) -> None:
        """The paths of the table's columns begin at the element, wherever the table says that it stands."""
        self._table = table
        self.shape = object_at(_AT, build_shape([replace(table, at=(_AT,))]))
        columns = ((column.name, column.source) for column in table.columns if column.source is not None)
        self._values = PathExtractor(self.shape, [*columns, ("extra", EXTRA)])

    def read(self, value: Any) -> Any:
        """The struct of an element; what is no object is kept in its ``extra``, under the path ``.``."""
        if isinstance(value, dict):
            return convert(self.shape, value)
        return self.shape.struct(**{EXTRA: None if value is None else json_text({".": value})})

    def frame(self, structs: Sequence[Any], own: Columns) -> pl.DataFrame:
        """The rows of structs that were read; ``own`` are the columns that the pipeline makes."""
        return concat_frames(self._table, [build_frame(self._table, [{**self._values(structs), **own}])])
