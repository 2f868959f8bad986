"""Hand-worked cases on Spark or Sail: tables in the memory of the server, few columns, and no statement twice.

A case has a dozen rows, so that nearly all of its time would be files and the planning of statements. Most statements
are those of the case before: of models whose inputs are empty, or have the same values in the columns that they read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from warehouse.engines.spark import SparkEngine, sail_engine, spark_engine
from warehouse.models.project import Project

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class MemoryEngine(SparkEngine):
    """As ``SparkEngine``, but what it would write into a folder becomes a table of the session."""

    written: pa.Table

    def _write(self, rows: DataFrame, _folder: str) -> DataFrame:
        self.written = rows.toArrow()
        return self._frame(self.written)


class CaseEngine:
    """Rows of models over rows of the lake."""

    def __init__(self, engine: SparkEngine) -> None:
        self._engine = MemoryEngine(engine.name, engine._session)
        self._results: dict[str, pa.Table] = {}
        """By digest of a model with the rows that it reads, its own rows."""
        self._relations: dict[str, str] = {}
        """By qualified name, the digest of the rows that the relation has in the session."""

    def rows(
        self, project: Project, types: Mapping[str, dict[str, str]], key: str, inputs: Mapping[str, pl.DataFrame]
    ) -> pl.DataFrame:
        """The rows of model ``key``, the last of the ``project``; ``inputs`` are all other relations that it reads.

        Models have only the columns that another reads: its name is a word of the other's text, or of its result.
        """
        tables = {name: frame.to_arrow(compat_level=pl.CompatLevel.oldest()) for name, frame in inputs.items()}
        words = {model.key: _words(model.sql) | model.header.columns.keys() for model in project.models}
        for model in project.models:
            read = frozenset().union(*(words[reader.key] for reader in project.models if model.key in reader.reads))
            names = [name for name in types[model.key] if model.key == key or name in read]
            rows = [_digest(_select(tables[name], words[model.key])) for name in model.reads]
            statement = sha256("\n".join([model.sql, *names, *rows]).encode()).hexdigest()
            if statement not in self._results:
                for name in model.reads:
                    self._bind(name, tables[name])
                self._engine.materialize(model, {name: types[model.key][name] for name in names}, "memory")
                self._results[statement] = self._engine.written
                self._relations[model.key] = _digest(self._engine.written)
            tables[model.key] = self._results[statement]
        return pl.DataFrame(tables[key])

    def _bind(self, name: str, rows: pa.Table) -> None:
        """Make a relation what it is in this case, unless it is already."""
        digest = _digest(rows)
        if self._relations.get(name) != digest:
            self._engine.load(name, pl.DataFrame(rows))
            self._relations[name] = digest


@contextmanager
def case_engine(name: str) -> Iterator[CaseEngine]:
    """An engine by its name: ``sail``, or the address of a server of Spark Connect."""
    with sail_engine() if name == "sail" else spark_engine(name) as engine:
        yield CaseEngine(engine)


@cache
def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text))


def _select(rows: pa.Table, words: frozenset[str]) -> pa.Table:
    return rows.select([name for name in rows.column_names if name in words])


def _digest(rows: pa.Table) -> str:
    """SHA-256 of the rows with their types, in their order."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows.combine_chunks())
    return sha256(sink.getvalue()).hexdigest()
