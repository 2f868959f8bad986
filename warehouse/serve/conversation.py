"""One conversation as the marts hold it, with all its parts; and what is known of one that they do not hold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from warehouse.connection import open_warehouse
from warehouse.storage.home import Home

PARTS = {
    "turns": "from marts.fct_turns where conversation_id = ? order by turn_index",
    "tool_calls": "from marts.fct_tool_calls where conversation_id = ? order by call_index",
    "llm_usage": "from marts.fct_llm_usage where conversation_id = ? and scope = 'initiated' order by model",
    "evaluations": "from marts.fct_evaluations where conversation_id = ? order by criteria_id",
    "data_collection": "from marts.fct_data_collection where conversation_id = ? order by data_collection_id",
}
"""What a call consists of; of the LLM usage what is paid."""

SIMILAR_IDS = 0.85
"""Least likeness (Jaro-Winkler, 0 to 1) of an id that may have been meant."""


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation: its row of ``marts.fct_conversations``, its agent's name, and the rows of its parts."""

    conversation: dict[str, Any]
    agent_name: str | None
    turns: list[dict[str, Any]]
    tool_calls: list[dict[str, Any]]
    llm_usage: list[dict[str, Any]]
    evaluations: list[dict[str, Any]]
    data_collection: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class NotFound:
    """A conversation that is not in the marts: when and why it left (null: it was never there), and ids like it."""

    conversation_id: str
    reason: str | None
    noticed_at: datetime | None
    similar_ids: tuple[str, ...]


def read_conversation(home: Home, conversation_id: str) -> ConversationView | NotFound:
    """The conversation of that id, which can be any text.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the file cannot be opened.
    """
    with open_warehouse(home) as connection:
        found = _rows(connection, "from marts.fct_conversations where conversation_id = ?", conversation_id)
        if not found:
            return _absent(connection, conversation_id)
        agent_id = found[0]["agent_id"]
        names = _rows(connection, "select agent_name from marts.dim_agents where agent_id = ?", agent_id)
        parts = {name: _rows(connection, sql, conversation_id) for name, sql in PARTS.items()}
        return ConversationView(found[0], names[0]["agent_name"] if names else None, **parts)


def _absent(connection: duckdb.DuckDBPyConnection, conversation_id: str) -> NotFound:
    left = _rows(connection, "from lake.deletions where conversation_id = ?", conversation_id)
    if left:
        return NotFound(conversation_id, left[0]["reason"], left[0]["noticed_at"], ())
    near = connection.execute(
        """
        select conversation_id, jaro_winkler_similarity(conversation_id, $wanted) as likeness
        from marts.fct_conversations
        where likeness >= $near or starts_with(conversation_id, $wanted) or ends_with(conversation_id, $wanted)
        order by likeness desc, conversation_id
        limit 3
        """,
        {"wanted": conversation_id or " ", "near": SIMILAR_IDS},
    ).fetchall()
    return NotFound(conversation_id, None, None, tuple(row[0] for row in near))


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, value: str | None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = connection.sql(sql, params=[value]).pl().to_dicts()
    return rows
