"""Reads one conversation from the marts with all its parts, or says why it is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from warehouse.connection import open_warehouse, read_frame
from warehouse.storage.home import Home

PARTS = {
    "turns": ("marts.fct_turns", "turn_index"),
    "tool_calls": ("marts.fct_tool_calls", "call_index"),
    "llm_usage": ("marts.fct_llm_usage", "model"),
    "files": ("staging.stg_turn_files", "turn_index, file_index"),
    "multivoice_parts": ("staging.stg_multivoice_parts", "turn_index, part_index"),
    "guardrails": ("staging.stg_triggered_guardrails", "turn_index, guardrail_index"),
    "evaluations": ("marts.fct_evaluations", "scope_index, criteria_id"),
    "data_collection": ("marts.fct_data_collection", "scope_index, data_collection_id"),
}
"""Relation of each part of a conversation, and the order of its rows."""

MAX_EDITED_SHARE = 0.2
"""Edits (Damerau-Levenshtein) for each character, up to which an id is suggested. Ids begin with their time, so that of
a similarity that rewards equal beginnings, all ids of a day are similar."""
MAX_ID_LENGTH = 200
"""Of an id that is compared with others: the time that takes grows with its length."""


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation: its row of ``marts.fct_conversations``, its agent's name, and the rows of its parts."""

    conversation: dict[str, Any]
    agent_name: str | None
    turns: list[dict[str, Any]]
    tool_calls: list[dict[str, Any]]
    files: list[dict[str, Any]]
    multivoice_parts: list[dict[str, Any]]
    guardrails: list[dict[str, Any]]
    llm_usage: list[dict[str, Any]]
    evaluations: list[dict[str, Any]]
    data_collection: list[dict[str, Any]]

    @property
    def calls_without_turn(self) -> list[dict[str, Any]]:
        """The tool calls whose turn is not in the transcript."""
        turns = {turn["turn_index"] for turn in self.turns}
        return [call for call in self.tool_calls if call["turn_index"] not in turns]


@dataclass(frozen=True, slots=True)
class NotFound:
    """A conversation that is not in the marts: why and when it was removed (None: it never was), and similar ids."""

    conversation_id: str
    reason: str | None
    noticed_at: datetime | None
    similar_ids: tuple[str, ...]


def spoken_texts(turn: dict[str, Any], multivoice_parts: list[dict[str, Any]]) -> list[str]:
    """What an entry says: its message, all of one that was interrupted; without one, its parts by voice."""
    message = turn["original_message"] or turn["message"] or ""
    if message.strip():
        return [message]
    parts = [part for part in multivoice_parts if (part["text"] or "").strip()]
    return [f"{part['voice_label']}: {part['text']}" if part["voice_label"] else part["text"] for part in parts]


def file_label(file: dict[str, Any]) -> str:
    """A file of an entry: its name, else its id, and its type."""
    facts = (file["original_filename"] or file["file_id"], file["mime_type"])
    return ", ".join(filter(None, facts)) or "no name"


def error_text(conversation: dict[str, Any]) -> str:
    """The error of a conversation: type and reason, else the code; empty without one."""
    texts = filter(None, (conversation["error_type"], conversation["error_reason"]))
    code = conversation["error_code"]
    return ": ".join(texts) or (f"code {code}" if code is not None else "")


def read_conversation(home: Home, conversation_id: str) -> ConversationView | NotFound:
    """The conversation of that id, which can be any text that a user typed.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the file cannot be opened.
    """
    with open_warehouse(home) as connection:
        return conversation_of(connection, conversation_id)


def conversation_of(connection: duckdb.DuckDBPyConnection, conversation_id: str) -> ConversationView | NotFound:
    """As ``read_conversation``, of an open warehouse; of the first workspace, if several have the id."""
    rows = _rows(
        connection, "from marts.fct_conversations where conversation_id = ? order by workspace", conversation_id
    )
    if not rows:
        return _not_found(connection, conversation_id)
    agent = "select agent_name from marts.dim_agents where workspace = ? and agent_id = ?"
    names = _rows(connection, agent, rows[0]["workspace"], rows[0]["agent_id"])
    return ConversationView(rows[0], names[0]["agent_name"] if names else None, **_parts(connection, rows[0]))


def _parts(connection: duckdb.DuckDBPyConnection, conversation: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The parts of a conversation; of its LLM usage, what is paid for (``is_total``)."""
    key = [conversation["workspace"], conversation["conversation_id"]]
    parts = {}
    for name, (relation, order) in PARTS.items():
        condition = "workspace = ? and conversation_id = ?" + (" and is_total" if name == "llm_usage" else "")
        parts[name] = _rows(connection, f"from {relation} where {condition} order by {order}", *key)
    return parts


def _not_found(connection: duckdb.DuckDBPyConnection, conversation_id: str) -> NotFound:
    deletions = _rows(connection, "from lake.deletions where conversation_id = ?", conversation_id)
    if deletions:
        return NotFound(conversation_id, deletions[0]["reason"], deletions[0]["noticed_at"], ())
    similar_ids = connection.execute(
        """
        select conversation_id, damerau_levenshtein(conversation_id, $id) as n_edits
        from marts.fct_conversations
        where n_edits <= length($id) * $max_edited_share
            or starts_with(conversation_id, $id) or ends_with(conversation_id, $id)
        order by n_edits, conversation_id
        limit 3
        """,
        {"id": conversation_id[:MAX_ID_LENGTH] or " ", "max_edited_share": MAX_EDITED_SHARE},
    ).fetchall()
    return NotFound(conversation_id, None, None, tuple(row[0] for row in similar_ids))


def _rows(connection: duckdb.DuckDBPyConnection, sql: str, *values: str | None) -> list[dict[str, Any]]:
    return read_frame(connection.sql(sql, params=[*values])).to_dicts()
