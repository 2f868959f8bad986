"""Rows that pass between DuckDB and polars as a stream of Arrow, without pyarrow, which takes long to import.

This module imports neither: polars remembers the classes of what it reads until the process ends, and a class that
leads to DuckDB's module lets DuckDB report leaks then.
"""

from __future__ import annotations

from typing import Protocol


class StreamSource(Protocol):
    """What gives its rows as a stream: a frame, or a relation."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A new stream of the rows."""


class ArrowStream:
    """The rows of a source, and nothing else of it, by which its reader could know it."""

    def __init__(self, source: StreamSource) -> None:
        self._source = source

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A new stream of the rows."""
        return self._source.__arrow_c_stream__(requested_schema)
