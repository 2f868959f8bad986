"""DuckDB as an engine: models from a lake anywhere into Parquet files, without a home folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import polars as pl

from warehouse.connection import Limits, connect, create_table, read_parquet_sql, sql_literal
from warehouse.engines.engine import BEFORE
from warehouse.engines.storage import open_folder
from warehouse.errors import EngineError, MissingPackageError
from warehouse.models.project import ALL_SCHEMAS, Model
from warehouse.schema.types import Table

FILE = "rows.parquet"
LIMITS = Limits(memory="2GB")
OBJECT_STORES = {"s3": "s3fs", "gs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
"""By scheme of a URL, the package whose file system DuckDB reads through."""


@contextmanager
def duckdb_engine() -> Iterator[DuckDBEngine]:
    """An engine in this process."""
    with connect(limits=LIMITS) as connection:
        for schema in (*ALL_SCHEMAS, BEFORE):
            connection.execute(f"create schema {schema}")
        yield DuckDBEngine(connection)


class DuckDBEngine:
    """See ``warehouse.engines.engine.Engine``."""

    name = "duckdb"

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def read_lake(self, table: Table, lakes: Sequence[str]) -> None:
        """See ``Engine``."""
        patterns = [f"{self._path(lake)}/{table.name}/**/*.parquet" for lake in lakes]
        select = read_parquet_sql(table.column_names, map(sql_literal, patterns))
        with _engine_errors(f"lake.{table.name}"):
            self._connection.execute(f"create or replace view lake.{table.name} as {select}")

    def load(self, key: str, rows: pl.DataFrame) -> None:
        """See ``Engine``."""
        with _engine_errors(key):
            create_table(self._connection, key, rows)

    def read_table(self, key: str, types: Mapping[str, str], folder: str) -> None:
        """See ``Engine``."""
        select = read_parquet_sql(types, [sql_literal(f"{self._path(folder)}/{FILE}")])
        with _engine_errors(key):
            self._connection.execute(f"create or replace view {key} as {select}")

    def materialize(
        self, model: Model, types: Mapping[str, str], folder: str | None, *, unchanged_rows: str = ""
    ) -> None:
        """See ``Engine``; the ``types`` are DuckDB's own."""
        with _engine_errors(model.key):
            if folder is None:
                self._connection.execute(f"create or replace view {model.key} as {model.sql}")
                return
            with open_folder(folder) as (filesystem, path):
                filesystem.create_dir(path, recursive=True)
            rows = f"({model.sql}) union all ({unchanged_rows})" if unchanged_rows else model.sql
            target = sql_literal(f"{self._path(folder)}/{FILE}")
            self._connection.execute(f"copy ({rows}) to {target} (format parquet)")
        self.read_table(model.key, types, folder)

    def query(self, sql: str) -> list[dict[str, Any]]:
        """See ``Engine``."""
        with _engine_errors("a check"):
            rows: list[dict[str, Any]] = self._connection.sql(sql).pl().to_dicts()
            return rows

    def _path(self, url: str) -> str:
        """The folder as DuckDB names it; the file system of an object store is registered with the connection."""
        scheme, separator, _ = url.partition("://")
        if not separator or scheme == "file":
            with open_folder(url) as (_, path):
                return path
        if scheme not in OBJECT_STORES:
            raise EngineError(f"DuckDB cannot read {url}.", f"Give a folder, or a URL of {', '.join(OBJECT_STORES)}.")
        try:
            import fsspec  # noqa: PLC0415 - an extra

            self._connection.register_filesystem(fsspec.filesystem(scheme))
        except ImportError as error:
            package = OBJECT_STORES[scheme]
            raise MissingPackageError(package, extra=None) from error
        return url


@contextmanager
def _engine_errors(what: str) -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        text = str(error).partition("\n\nLINE")[0].strip()
        # of a file system in Python, DuckDB has the whole traceback
        message = text.rpartition("\n")[2] if "Traceback (" in text else " ".join(text.split())
        raise EngineError(f"{what} failed on DuckDB: {message}") from error
