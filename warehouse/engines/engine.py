"""What an engine has to do so that the models can be built on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import polars as pl

from warehouse.models.project import Model
from warehouse.schema.types import Table

BEFORE = "before"
"""Schema of the tables of the build before, whose rows of unchanged days are kept."""


class Engine(Protocol):
    """A connection to an engine; relations are known to it by their qualified names, such as ``marts.fct_turns``.

    Every method raises ``EngineError`` with the engine's own message.
    """

    name: str

    def read_lake(self, table: Table, lakes: Sequence[str]) -> None:
        """Make a table of the lake a relation: the rows of all ``lakes`` (folders or URLs), with its columns."""

    def load(self, key: str, rows: pl.DataFrame) -> None:
        """Make a few rows a relation: a seed."""

    def read_table(self, key: str, types: dict[str, str], folder: str) -> None:
        """Make a table that was materialized before a relation."""

    def materialize(self, model: Model, types: dict[str, str], folder: str | None, *, unchanged_rows: str = "") -> None:
        """Make the result of a model a relation, its columns of the ``types`` that DuckDB gives them.

        With a ``folder`` its rows are written there as Parquet, and the relation reads these files; together with those
        of ``unchanged_rows``, a SELECT in DuckDB's dialect.
        """

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows of a SELECT in DuckDB's dialect, few of them: of a check."""
