"""Reference data of a workspace: its tools, and the prices of language models.

Each function fetches, lands and refreshes its lake tables, for one workspace whose home folder the caller has locked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from pipelines.api.account_endpoints import list_tools
from pipelines.api.circuit_breaker import N_PROBES, CircuitBreaker, is_answered
from pipelines.api.client import ApiClient
from pipelines.api.endpoints import calculate_llm_usage
from pipelines.api.tasks import run_concurrently
from pipelines.errors import ApiUnavailableError, NotFoundError, UsageError
from pipelines.extract import llm_price_queries
from pipelines.extract.llm_price_queries import PriceQuery
from pipelines.privacy.messages import describe_error, hide_message
from pipelines.transform import llm_prices
from pipelines.transform.canonical_json import dump
from pipelines.transform.refresh_lake import refresh_quarantine
from pipelines.transform.tools import STATISTICS, check_tool, refresh_tools
from pipelines.usecases.context import Context, Progress, no_progress, run_with_client
from pipelines.usecases.items_copy import Document, FetchedItems, ItemKind, ItemsCopy, ItemsResult
from warehouse.errors import ConvohouseError
from warehouse.schema.operations import PRICE_UNAVAILABLE, TOOL_UNREADABLE
from warehouse.schema.reference_data import LANDED_TOOLS, TOOLS
from warehouse.storage import lake, quarantine
from warehouse.storage.landing_reference_data import land_prices


@dataclass(frozen=True, slots=True)
class ToolsResult(ItemsResult):
    """A listing of the tools: how many of them are new or changed, and how many were removed."""

    n_changed: int = 0
    n_gone: int = 0


@dataclass(frozen=True, slots=True)
class PricesResult:
    """Requests for prices: their time, what was requested, and why agents have no prices or not all, by agent."""

    asked_at: datetime
    queries: tuple[PriceQuery, ...]
    unpriced_agents: dict[str, str] = field(default_factory=dict)


class ToolsCopy(ItemsCopy):
    """The tools, whose definitions only their list has; a sync flattens them with the conversations."""

    kind = ItemKind(LANDED_TOOLS, TOOL_UNREADABLE, check_tool, refresh_tools)

    async def fetch(self, client: ApiClient) -> None:
        """List the tools."""
        tools, errors = await list_tools(client)
        self._listed_ids = tools
        self._items = FetchedItems(lambda: list_tools(client), errors)
        self._items.documents |= tools
        self._progress("tools", len(tools), len(tools))

    def fetch_and_land(self) -> ToolsResult:
        """As ``ItemsCopy``."""
        result = super().fetch_and_land()
        rows = lake.read(self._context.home, TOOLS, ["changed_at", "is_gone"])
        n_changed, n_gone = rows.filter(changed_at=self._listed_at).height, rows.filter(is_gone=True).height
        return ToolsResult(result.n_listed, result.errors, n_changed, n_gone)

    def shorten(self, document: Any) -> Any:
        """The definition, which alone makes a version."""
        return {key: value for key, value in document.items() if key != STATISTICS}

    def statistics(self, document: Document) -> dict[str, object]:
        """They change without a new version of the tool."""
        return {STATISTICS: dump(document.get(STATISTICS))}


class PricesCopy:
    """The prices of language models for agents, to request and then to land.

    Args:
        context: The workspace.
        agents: Agents to request prices for; by default all that had conversations in the last 30 days.
        prompt_length: Characters of the prompt; by default the setting, otherwise measured.
        number_of_pages: Pages of the knowledge base; by default the setting, otherwise left to the API.
        is_rag_enabled: Whether chunks are retrieved; by default whether they were in the agent's conversations.
        progress: Called after each agent.
    """

    def __init__(
        self,
        context: Context,
        agents: Sequence[str] = (),
        *,
        prompt_length: int | None = None,
        number_of_pages: int | None = None,
        is_rag_enabled: bool | None = None,
        progress: Progress = no_progress,
    ) -> None:
        settings = context.settings
        lake.ensure_schema_files(context.home)
        self._context = context
        self._asked_at = context.clock()
        self._queries = llm_price_queries.price_queries(
            agents or llm_price_queries.recent_agents(context.home),
            llm_price_queries.measured_lengths(context.home),
            requested_length=prompt_length,
            configured_length=settings.prices_prompt_length,
            pages=settings.prices_pages if number_of_pages is None else number_of_pages,
            is_rag=is_rag_enabled,
        )
        self._are_agents_named = bool(agents)
        self._progress = progress
        self._breaker = CircuitBreaker()
        self._rows: dict[str, dict[str, object]] = {}  # to land, by agent
        self._failed: dict[str, str] = {}  # why agents are quarantined
        self._missing: dict[str, str] = {}  # agents that were deleted, or have an invalid id
        self._error: ConvohouseError | None = None

    def fetch_and_land(self) -> PricesResult:
        """Request the prices with a client of its own, land the responses, and refresh ``llm_prices``.

        Raises:
            ApiError: see ``fetch``; nothing is landed.
        """
        run_with_client(self._context, self.fetch)
        return self.land()

    async def fetch(self, client: ApiClient) -> None:
        """Request the prices of all agents; an error of one agent is quarantined.

        Raises:
            ApiError: the key is refused or lacks the scope, or the API is down, as ``CircuitBreaker`` decides.
        """
        await run_concurrently(self._fetch_agent(client, query) for query in self._queries)
        if isinstance(self._error, ApiUnavailableError) and not self._rows and not self._missing:
            raise self._error  # all agents failed, however few there are

    def land(self) -> PricesResult:
        """Land the responses, quarantine the agents that failed, and refresh ``llm_prices``."""
        home, asked_at = self._context.home, self._asked_at
        if self._queries:
            land_prices(home, asked_at, list(self._rows.values()))
            if not self._are_agents_named:  # for named agents, the caller says what failed
                for agent_id, error in self._failed.items():
                    quarantine.add(home, agent_id, at=asked_at, reason=PRICE_UNAVAILABLE, error=error)
            llm_prices.refresh_prices(home)
            refresh_quarantine(home)
        unpriced_ids = self._rows.keys() - llm_price_queries.priced_agents(home, asked_at)
        unpriced_agents = dict.fromkeys(sorted(unpriced_ids), "The API returned no prices for it.")
        return PricesResult(asked_at, tuple(self._queries), unpriced_agents | self._missing | self._failed)

    async def _fetch_agent(self, client: ApiClient, query: PriceQuery) -> None:
        try:
            body = await _request(client, query)
            self._rows[query.agent_id] = query.row(self._asked_at, body)
            self._breaker.on_response()
            if n_without_model := llm_prices.count_without_model(body):
                self._failed[query.agent_id] = f"entries of its prices that name no model: {n_without_model}"
        except (NotFoundError, UsageError) as error:
            self._missing[query.agent_id] = error.message
        except ConvohouseError as error:
            self._error = error
            await self._breaker.on_item_error(error, lambda: self._is_api_answering(client))
            self._failed[query.agent_id] = hide_message(error.message)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one response, the others are landed
            self._failed[query.agent_id] = f"the prices cannot be landed: {describe_error(error)}"
        self._progress("prices", len(self._rows | self._failed | self._missing), len(self._queries))

    async def _is_api_answering(self, client: ApiClient) -> bool:
        """Whether the API answers for an agent that was answered before; as long as there is none, for one of some."""
        answered_queries = [query for query in self._queries if query.agent_id in self._rows]
        probes = (partial(_request, client, query) for query in answered_queries[-1:] or self._queries[-N_PROBES:])
        return any(await asyncio.gather(*map(is_answered, probes)))


async def _request(client: ApiClient, query: PriceQuery) -> bytes:
    return await calculate_llm_usage(
        client,
        query.agent_id,
        prompt_length=query.prompt_length,
        number_of_pages=query.number_of_pages,
        rag_enabled=query.is_rag_enabled,
    )


def are_prices_due(context: Context) -> bool:
    """Whether the prices are to be requested now: see ``llm_price_queries.is_due``."""
    return llm_price_queries.is_due(context.home, context.clock(), context.settings.prices_every_days)
