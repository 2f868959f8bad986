"""One row of numbers of one agent and week, through every way out of the warehouse.

Needs only the engine, so that it also runs as a script in an environment without convohouse:
``python agreement.py READER PLACE AGENT WEEK`` prints the row as JSON. ``READERS`` take the place where the tables are
(a file, a folder, a URL), the agent and the first day of the week; a new way is one more function.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date
from typing import Any

COLUMNS = ("n_calls", "success_rate", "cost_usd", "wait_p95_secs")
SELECT = f"select {', '.join(COLUMNS)} from {{table}} where agent_id = '{{agent}}' and week_start_date = '{{week}}'"  # noqa: S608 - ours
TABLE = "metrics.agent_scorecard"

Row = tuple[Any, ...]


def duckdb(place: str, agent: str, week: str) -> Row:
    """Of the warehouse file, by the installed version of DuckDB."""
    import duckdb

    with duckdb.connect(place, read_only=True) as connection:
        return _only(connection.execute(_sql(agent, week, TABLE.partition(".")[2])).fetchall())


def duckdb_on_files(place: str, agent: str, week: str) -> Row:
    """Of Parquet files, whose paths are a list in JSON, by the installed version of DuckDB."""
    import duckdb

    with duckdb.connect() as connection:
        return _only(connection.execute(_sql(agent, week, f"read_parquet({json.loads(place)})")).fetchall())


def polars_on_delta(place: str, agent: str, week: str) -> Row:
    """Of a Delta target, by Polars."""
    import polars as pl

    rows = pl.scan_delta(f"{place}/metrics/agent_scorecard").filter(
        agent_id=agent, week_start_date=date.fromisoformat(week)
    )
    return _only(rows.select(COLUMNS).collect().rows())


def pyarrow_on_delta(place: str, agent: str, week: str) -> Row:
    """Of a Delta target, by deltalake and pyarrow's dataset."""
    import pyarrow.dataset as ds
    from deltalake import DeltaTable

    files = DeltaTable(f"{place}/metrics/agent_scorecard").file_uris()
    condition = (ds.field("agent_id") == agent) & (ds.field("week_start_date") == date.fromisoformat(week))
    rows = ds.dataset(files).to_table(columns=list(COLUMNS), filter=condition).to_pylist()
    return _only([tuple(row.values()) for row in rows])


def chdb_on_delta(place: str, agent: str, week: str) -> Row:
    """Of a Delta target, by chDB."""
    import os

    import chdb

    os.chdir(place)  # it reads below the current folder only
    sql = _sql(agent, week, f"deltaLakeLocal('{place}/metrics/agent_scorecard')")
    rows = chdb.query(sql, "JSONCompact")
    return _only([tuple(row) for row in json.loads(str(rows))["data"]])


def postgres(place: str, agent: str, week: str) -> Row:
    """Of a database, by psycopg."""
    from tests.helpers.postgres import connect

    with connect(place) as connection:
        return _only(connection.execute(_sql(agent, week)).fetchall())


def mcp(place: str, agent: str, week: str) -> Row:
    """Of a home folder, by the official client of the Model Context Protocol, a metric at a time."""
    import asyncio
    from datetime import UTC, datetime, timedelta

    from mcp import Client

    from pipelines.mcp_server.answers import Answers
    from pipelines.mcp_server.server import create_server
    from pipelines.settings import Settings
    from pipelines.usecases.context import Context
    from warehouse.serve.query import AnswerLimits

    monday = datetime.fromisoformat(week).replace(tzinfo=UTC)
    settings = Settings(home=place, api_key="demo")
    limits = AnswerLimits(rows=10, secs=60)
    server = create_server(Answers(Context(settings, lambda: monday), limits, has_transcripts=False))
    window = {"agent": agent, "since": week, "until": str((monday + timedelta(days=1)).date())}

    async def ask() -> list[Any]:
        async with Client(server) as client:
            calls = [
                await client.call_tool("metric", {"name": f"agent_scorecard.{column}", **window}) for column in COLUMNS
            ]
        return [_only_answer(call.structured_content, column) for call, column in zip(calls, COLUMNS, strict=True)]

    return tuple(asyncio.run(ask()))


def page(place: str, agent: str, week: str) -> Row:
    """Of a home folder, as the page computes the measures of a selection."""
    from datetime import timedelta
    from pathlib import Path

    from warehouse.serve.pages.measures import measure_rows
    from warehouse.serve.pages.selection import Period, Selection, open_reader, select
    from warehouse.storage.home import Home

    monday = date.fromisoformat(week)
    with open_reader(Home(Path(place))) as reader:
        selection = Selection(Period(monday, monday + timedelta(days=6)), agent_id=agent)
        (row,) = measure_rows(select(reader, selection))
    return tuple(row[column] for column in COLUMNS)


def _only_answer(answer: dict[str, Any], column: str) -> Any:
    (row,) = answer["rows"]
    return row[column]


READERS: dict[str, Callable[[str, str, str], Row]] = {
    "DuckDB": duckdb,
    "DuckDB on files": duckdb_on_files,
    "Polars on Delta": polars_on_delta,
    "PyArrow on Delta": pyarrow_on_delta,
    "chDB on Delta": chdb_on_delta,
    "PostgreSQL": postgres,
    "MCP": mcp,
    "page": page,
}


def _sql(agent: str, week: str, table: str = TABLE) -> str:
    return SELECT.format(table=table, agent=agent, week=week)


def _only(rows: list[Any]) -> Row:
    (row,) = rows
    return tuple(int(value) if name.startswith("n_") else value for name, value in zip(COLUMNS, row, strict=True))


if __name__ == "__main__":
    reader, *arguments = sys.argv[1:]
    print(json.dumps(READERS[reader](*arguments)))  # noqa: T201 - the answer
