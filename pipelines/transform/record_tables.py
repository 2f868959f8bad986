"""Rows of JSON objects that are not part of a conversation, such as tools and prices; each has a shape of its own.

There are few of them, so the lenient decoder alone is fast enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from pipelines.transform.document_schema import EXTRA, build_shape, object_at
from pipelines.transform.lenient_decode import convert, json_text
from pipelines.transform.path_values import Columns, PathExtractor
from pipelines.transform.polars_frames import build_frame, concat_frames
from warehouse.schema.types import Table

RECORD_ITSELF = "."
"""Path in ``extra`` of a record that is not an object."""

_PATH = "elements[]"


class RecordTable:
    """Builds the rows of a table from plain JSON objects, one row per object."""

    def __init__(self, table: Table) -> None:
        """Paths of the columns begin at the object, whatever ``table.at`` says."""
        self._table = table
        self.shape = object_at(_PATH, build_shape([replace(table, at=(_PATH,))]))
        columns = ((column.name, column.source) for column in table.columns if column.source is not None)
        self._extractor = PathExtractor(self.shape, [*columns, ("extra", EXTRA)])

    def read(self, value: Any) -> Any:
        """The struct of a record; a value that is not an object goes to its ``extra`` under ``RECORD_ITSELF``."""
        if isinstance(value, dict):
            return convert(self.shape, value)
        return self.shape.struct(**{EXTRA: None if value is None else json_text({RECORD_ITSELF: value})})

    def frame(self, structs: Sequence[Any], derived_columns: Columns) -> pl.DataFrame:
        """The rows of structs from ``read``, with the columns that are not read from the JSON."""
        return concat_frames(self._table, [build_frame(self._table, [{**self._extractor(structs), **derived_columns}])])
