"""Run statements on one DuckDB database in several threads.

Why threads: DuckDB parallelises within a statement only over many rows. Over a day's rows a statement is nearly all
parsing and planning, which uses one core. Python threads are enough, as DuckDB releases the GIL while it works, and
unlike processes they can share the one connection that may write the file.

The first thread uses the connection, each other thread a cursor of it. A cursor is a connection of its own: it does not
see what the first has not committed. All share one memory limit.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from graphlib import TopologicalSorter
from typing import TypeVar

import duckdb

T = TypeVar("T")
R = TypeVar("R")

MAX_THREADS = 4
"""Each thread holds the intermediate results of its statement, and all of them share one memory limit."""

POLL_SECS = 0.1
"""Time between two interrupts of the statements that still run after a failure."""


def map_parallel(
    connection: duckdb.DuckDBPyConnection,
    work: Callable[[duckdb.DuckDBPyConnection, T], R],
    items: Iterable[T],
) -> list[R]:
    """The result of ``work`` for each item, in the order of the items; the rest as in ``run_graph``."""
    by_number = dict(enumerate(items))  # numbers are the nodes, as items may be equal or unhashable
    graph: dict[int, tuple[int, ...]] = dict.fromkeys(by_number, ())
    results = run_graph(connection, lambda cursor, number: work(cursor, by_number[number]), graph)
    return [results[number] for number in by_number]


def run_graph(
    connection: duckdb.DuckDBPyConnection,
    work: Callable[[duckdb.DuckDBPyConnection, T], R],
    graph: Mapping[T, Collection[T]],
    *,
    on_start: Callable[[T], None] = lambda _: None,
    max_threads: int = MAX_THREADS,
) -> dict[T, R]:
    """Run the work of each node as soon as the work of all its predecessors is done.

    Of several that can start, those begin first that the longest chain of others waits for, as a chain has no second
    thread to share its work with.

    Args:
        connection: To the database; nobody else may use it meanwhile.
        work: Called in a thread with the connection, or a cursor on its current database, and a node.
        graph: The predecessors of each node.
        on_start: Called in the caller's thread with each node when its work starts.
        max_threads: Upper limit; DuckDB's own setting of threads is another.

    Returns:
        The result of the work by node.

    Raises:
        Exception: the first that any work raised; statements that still run are interrupted, no other work starts.
    """
    sorter, results = TopologicalSorter(graph), dict[T, R]()
    sorter.prepare()
    ready, running = list[T](), dict[Future[R], tuple[T, duckdb.DuckDBPyConnection]]()
    n_waiting = _longest_chains(graph)
    with ExitStack() as cleanup:
        cursors = _cursors(connection, max_threads, cleanup)
        idle, pool = list(cursors), cleanup.enter_context(ThreadPoolExecutor(len(cursors)))
        try:
            while sorter.is_active():
                ready = sorted([*ready, *sorter.get_ready()], key=lambda node: -n_waiting[node])
                # No more is submitted than there are idle cursors: a cursor runs one statement at a time, and a queue
                # inside the pool would still be worked off after a failure.
                while ready and idle:
                    node, cursor = ready.pop(0), idle.pop()
                    on_start(node)
                    running[pool.submit(work, cursor, node)] = (node, cursor)
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    node, cursor = running.pop(future)
                    results[node] = future.result()
                    idle.append(cursor)
                    sorter.done(node)
        except BaseException:  # Ctrl-C as well: leaving the pool would wait until every statement has finished
            while not all(future.done() for future in running):
                # DuckDB drops an interrupt that reaches a cursor between two statements, and nothing reports that. So
                # it is repeated until all work has ended.
                for cursor in cursors:
                    cursor.interrupt()
                wait(running, timeout=POLL_SECS)
            raise
    return results


def _longest_chains(graph: Mapping[T, Collection[T]]) -> dict[T, int]:
    """For each node the length of the longest chain of nodes of which every one waits for the one before it."""
    lengths = dict.fromkeys(graph, 0)
    for node in reversed(list(TopologicalSorter(graph).static_order())):
        for predecessor in graph[node]:
            lengths[predecessor] = max(lengths[predecessor], lengths[node] + 1)
    return lengths


def _cursors(
    connection: duckdb.DuckDBPyConnection, max_threads: int, cleanup: ExitStack
) -> list[duckdb.DuckDBPyConnection]:
    """The connection and further cursors, one a thread; ``cleanup`` closes these and restores DuckDB's threads."""
    threads, catalog = connection.execute("select current_setting('threads'), current_catalog()").fetchall()[0]
    cursors = [cleanup.enter_context(connection.cursor()) for _ in range(1, min(threads, max_threads))]
    if cursors:
        # One thread a statement: our threads keep the cores busy, and more would only take turns and hold memory.
        connection.execute("set threads = 1")
        cleanup.callback(connection.execute, f"set threads = {threads}")
    variables = connection.execute("select name, value from duckdb_variables()").fetchall()
    for cursor in cursors:
        cursor.execute(f'use "{catalog}"')  # a cursor begins in the default database, whatever the connection uses
        for name, value in variables:  # and without variables
            cursor.execute(f'set variable "{name}" = $value', {"value": value})
    return [connection, *cursors]
