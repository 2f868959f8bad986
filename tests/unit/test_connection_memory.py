"""A statement that needs more memory than the connection has gets it, and the next one has what it had before."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from warehouse.connection import Limits, connect, execute_with_memory_retry

NARROW = Limits(memory="20MB", threads=1)
MEDIAN = "select quantile_cont(i, 0.5) from range(4_000_001) as every(i)"
"""Holds four million numbers, some 32 MB, and cannot spill."""


def limit(connection):
    return connection.execute("select current_setting('memory_limit')").fetchone()


def test_more_is_given_for_one_statement_alone():
    with connect(limits=NARROW) as connection:
        with pytest.raises(duckdb.OutOfMemoryException):
            connection.execute(MEDIAN)
        before = limit(connection)
        assert execute_with_memory_retry(connection, MEDIAN) == [(2_000_000.0,)]
        assert limit(connection) == before
        with pytest.raises(duckdb.OutOfMemoryException):
            connection.execute(MEDIAN)


class Shared:
    """In place of the cursors of one database: two statements at once both hit the low limit."""

    def __init__(self):
        self.limit, self.both = "small", threading.Barrier(2, timeout=5)

    def execute(self, sql):
        if sql.startswith("set"):
            self.limit = sql.split("'")[1]
        elif sql in {"short", "long"}:
            if self.limit == "small":
                self.both.wait()
                raise duckdb.OutOfMemoryException
            time.sleep(0.01 if sql == "short" else 0.1)
            if self.limit == "small":
                raise duckdb.OutOfMemoryException
        return self

    def fetchall(self):
        return [("small",)]


def test_side_by_side_nobody_takes_it_from_another():
    shared = Shared()
    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(execute_with_memory_retry, shared, sql) for sql in ("short", "long")]:
            future.result()
    assert shared.limit == "small"


def test_another_error_is_as_it_is():
    with connect(limits=NARROW) as connection, pytest.raises(duckdb.CatalogException):
        execute_with_memory_retry(connection, "from nowhere")
