"""Several threads on one database: results in order, the same current database, and nothing goes on after a failure."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import duckdb
import pytest

from warehouse.connection import Limits, connect
from warehouse.parallel import map_parallel, run_graph

GRAPH = {"d": ["b", "c"], "b": ["a"], "c": ["a"], "a": []}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with connect(limits=Limits(threads=2)) as connection:
        connection.execute("attach ':memory:' as other")
        connection.execute("use other")
        yield connection


def ask(connection: duckdb.DuckDBPyConnection, question: str) -> object:
    return connection.execute(f"select {question}").fetchall()[0][0]


def test_answers_come_in_the_order_of_the_items(connection: duckdb.DuckDBPyConnection) -> None:
    assert map_parallel(connection, ask, [f"sum(i) from range({n * 1000}) t(i)" for n in (90, 1, 40)]) == [
        4049955000,
        499500,
        799980000,
    ]
    assert map_parallel(connection, ask, []) == []


def test_every_thread_uses_utc_and_the_current_database(connection: duckdb.DuckDBPyConnection) -> None:
    both = threading.Barrier(2, timeout=60)

    def settings(cursor: duckdb.DuckDBPyConnection, number: int) -> tuple[object, ...]:
        both.wait()  # so that each thread has one
        cursor.execute(f"create table of_thread_{number} as select 1")
        return ask(cursor, "current_catalog()"), ask(cursor, "current_setting('TimeZone')")

    assert map_parallel(connection, settings, [0, 1]) == [("other", "UTC")] * 2
    assert ask(connection, "count(*) from duckdb_tables() where database_name = 'other'") == 2


def test_a_node_waits_for_those_before_it_and_two_others_run_at_once(connection: duckdb.DuckDBPyConnection) -> None:
    both, lock, begun, ended = threading.Barrier(2, timeout=60), threading.Lock(), list[str](), list[str]()

    def work(_cursor: duckdb.DuckDBPyConnection, node: str) -> str:
        assert set(GRAPH[node]) <= set(ended)
        if node in ("b", "c"):
            both.wait()
        with lock:
            ended.append(node)
        return node.upper()

    results = run_graph(connection, work, GRAPH, on_start=begun.append)
    assert results == {"a": "A", "b": "B", "c": "C", "d": "D"}
    assert (begun[0], set(begun[1:3]), begun[3]) == ("a", {"b", "c"}, "d")


def test_what_the_longest_chain_waits_for_starts_first() -> None:
    graph = {"last": ["middle"], "alone": [], "short": ["other"], "other": [], "first": [], "middle": ["first"]}
    started = list[str]()
    with connect(limits=Limits(threads=1)) as connection:
        run_graph(connection, lambda _, node: node, graph, on_start=started.append)
    assert started == ["first", "other", "middle", "alone", "short", "last"]


def test_a_failure_is_raised_and_nothing_starts_after_it(connection: duckdb.DuckDBPyConnection) -> None:
    begun = list[str]()

    def work(cursor: duckdb.DuckDBPyConnection, node: str) -> object:
        return ask(cursor, "1" if node == "a" else "no_such_function()")

    with pytest.raises(duckdb.CatalogException, match="no_such_function"):
        run_graph(connection, work, GRAPH | {"c": ["b"]}, on_start=begun.append)
    assert begun == ["a", "b"]


def test_work_that_runs_beside_a_failure_is_interrupted(connection: duckdb.DuckDBPyConnection) -> None:
    both = threading.Barrier(2, timeout=60)
    outcomes = list[str]()

    def work(cursor: duckdb.DuckDBPyConnection, question: str) -> object:
        both.wait()
        try:
            return ask(cursor, question)
        except duckdb.Error as error:
            outcomes.append(type(error).__name__)
            raise

    with pytest.raises(duckdb.CatalogException):
        map_parallel(
            connection, work, ["no_such_function()", "sum(a.i * b.i) from range(10000000) a(i), range(10000000) b(i)"]
        )
    assert outcomes == ["CatalogException", "InterruptException"]


def test_the_threads_of_the_database_are_restored(connection: duckdb.DuckDBPyConnection) -> None:
    assert map_parallel(connection, ask, ["current_setting('threads')"]) == [1]
    assert ask(connection, "current_setting('threads')") == 2


def test_a_single_thread_sees_uncommitted_changes() -> None:
    with connect(limits=Limits(threads=1)) as connection:
        connection.execute("create table t as select 1 as n")
        connection.begin()
        connection.execute("update t set n = 2")
        assert map_parallel(connection, ask, ["n from t"]) == [2]
