"""The queries to the vendor's price calculator, what is landed of them, and when they are due.

The calculator takes the length of the prompt in characters. By default it is measured: the mean tokens that a
generation of the agent reads (uncached, from the cache and into it), at 4 characters per token. That is the entire
input of the model, with tools, retrieved chunks and the conversation so far, so it is more than the prompt as written.
It is an approximation for languages in Latin script. It is measured over the workspace's conversations of the 30 days
up to the newest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.privacy.mask_documents import mask
from pipelines.transform.canonical_json import dump, load
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import PRICE_UNAVAILABLE
from warehouse.schema.reference_data import LLM_PRICES
from warehouse.schema.usage import LLM_USAGE
from warehouse.storage import lake, landing, parquet, quarantine
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import latest_price_request_at, price_rows
from warehouse.storage.landing_sequence import CLOCK_TOLERANCE

CHARACTERS_A_TOKEN = 4
RECENT_DAYS = 30
UNKNOWN_BASIS = "none"
"""Basis of a query without a length, for which the API then takes its own."""
_INPUT_KINDS = ("input", "input_cache_read", "input_cache_write")
"""Kinds of tokens that count as read by a generation."""


@dataclass(frozen=True, slots=True)
class PriceQuery:
    """The query for one agent; ``basis`` says where the length comes from (``prompt_basis`` of ``lake.llm_prices``)."""

    agent_id: str
    prompt_length: int | None
    number_of_pages: int | None
    is_rag_enabled: bool | None
    basis: str

    def row(self, asked_at: datetime, body: bytes) -> dict[str, object]:
        """The row to land, with the ``body`` of the response, unchanged if it has no credentials."""
        prices = load(body)
        return {
            "agent_id": self.agent_id,
            "asked_at": asked_at,
            "prompt_length": self.prompt_length,
            "number_of_pages": self.number_of_pages,
            "is_rag_enabled": self.is_rag_enabled,
            "prompt_basis": self.basis,
            "payload": body if (masked_prices := mask(prices)) is prices else dump(masked_prices),
        }


def is_due(home: Home, now: datetime, every_days: int) -> bool:
    """Whether the prices are to be fetched: the last time was ``every_days`` or more days ago (0: never).

    Also when the prices of an agent are in quarantine, and when an agent was queried without a length, before its first
    conversations were in the lake, and its length can be measured now.
    """
    asked_at = latest_price_request_at(home)
    if every_days == 0:
        return False
    # Prices of the future were landed by a clock that was ahead.
    if asked_at is None or (now.date() - asked_at.date()).days >= every_days or asked_at > now + CLOCK_TOLERANCE:
        return True
    if not quarantine.current(home).filter(reason=PRICE_UNAVAILABLE).is_empty():
        return True
    without_length = price_rows(home).filter(asked_at=asked_at, prompt_basis=UNKNOWN_BASIS)["agent_id"]
    return not without_length.is_empty() and not measured_lengths(home).keys().isdisjoint(without_length)


def recent_agents(home: Home) -> list[str]:
    """Agents with a conversation in the 30 days up to the newest that is landed, sorted."""
    conversations = landing.latest_snapshots(home).select("agent_id", "start_date")
    return sorted(conversations.filter(_is_recent())["agent_id"].drop_nulls().unique())


def measured_lengths(home: Home) -> dict[str, tuple[int, bool]]:
    """By agent, the characters that a generation reads on average, and whether any conversation used RAG.

    Agents without token usage by generation are left out.
    """
    conversations = (
        lake.read(home, CONVERSATIONS, ["conversation_id", "agent_id", "start_date", "rag_usage_usage_count"])
        .filter(_is_recent())
        .select("conversation_id", "agent_id", has_rag=pl.col("rag_usage_usage_count").fill_null(0) > 0)
    )
    by_agent = (
        pl.concat([parquet.frame(LLM_USAGE, []).pipe(_generations), *_generation_inputs(home)])
        .join(conversations, "conversation_id")
        .group_by("agent_id")
        .agg(pl.col("tokens").sum() / pl.col("n_generations").sum(), pl.col("has_rag").any())
    )
    return {agent: (round(tokens * CHARACTERS_A_TOKEN), has_rag) for agent, tokens, has_rag in by_agent.rows()}


def _generation_inputs(home: Home) -> Iterator[pl.DataFrame]:
    """The generations of each conversation and the tokens that they read; file by file, as usage is the longest table.

    Yields:
        Columns of ``_generations``.
    """
    is_input = (pl.col("scope") == "turn") & pl.col("token_kind").is_in(_INPUT_KINDS) & (pl.col("tokens") > 0)
    for file in home.files(home.table(LLM_USAGE), lake.DAY_FOLDERS):
        columns = ("conversation_id", "turn_index", "tokens")
        yield parquet.read_files(LLM_USAGE, [file], columns, is_input).pipe(_generations)


def _generations(usage: pl.DataFrame) -> pl.DataFrame:
    """conversation_id, tokens, n_generations."""
    return usage.group_by("conversation_id").agg(pl.col("tokens").sum(), n_generations=pl.col("turn_index").n_unique())


def price_queries(
    agents: Iterable[str],
    measurements: Mapping[str, tuple[int, bool]],
    *,
    requested_length: int | None,
    configured_length: int | None,
    pages: int | None,
    is_rag: bool | None,
) -> list[PriceQuery]:
    """The query for each agent; a requested length is preferred to a configured one, and that to a measured one.

    ``measurements`` are the result of ``measured_lengths``; ``is_rag`` None takes whether RAG was used from them.
    """
    queries = []
    for agent_id in agents:
        measured_length, has_rag = measurements.get(agent_id, (None, None))
        lengths = {"given": requested_length, "setting": configured_length, "measured": measured_length}
        basis = next((name for name, value in lengths.items() if value is not None), UNKNOWN_BASIS)
        queries.append(PriceQuery(agent_id, lengths.get(basis), pages, has_rag if is_rag is None else is_rag, basis))
    return queries


def priced_agents(home: Home, asked_at: datetime) -> set[str]:
    """Agents that have a price from the queries of ``asked_at``."""
    return set(lake.read(home, LLM_PRICES, ["agent_id", "asked_at"]).filter(asked_at=asked_at)["agent_id"])


def _is_recent() -> pl.Expr:
    return pl.col("start_date") > pl.col("start_date").max() - pl.duration(days=RECENT_DAYS)
