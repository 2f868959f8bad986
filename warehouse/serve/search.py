"""Full-text search in the turns: the conversations that have all words, ranked by BM25.

A conversation is the document of BM25, and a turn with the word is an occurrence: a word scores by how rare it is among
all conversations (idf) and by how many turns of the conversation have it (tf), with less for each further turn and in
longer conversations. One scan finds the turns with any of the words; everything else runs on these.
"""

# ruff: noqa: S608 -- every part of the statement is ours; what the user gives are parameters

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from warehouse.connection import open_warehouse, read_frame
from warehouse.serve.search_terms import pattern, search_terms, snippet
from warehouse.storage.home import Home

BM25_K1 = 1.2
"""How fast further turns with the same word lose weight (the usual value of BM25)."""
BM25_B = 0.75
"""How much the length of a conversation counts (the usual value of BM25)."""
MAX_TERMS = 12


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A conversation that has all words; ``turn_index`` and ``snippet`` are of the turn that has the most of them."""

    conversation_id: str
    started_at: datetime
    agent_id: str | None
    score: float
    n_turns: int
    turn_index: int
    role: str | None
    snippet: str


@dataclass(frozen=True, slots=True)
class Scope:
    """Which conversations to search; None means all."""

    agent_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def search(home: Home, text: str, scope: Scope = Scope(), *, limit: int = 10) -> list[SearchHit]:
    """The best conversations for the words of ``text`` (its first ``MAX_TERMS``), best first.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the file cannot be opened.
    """
    words = search_terms(text)[:MAX_TERMS]
    if not words:
        return []
    parameters: dict[str, Any] = {f"word_{number}": pattern(word) for number, word in enumerate(words)}
    parameters |= {"any": "|".join(map(pattern, words)), "limit": limit}
    parameters |= {"agent_id": scope.agent_id, "since": scope.since, "until": scope.until}
    with open_warehouse(home) as connection:
        rows = read_frame(connection.sql(_sql(len(words)), params=parameters)).to_dicts()
    return [SearchHit(snippet=snippet(row.pop("message"), words), **row) for row in rows]


def _sql(n_words: int) -> str:
    def per_word(text: str, separator: str = ",\n") -> str:
        """``text`` for every word, with the number of the word for #."""
        return separator.join(text.replace("#", str(number)) for number in range(n_words))

    idf = "ln(1 + (n_conversations - df_# + 0.5) / (df_# + 0.5))"
    weight = f"tf_# * ({BM25_K1} + 1) / (tf_# + {BM25_K1} * (1 - {BM25_B} + {BM25_B} * length / mean_length))"
    return f"""
    with conversations as (
        select workspace, conversation_id, started_at, agent_id, greatest(n_turns, 1) as length
        from marts.fct_conversations
        where
            ($agent_id is null or agent_id = $agent_id)
            and ($since is null or started_at >= $since)
            and ($until is null or started_at < $until)
    ),

    hits as materialized (
        select
            workspace, conversation_id, turn_index, role, message,
            {per_word("regexp_matches(message, $word_#) as has_#")}
        from marts.fct_turns
        where
            regexp_matches(message, $any)
            and ($agent_id is null or agent_id = $agent_id)
            and ($since is null or start_date >= cast($since as date))
            and ($until is null or start_date <= cast($until as date))
    ),

    counted as (
        select conversations.*, count(*) as n_turns, {per_word("count(*) filter (has_#) as tf_#")}
        from hits
        join conversations using (workspace, conversation_id)
        group by all
    ),

    corpus as (
        select
            (select count(*) from conversations) as n_conversations,
            (select avg(length) from conversations) as mean_length,
            {per_word("count(*) filter (tf_# > 0) as df_#")}
        from counted
    ),

    best as (
        select
            workspace, conversation_id, started_at, agent_id, counted.n_turns,
            {per_word(f"{idf} * {weight}", " + ")} as score
        from counted, corpus
        where {per_word("tf_# > 0", " and ")}
        order by score desc, started_at desc, conversation_id, workspace
        limit $limit
    )

    select
        best.conversation_id, best.started_at, best.agent_id, round(best.score, 4) as score, best.n_turns,
        hits.turn_index, hits.role, hits.message
    from best
    join hits using (workspace, conversation_id)
    qualify row_number() over (
        partition by workspace, conversation_id order by {per_word("has_#::int", " + ")} desc, turn_index
    ) = 1
    order by score desc, started_at desc, conversation_id, workspace
    """
