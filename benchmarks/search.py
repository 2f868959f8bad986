"""Measure ``convohouse find`` over 100,000 generated conversations of 20 turns: ``python benchmarks/search.py``.

The words of a turn are drawn with the frequencies of a natural language (Zipf), so there are common and rare ones.
Times are wall time of a whole search including opening the file. Compare figures within one run only.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from warehouse.serve.search import search
from warehouse.storage.home import Home

TURNS = 20
WORDS = 14
VOCABULARY = [
    *("the", "to", "I", "you", "is", "of", "and", "my", "your", "order", "number", "please", "can", "help", "with"),
    *("refund", "invoice", "Zürich", "café", "delivery", "appointment", "reservation", "train", "claim", "router"),
    *(f"word{number}" for number in range(20_000)),
]
QUESTIONS = ("zurich", "refund invoice", "the order", "the order number please", "nowhere")


def write(home: Home, n_conversations: int) -> None:
    """A warehouse with only the columns that a search reads; always the same."""
    with duckdb.connect(home.warehouse) as connection:
        connection.execute("create schema marts")
        connection.execute("create temp table words as select $1 as list", [VOCABULARY])
        connection.execute(
            f"""
            create table marts.fct_conversations as
            select
                'conv_' || md5(number::text) as conversation_id,
                timestamptz '2026-01-01' + to_minutes(number * 4) as started_at,
                'agent_' || number % 12 as agent_id,
                {TURNS}::bigint as n_turns
            from range({n_conversations}) as conversations(number);

            create table marts.fct_turns as
            select
                'conv_' || md5((number // {TURNS})::text) as conversation_id,
                number % {TURNS} as turn_index,
                cast(timestamptz '2026-01-01' + to_minutes(number // {TURNS} * 4) as date) as start_date,
                'agent_' || number // {TURNS} % 12 as agent_id,
                if(number % 2 = 0, 'agent', 'user') as role,
                array_to_string(
                    list_transform(
                        range({WORDS}),
                        lambda place:
                            list[floor(pow({len(VOCABULARY)}, hash(number * {WORDS} + place) / pow(2, 64)))::int]
                    ),
                    ' '
                ) as message
            from range({n_conversations * TURNS}) as turns(number), words
            """
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, default=100_000)
    n_conversations = parser.parse_args().conversations
    table = Table(
        "words",
        "first, secs",
        "best of 3, secs",
        "conversations found",
        title=f"{n_conversations:,} conversations, {n_conversations * TURNS:,} turns",
    )
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        write(home, n_conversations)
        for question in QUESTIONS:
            times = []
            for _ in range(3):
                began = time.perf_counter()
                hits = search(home, question)
                times.append(time.perf_counter() - began)
            table.add_row(question, f"{times[0]:.2f}", f"{min(times):.2f}", str(len(hits)))
    Console().print(table)


if __name__ == "__main__":
    main()
