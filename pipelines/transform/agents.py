"""The agents of a workspace: each that was ever seen, in a list row, as a call's own, or as one it passed through."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from warehouse.schema.conversations import CONVERSATIONS, VISITED_AGENTS
from warehouse.schema.operations import AGENTS, CONVERSATION_LIST
from warehouse.schema.transcript import TURNS
from warehouse.schema.types import Table
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home


def refresh_agents(home: Home) -> None:
    """Write ``agents`` anew."""
    lake.overwrite_table(home, AGENTS, seen_agents(home))


def seen_agents(home: Home) -> pl.DataFrame:
    """The rows of ``agents``; the name is the latest that was told, in a list row or a document."""
    calls = lake.read(home, CONVERSATIONS, ["conversation_id", "agent_id", "agent_name", "start_time_at", "checked_at"])
    listed = lake.read(home, CONVERSATION_LIST, ["agent_id", "agent_name", "start_time_at", "last_seen_at"])
    none = parquet.frame(VISITED_AGENTS, []).select("conversation_id", "agent_id")
    passed = pl.concat(
        [none, *_passed(home, VISITED_AGENTS, "agent_id"), *_passed(home, TURNS, "agent_metadata_agent_id")]
    )
    sightings = pl.concat(
        [
            calls.select("agent_id", "agent_name", "start_time_at", seen_at="checked_at"),
            listed.select("agent_id", "agent_name", "start_time_at", seen_at="last_seen_at"),
            passed.unique()
            .join(calls.drop("agent_id"), "conversation_id")
            .select("agent_id", pl.lit(None, pl.String).alias("agent_name"), "start_time_at", seen_at="checked_at"),
        ]
    ).drop_nulls("agent_id")
    return sightings.group_by("agent_id").agg(
        pl.col("agent_name").sort_by("seen_at", "agent_name").drop_nulls().last(),
        first_call_at=pl.col("start_time_at").min(),
        last_call_at=pl.col("start_time_at").max(),
    )


def _passed(home: Home, table: Table, column: str) -> Iterator[pl.DataFrame]:
    """Calls and the agents that a table says they passed through, a file at a time: turns are many, agents few."""
    for file in home.files(home.table(table), lake.DAY_FOLDERS):
        rows = parquet.read_files(table, [file], ["conversation_id", column], pl.col(column).is_not_null())
        yield rows.rename({column: "agent_id"}).unique()
