"""From the vendor's price calculator to the lake: with what to ask, what lands, and the table that the landing makes.

The calculator wants the characters of the prompt. By default they are measured: the mean tokens that a generation of
the agent read (afresh, from the cache and into it), at 4 characters a token. That is what the model reads each time,
tools, retrieved chunks and the conversation so far included, and so more than the prompt as it is written; it is an
approximation for languages of Latin script. It is measured over the calls of the last 30 days before the agent's
workspace's newest call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.transform.settle_state import FINISHED
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.reference_data import LLM_PRICES
from warehouse.schema.usage import LLM_USAGE
from warehouse.storage import lake, landing, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import price_rows, prices_asked_at

CHARACTERS_A_TOKEN = 4
RECENT_DAYS = 30
UNKNOWN_BASIS = "none"
"""Basis of a question without a length, which is then left to the API."""
_READ = ("input", "input_cache_read", "input_cache_write")
"""Kinds of tokens that a generation reads."""


@dataclass(frozen=True, slots=True)
class PriceQuery:
    """What the calculator is asked for one agent; ``basis`` says whence the length (see ``lake.llm_prices``)."""

    agent_id: str
    prompt_length: int | None
    number_of_pages: int | None
    is_rag_enabled: bool | None
    basis: str

    def row(self, asked_at: datetime, answer: bytes) -> dict[str, object]:
        """The answer as it lands."""
        return {
            "agent_id": self.agent_id,
            "asked_at": asked_at,
            "prompt_length": self.prompt_length,
            "number_of_pages": self.number_of_pages,
            "is_rag_enabled": self.is_rag_enabled,
            "prompt_basis": self.basis,
            "payload": answer,
        }


def is_due(home: Home, now: datetime, every_days: int) -> bool:
    """Whether it is time to ask: nothing was asked on the last ``every_days`` days (0: never).

    Also when an agent was asked for without a length, as before its first calls were in the lake, that can be measured
    now.
    """
    asked_at = prices_asked_at(home)
    if every_days == 0:
        return False
    if asked_at is None or (now.date() - asked_at.date()).days >= every_days:
        return True
    blind = price_rows(home).filter(asked_at=asked_at, prompt_basis=UNKNOWN_BASIS)["agent_id"]
    return not blind.is_empty() and not measured_lengths(home).keys().isdisjoint(blind)


def recent_agents(home: Home) -> list[str]:
    """Agents with calls in the 30 days up to the newest that was landed, sorted."""
    calls = landing.latest_snapshots(home).select("agent_id", "start_date")
    return sorted(calls.filter(_is_recent())["agent_id"].drop_nulls().unique())


def measured_lengths(home: Home) -> dict[str, tuple[int, bool]]:
    """By agent, the characters that a generation reads on average, and whether any call retrieved chunks.

    An agent without token usage by generation is left out.
    """
    calls = _recent(home).with_columns(has_rag=pl.col("rag_usage_usage_count").fill_null(0) > 0)
    by_agent = (
        pl.concat([parquet.frame(LLM_USAGE, []).pipe(_generations), *_read_by_generations(home)])
        .join(calls, "conversation_id")
        .group_by("agent_id")
        .agg(pl.col("tokens").sum() / pl.col("n_generations").sum(), pl.col("has_rag").any())
    )
    return {agent: (round(tokens * CHARACTERS_A_TOKEN), has_rag) for agent, tokens, has_rag in by_agent.rows()}


def _read_by_generations(home: Home) -> Iterator[pl.DataFrame]:
    """Each call's generations and the tokens that they read, a file at a time: usage is the longest table of all."""
    is_read = (pl.col("scope") == "turn") & pl.col("token_kind").is_in(_READ) & (pl.col("tokens") > 0)
    for file in home.files(home.table(LLM_USAGE), lake.DAYS):
        columns = ("conversation_id", "turn_index", "tokens")
        yield parquet.read_files(LLM_USAGE, [file], columns, is_read).pipe(_generations)


def _generations(usage: pl.DataFrame) -> pl.DataFrame:
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
    """What to ask for each agent: what is given before what is set, and that before what was measured (``found``)."""
    asked = []
    for agent_id in agents:
        length, has_rag = measurements.get(agent_id, (None, None))
        known = {"given": requested_length, "setting": configured_length, "measured": length}
        basis = next((name for name, value in known.items() if value is not None), UNKNOWN_BASIS)
        asked.append(PriceQuery(agent_id, known.get(basis), pages, has_rag if is_rag is None else is_rag, basis))
    return asked


def priced_agents(home: Home, asked_at: datetime) -> set[str]:
    """Agents to which an asking gave any price."""
    return set(lake.read(home, LLM_PRICES, ["agent_id", "asked_at"]).filter(asked_at=asked_at)["agent_id"])


def paid_llm_cost(home: Home) -> pl.DataFrame:
    """What each agent's recent calls paid for language models: agent_id, llm, paid_usd, paid_usd_per_minute.

    Per minute of all finished calls of the agent, so the models of one agent add up.
    """
    calls = _recent(home, "call_duration_secs", "status").filter(pl.col("status").is_in(FINISHED))
    minutes = calls.group_by("agent_id").agg(minutes=pl.col("call_duration_secs").sum() / 60)
    usage = lake.read(home, LLM_USAGE, ["conversation_id", "scope", "model", "price_usd"]).filter(scope="initiated")
    by_model = (
        usage.join(calls, "conversation_id").group_by("agent_id", llm="model").agg(paid_usd=pl.col("price_usd").sum())
    )
    return (
        by_model.join(minutes, "agent_id")
        .with_columns(paid_usd_per_minute=pl.when(pl.col("minutes") > 0).then(pl.col("paid_usd") / pl.col("minutes")))
        .drop("minutes")
    )


def _recent(home: Home, *columns: str) -> pl.DataFrame:
    """The calls of the last 30 days: conversation_id, agent_id, rag_usage_usage_count and what else is asked for."""
    names = ["conversation_id", "agent_id", "start_date", "rag_usage_usage_count", *columns]
    return lake.read(home, CONVERSATIONS, names).filter(_is_recent()).drop("start_date")


def _is_recent() -> pl.Expr:
    return pl.col("start_date") > pl.col("start_date").max() - pl.duration(days=RECENT_DAYS)
