"""Work on one database by several threads: a statement over little data is nearly all planning, which is one core's.

The first thread has the connection, each other one a cursor of its own, which does not see what the connection has not
committed. DuckDB lets go of Python's lock while it works, and shares its memory limit among all of them.
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
"""Threads at most: each holds the memory of a query."""

POLL_SECS = 0.1
"""Until those who did not hear that it is over are told again."""


def map_parallel(
    connection: duckdb.DuckDBPyConnection,
    work: Callable[[duckdb.DuckDBPyConnection, T], R],
    items: Iterable[T],
) -> list[R]:
    """What ``work`` gives for each of the items, in their order; see ``run_graph``."""
    listed = dict(enumerate(items))
    found = run_graph(connection, lambda cursor, number: work(cursor, listed[number]), dict.fromkeys(listed, ()))
    return [found[number] for number in listed]


def run_graph(
    connection: duckdb.DuckDBPyConnection,
    work: Callable[[duckdb.DuckDBPyConnection, T], R],
    graph: Mapping[T, Collection[T]],
    *,
    begun: Callable[[T], None] = lambda _: None,
    most: int = MAX_THREADS,
) -> dict[T, R]:
    """Do the work of each node of the graph as soon as that of all nodes which it names is done.

    Args:
        connection: To the database; nobody else uses it meanwhile.
        work: Called in a thread with the connection or a cursor on its current database, and a node.
        graph: Each node and those that come before it.
        begun: Called in this thread with each node when its work begins.
        most: Threads at most, if DuckDB may use that many.

    Returns:
        What the work gave, by node.

    Raises:
        Exception: the first that any work raised; what runs beside it is broken off, and nothing else begins.
    """
    sorter, found = TopologicalSorter(graph), dict[T, R]()
    sorter.prepare()
    ready, running = list[T](), dict[Future[R], tuple[T, duckdb.DuckDBPyConnection]]()
    with ExitStack() as closing:
        cursors = _cursors(connection, most, closing)
        idle, pool = list(cursors), closing.enter_context(ThreadPoolExecutor(len(cursors)))
        try:
            while sorter.is_active():
                ready += sorter.get_ready()
                while ready and idle:
                    node, cursor = ready.pop(0), idle.pop()
                    begun(node)
                    running[pool.submit(work, cursor, node)] = (node, cursor)
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    node, cursor = running.pop(future)
                    found[node] = future.result()
                    idle.append(cursor)
                    sorter.done(node)
        except BaseException:
            while not all(future.done() for future in running):
                for cursor in cursors:
                    cursor.interrupt()  # lost on a cursor that is between two statements: so again, until all ended
                wait(running, timeout=POLL_SECS)
            raise
    return found


def _cursors(connection: duckdb.DuckDBPyConnection, most: int, closing: ExitStack) -> list[duckdb.DuckDBPyConnection]:
    """The connection and its cursors, one a thread; until ``closing``, DuckDB adds no thread of its own to them."""
    threads, catalog = connection.execute("select current_setting('threads'), current_catalog()").fetchall()[0]
    cursors = [closing.enter_context(connection.cursor()) for _ in range(1, min(threads, most))]
    if cursors:
        connection.execute("set threads = 1")  # more would only take turns, and memory
        closing.callback(connection.execute, f"set threads = {threads}")
    for cursor in cursors:
        cursor.execute(f'use "{catalog}"')
    return [connection, *cursors]
