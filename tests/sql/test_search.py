"""Search over turns, with scores computed by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import log

import duckdb
import pytest

from warehouse.serve.search import Scope, search
from warehouse.storage.home import Home

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
CALLS = {
    "often": ("agent_a", ["A refund, please", "Which refund?", "The refund of my order"]),
    "once": ("agent_a", ["Hello", "My order came late", "I would like a refund"]),
    "long": ("agent_b", ["Hello", "A refund", *["Go on"] * 40]),
    "other": ("agent_b", ["My order came late", None, "Goodbye"]),
    "rare": ("agent_b", ["The train to Zürich", "My order"]),
}


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path)
    with duckdb.connect(home.warehouse) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.fct_conversations "
            "(workspace text, conversation_id text, started_at timestamptz, agent_id text, n_turns bigint)"
        )
        connection.execute(
            "create table marts.fct_turns (workspace text, conversation_id text, turn_index bigint, start_date date, "
            "agent_id text, role text, message text)"
        )
        for number, (name, (agent_id, messages)) in enumerate(CALLS.items()):
            at = START + timedelta(days=number)
            connection.execute(
                "insert into marts.fct_conversations values ('main', ?, ?, ?, ?)", [name, at, agent_id, len(messages)]
            )
            for index, message in enumerate(messages):
                role = "user" if index % 2 else "agent"
                row = [name, index, at.date(), agent_id, role, message]
                connection.execute("insert into marts.fct_turns values ('main', ?, ?, ?, ?, ?, ?)", row)
    return home


def names(hits):
    return [hit.conversation_id for hit in hits]


def test_conversations_with_more_turns_of_a_word_come_first_and_long_ones_last(home):
    assert names(search(home, "refund")) == ["often", "once", "long"]


def test_a_conversation_needs_all_words_in_any_turns_and_shows_the_turn_with_most(home):
    (first, second) = search(home, "REFUND order")
    assert (first.conversation_id, first.turn_index, first.n_turns) == ("often", 2, 3)
    assert first.snippet == "The *refund* of my *order*"
    assert (second.conversation_id, second.turn_index, second.role) == ("once", 1, "user")


def test_a_conversation_of_the_same_id_in_another_workspace_is_another(home):
    with duckdb.connect(home.warehouse) as connection:
        for table in ("fct_conversations", "fct_turns"):
            copied = f"select * replace ('second' as workspace) from marts.{table} where conversation_id = 'rare'"  # noqa: S608
            connection.execute(f"insert into marts.{table} {copied}")
    hits = search(home, "zurich")
    assert [(hit.conversation_id, hit.n_turns) for hit in hits] == [("rare", 1), ("rare", 1)]


def test_case_accents_and_special_characters_do_no_harm(home):
    assert names(search(home, "zurich")) == ["rare"]
    assert names(search(home, "'; drop table marts.fct_turns --")) == []
    assert names(search(home, "( [a-z")) == []
    assert names(search(home, "refund", Scope("'"))) == []


def test_the_scope_limits_conversations_and_counts(home):
    assert names(search(home, "order", Scope("agent_b"))) == ["rare", "other"]
    in_three_days = Scope(since=START + timedelta(days=1), until=START + timedelta(days=4))
    assert names(search(home, "order", in_three_days)) == ["other", "once"]  # alike: the latest first
    assert names(search(home, "order", limit=1)) == names(search(home, "order"))[:1]


def test_the_score_is_bm25_over_turns(home):
    (hit,) = search(home, "zurich")
    mean_length = (3 + 3 + 42 + 3 + 2) / 5
    idf = log(1 + (5 - 1 + 0.5) / (1 + 0.5))
    assert hit.score == pytest.approx(idf * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / mean_length)), abs=1e-4)
