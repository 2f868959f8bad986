"""The agents of a workspace: those of list rows and of conversations, and those that conversations passed through."""

from __future__ import annotations

import polars as pl

from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS, VISITED_AGENTS
from warehouse.schema.operations import AGENTS, CONVERSATION_LIST
from warehouse.schema.transcript import TURNS
from warehouse.schema.types import Table
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home


def refresh_agents(home: Home) -> None:
    """Rebuild ``agents`` from the lake."""
    lake.overwrite_table(home, AGENTS, _agents(home))


def _agents(home: Home) -> pl.DataFrame:
    """The rows of ``agents``; the name is the latest one of a list row or a document."""
    conversations = lake.read(home, CONVERSATIONS, ["conversation_id", "agent_id", "agent_name", "start_time_at"])
    checks = lake.read(home, CONVERSATION_CHECKS, ["conversation_id", "checked_at"])
    conversations = conversations.join(checks, "conversation_id", "left")
    list_rows = lake.read(home, CONVERSATION_LIST, ["agent_id", "agent_name", "start_time_at", "last_seen_at"])
    visits = pl.concat([_visits(home, VISITED_AGENTS, "agent_id"), _visits(home, TURNS, "agent_metadata_agent_id")])
    sightings = pl.concat(
        [
            conversations.select("agent_id", "agent_name", "start_time_at", seen_at="checked_at"),
            list_rows.select("agent_id", "agent_name", "start_time_at", seen_at="last_seen_at"),
            visits.unique()
            .join(conversations.drop("agent_id"), "conversation_id")
            .select("agent_id", pl.lit(None, pl.String).alias("agent_name"), "start_time_at", seen_at="checked_at"),
        ]
    ).drop_nulls("agent_id")
    return sightings.group_by("agent_id").agg(
        pl.col("agent_name").sort_by("seen_at", "agent_name").drop_nulls().last(),
        first_call_at=pl.col("start_time_at").min(),
        last_call_at=pl.col("start_time_at").max(),
    )


def _visits(home: Home, table: Table, column: str) -> pl.DataFrame:
    """Pairs of conversation and agent in a table, each once: turns are many, agents few."""
    files = home.files(home.table(table), lake.DAY_FOLDERS)
    pairs = parquet.read_distinct(table, files, ["conversation_id", column], pl.col(column).is_not_null())
    return pairs.rename({column: "agent_id"})
