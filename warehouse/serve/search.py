"""Search in what was said: the calls in which all words occur, those first that are about them.

A call's score is BM25's, with its turns as the occurrences: a word counts by how rare it is among all calls (idf) and
by how many turns of the call hold it (tf), less each time, and less in a long call. One scan over the turns finds those
that hold any of the words; all else is done on these.
"""

# ruff: noqa: S608 -- every part of the statement is ours; what the user gave are parameters

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from warehouse.connection import open_warehouse
from warehouse.serve.search_terms import pattern, search_terms, snippet
from warehouse.storage.home import Home

BM25_K1 = 1.2
"""How soon more turns with the same word add little (BM25's usual value)."""
BM25_B = 0.75
"""How much a call's length counts (BM25's usual value)."""
MAX_TERMS = 12


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A call that holds all words; ``turn_index`` and ``snippet`` are of the turn that holds the most of them."""

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
    """Which calls to search; None means all."""

    agent_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def search(home: Home, text: str, scope: Scope = Scope(), *, limit: int = 10) -> list[SearchHit]:
    """The best calls for the words of ``text`` (at most ``MOST_WORDS`` of them), the best first.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: the file cannot be opened.
    """
    words = search_terms(text)[:MAX_TERMS]
    if not words:
        return []
    given: dict[str, Any] = {f"word_{number}": pattern(word) for number, word in enumerate(words)}
    given |= {"any": "|".join(map(pattern, words)), "limit": limit}
    given |= {"agent_id": scope.agent_id, "since": scope.since, "until": scope.until}
    with open_warehouse(home) as connection:
        rows = connection.sql(_sql(len(words)), params=given).pl().to_dicts()
    return [SearchHit(snippet=snippet(row.pop("message"), words), **row) for row in rows]


def _sql(n_words: int) -> str:
    def each(text: str, between: str = ",\n") -> str:
        """``text`` for every word, with its number for #."""
        return between.join(text.replace("#", str(number)) for number in range(n_words))

    idf = "ln(1 + (n_calls - df_# + 0.5) / (df_# + 0.5))"
    weight = f"tf_# * ({BM25_K1} + 1) / (tf_# + {BM25_K1} * (1 - {BM25_B} + {BM25_B} * length / mean_length))"
    return f"""
    with calls as (
        select conversation_id, started_at, agent_id, greatest(n_turns, 1) as length
        from marts.fct_conversations
        where
            ($agent_id is null or agent_id = $agent_id)
            and ($since is null or started_at >= $since)
            and ($until is null or started_at < $until)
    ),

    hits as materialized (
        select conversation_id, turn_index, role, message, {each("regexp_matches(message, $word_#) as has_#")}
        from marts.fct_turns
        where
            regexp_matches(message, $any)
            and ($agent_id is null or agent_id = $agent_id)
            and ($since is null or start_date >= cast($since as date))
            and ($until is null or start_date <= cast($until as date))
    ),

    counted as (
        select calls.*, count(*) as n_turns, {each("count(*) filter (has_#) as tf_#")}
        from hits
        join calls using (conversation_id)
        group by all
    ),

    corpus as (
        select
            (select count(*) from calls) as n_calls,
            (select avg(length) from calls) as mean_length,
            {each("count(*) filter (tf_# > 0) as df_#")}
        from counted
    ),

    best as (
        select conversation_id, started_at, agent_id, counted.n_turns, {each(f"{idf} * {weight}", " + ")} as score
        from counted, corpus
        where {each("tf_# > 0", " and ")}
        order by score desc, started_at desc, conversation_id
        limit $limit
    )

    select
        best.conversation_id, best.started_at, best.agent_id, round(best.score, 4) as score, best.n_turns,
        hits.turn_index, hits.role, hits.message
    from best
    join hits using (conversation_id)
    qualify row_number() over (
        partition by conversation_id order by {each("has_#::int", " + ")} desc, turn_index
    ) = 1
    order by score desc, started_at desc, conversation_id
    """
