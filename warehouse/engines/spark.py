"""Spark and Sail, by a client of Spark Connect. Only this module imports pyspark and pysail, which are extras."""

from __future__ import annotations

import os
import re
import socket
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.engines.spark_sql import spark_type, to_spark
from warehouse.engines.storage import open_folder
from warehouse.errors import EngineError, MissingPackageError
from warehouse.models.project import Model
from warehouse.schema.types import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SESSION = {
    "spark.sql.session.timeZone": "UTC",
    # a sum or product of decimals keeps its digits, as DuckDB's does, instead of losing some so as to fit in 38
    "spark.sql.decimalOperations.allowPrecisionLoss": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}
DEFAULT_PORT = 15002
CONNECT_SECS = 20
MIN_SECRET_LENGTH = 5
"""Shorter values of parameters, such as "true", are shown in errors."""


@contextmanager
def spark_engine(remote: str, name: str = "spark") -> Iterator[SparkEngine]:
    """An engine on the Spark Connect server ``remote``, such as ``sc://host:15002``.

    Raises:
        EngineError: there is no server.
        MissingPackageError: the client is not installed.
    """
    session = _connect(remote)
    try:
        yield SparkEngine(name, session)
    finally:
        session.stop()


@contextmanager
def sail_engine(remote: str | None = None) -> Iterator[SparkEngine]:
    """An engine on a Sail server, by default one in this process.

    Raises:
        EngineError: there is no server.
        MissingPackageError: it is not installed.
    """
    if remote is not None:
        with spark_engine(remote, "sail") as engine:
            yield engine
        return
    try:
        from pysail.spark import SparkConnectServer  # noqa: PLC0415 - an extra of 165 MB
    except ImportError as error:
        raise MissingPackageError("pysail", extra="sail") from error
    os.environ.setdefault("RUST_LOG", "error")  # noqa: TID251 - Sail's log goes to standard error, and has no other switch
    server = SparkConnectServer(ip="127.0.0.1", port=0)
    server.start(background=True)
    host, port = server.listening_address
    try:
        with spark_engine(f"sc://{host}:{port}", "sail") as engine:
            yield engine
    finally:
        server.stop()


def _connect(remote: str) -> SparkSession:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the version of pandas, which is not used here
            from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingPackageError("pyspark", extra="spark") from error
    try:
        address = urlsplit(remote)
        if address.hostname:  # the client itself would try for minutes
            socket.create_connection((address.hostname, address.port or DEFAULT_PORT), CONNECT_SECS).close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            session = SparkSession.builder.remote(remote).create()
            for name, value in SESSION.items():
                session.conf.set(name, value)
    except Exception as error:  # noqa: BLE001 - the client has errors of many kinds
        reason = _without_parameters(_message(error), remote)
        message = f"There is no Spark Connect server at {remote.partition(';')[0].rstrip('/')}: {reason}"
        raise EngineError(message, "Check --remote.") from None  # the parameters may have a token
    return session


def _without_parameters(text: str, remote: str) -> str:
    """A message without the values of the parameters of ``sc://host:15002/;token=…;user_id=…``."""
    for parameter in remote.split(";")[1:]:
        value = parameter.partition("=")[2]
        text = text.replace(value, "***") if len(value) >= MIN_SECRET_LENGTH else text
    return text


def relation_name(schema: str, name: str) -> str:
    """Name of a relation on the server: a temporary view of the session, which no other session sees."""
    return f"{schema}__{name}"


class SparkEngine:
    """An engine behind Spark Connect; see ``warehouse.engines.engine.Engine``."""

    def __init__(self, name: str, session: SparkSession) -> None:
        self.name = name
        self._session = session

    def read_lake(self, table: Table, lakes: Sequence[str]) -> None:
        """See ``Engine``; the folder of a day is not a column."""
        with _engine_errors(f"lake.{table.name}"):
            frames = [self._session.read.parquet(f"{lake}/{table.name}").select(*table.column_names) for lake in lakes]
            rows = frames[0]
            for frame in frames[1:]:
                rows = rows.unionByName(frame)
            rows.createOrReplaceTempView(relation_name("lake", table.name))

    def load(self, key: str, rows: pl.DataFrame) -> None:
        """See ``Engine``."""
        with _engine_errors(key):
            frame = self._frame(rows.to_arrow(compat_level=pl.CompatLevel.oldest()))
            frame.createOrReplaceTempView(relation_name(*key.split(".")))

    def _frame(self, table: pa.Table) -> DataFrame:
        """The rows, which the server holds in memory."""
        from pyspark.sql.pandas.types import from_arrow_schema  # noqa: PLC0415 - an extra

        schema = pa.schema([pa.field(field.name, _plain(field.type)) for field in table.schema])
        data: pa.Table | list[object] = table.cast(schema) if table.num_rows else []
        return self._session.createDataFrame(data, schema=from_arrow_schema(schema))

    def read_table(self, key: str, types: Mapping[str, str], folder: str) -> None:
        """See ``Engine``."""
        with _engine_errors(key):
            rows = self._session.read.parquet(folder).select(*types)
            rows.createOrReplaceTempView(relation_name(*key.split(".")))

    def materialize(
        self, model: Model, types: Mapping[str, str], folder: str | None, *, unchanged_rows: str = ""
    ) -> None:
        """See ``Engine``."""
        with _engine_errors(model.key):
            sql = to_spark(model.sql, relation_name, tuple(model.header.columns))
            columns = [f"cast(`{name}` as {spark_type(types[name])}) as `{name}`" for name in types]
            rows = self._session.sql(sql).selectExpr(*columns)
            if unchanged_rows:
                rows = rows.unionAll(self._session.sql(to_spark(unchanged_rows, relation_name)))
            if folder is not None:
                rows = self._write(rows, folder)
            rows.createOrReplaceTempView(relation_name(model.schema, model.name))

    def _write(self, rows: DataFrame, folder: str) -> DataFrame:
        """Write rows, and read them again: Sail plans some columns with another type than it writes."""
        rows.write.mode("overwrite").parquet(folder)
        written = self._session.read.parquet(folder)
        if not written.columns:  # Sail writes no file where there is no row
            with open_folder(folder) as (filesystem, path):
                filesystem.create_dir(path, recursive=True)
                pq.write_table(rows.limit(0).toArrow(), f"{path}/schema.parquet", filesystem=filesystem)
            written = self._session.read.parquet(folder)
        return written

    def query(self, sql: str) -> list[dict[str, Any]]:
        """See ``Engine``."""
        with _engine_errors("a check"):
            rows: list[dict[str, Any]] = self._session.sql(to_spark(sql, relation_name)).toArrow().to_pylist()
            return rows


def _plain(arrow_type: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(arrow_type) else arrow_type


@contextmanager
def _engine_errors(what: str) -> Iterator[None]:
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        raise EngineError(f"{what} failed on the engine: {_message(error)}", "See the log of the server.") from error


def _message(error: Exception) -> str:
    """The first line of an engine's message, without the stack trace of its server."""
    text = re.sub(r"\s+", " ", str(error).partition("\n\nJVM stacktrace")[0]).strip()
    return text[:500] or type(error).__name__
