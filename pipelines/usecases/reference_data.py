"""Reference data of a workspace: its tools, and the prices of language models.

Each function fetches, lands and refreshes its lake tables, for one workspace whose home folder the caller has locked.
A key may lack the scopes for reference data, which must not stop the copy of the conversations: ``ToolsSync`` and
``sync_prices``, the parts of a sync, return an error as a warning.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.api.circuit_breaker import N_PROBES, CircuitBreaker
from pipelines.api.client import ApiClient
from pipelines.api.endpoints import calculate_llm_usage, list_tools
from pipelines.api.responses import ToolsPage
from pipelines.api.tasks import run_concurrently
from pipelines.errors import ApiError, ApiUnavailableError, NotFoundError, UsageError
from pipelines.extract import llm_price_queries
from pipelines.extract.land_tools import land_listing
from pipelines.extract.llm_price_queries import PriceQuery
from pipelines.privacy.messages import describe_error, hide_message
from pipelines.transform import llm_prices
from pipelines.transform.refresh_lake import refresh_quarantine
from pipelines.transform.tools import refresh_tools
from pipelines.usecases.account_data import copy_due_agents, copy_due_batches
from pipelines.usecases.bill import copy_due_bill
from pipelines.usecases.context import Context, Progress, no_progress
from pipelines.usecases.workspace_lookup import require_same_workspace
from warehouse.errors import ConvohouseError
from warehouse.schema.operations import PRICE_UNAVAILABLE
from warehouse.schema.reference_data import TOOLS
from warehouse.storage import lake, quarantine
from warehouse.storage.landing_reference_data import land_prices


@dataclass(frozen=True, slots=True)
class ToolsResult:
    """A listing of the tools: how many it has, how many of them are new or changed, and how many were removed."""

    n_listed: int
    n_changed: int
    n_gone: int


@dataclass(frozen=True, slots=True)
class PricesResult:
    """Requests for prices: their time, what was requested, and why some agents have no prices, by agent."""

    asked_at: datetime
    queries: tuple[PriceQuery, ...]
    unpriced_agents: dict[str, str] = field(default_factory=dict)


def fetch_and_land_tools(context: Context, progress: Progress = no_progress) -> ToolsResult:
    """List the workspace's tools, land the listing, and refresh the lake tables of tools.

    Raises:
        ApiError: the tools could not be listed; nothing is landed.
        ForeignWorkspaceError: the API is that of another workspace; nothing is landed.
    """
    listed_at, client = context.clock(), context.connect(context.settings)

    async def fetch_tools() -> ToolsPage:
        async with client:
            return await list_tools(client)

    listing = asyncio.run(fetch_tools())
    tool_ids = lake.read(context.home, TOOLS, ["tool_id"])["tool_id"]
    require_same_workspace(context, is_anything_known=not listing.tools.keys().isdisjoint(tool_ids))
    progress("tools", len(listing.tools), len(listing.tools))
    _land_tools(context, listing, listed_at)
    refresh_tools(context.home)
    refresh_quarantine(context.home)
    tool_rows = lake.read(context.home, TOOLS, ["changed_at", "is_gone"])
    return ToolsResult(
        n_listed=len(listing.tools),
        n_changed=tool_rows.filter(changed_at=listed_at).height,
        n_gone=tool_rows.filter(is_gone=True).height,
    )


def _land_tools(context: Context, listing: ToolsPage, listed_at: datetime) -> None:
    lake.ensure_schema_files(context.home)
    land_listing(context.home, listing, listed_at, context.pseudonyms)


def fetch_and_land_prices(
    context: Context,
    agents: Sequence[str] = (),
    *,
    prompt_length: int | None = None,
    number_of_pages: int | None = None,
    is_rag_enabled: bool | None = None,
    progress: Progress = no_progress,
) -> PricesResult:
    """Request the prices of language models, land the responses, and refresh ``llm_prices``.

    Args:
        context: The workspace.
        agents: Agents to request prices for; by default all that had conversations in the last 30 days.
        prompt_length: Characters of the prompt; by default the setting, otherwise measured.
        number_of_pages: Pages of the knowledge base; by default the setting, otherwise left to the API.
        is_rag_enabled: Whether chunks are retrieved; by default whether they were in the agent's conversations.
        progress: Called after each agent.

    Raises:
        ApiError: the key is refused or lacks the scope, or the API is down, as ``CircuitBreaker`` decides; nothing is
            landed. An error of one agent is set aside.
    """
    settings, asked_at = context.settings, context.clock()
    lake.ensure_schema_files(context.home)
    queries = llm_price_queries.price_queries(
        agents or llm_price_queries.recent_agents(context.home),
        llm_price_queries.measured_lengths(context.home),
        requested_length=prompt_length,
        configured_length=settings.prices_prompt_length,
        pages=settings.prices_pages if number_of_pages is None else number_of_pages,
        is_rag=is_rag_enabled,
    )
    fetcher = _PriceFetcher(context, queries, asked_at, progress)
    if queries:
        asyncio.run(fetcher.fetch())
        land_prices(context.home, asked_at, list(fetcher.rows.values()))
        if not agents:  # for named agents, the caller says what failed
            for agent_id, error in fetcher.failed.items():
                quarantine.set_aside(context.home, agent_id, at=asked_at, reason=PRICE_UNAVAILABLE, error=error)
        llm_prices.refresh_prices(context.home)
        refresh_quarantine(context.home)
    responses, unpriced_agents = fetcher.rows, fetcher.missing | fetcher.failed
    empty = responses.keys() - llm_price_queries.priced_agents(context.home, asked_at)
    unpriced_agents |= dict.fromkeys(sorted(empty), "The API returned no prices for it.")
    return PricesResult(asked_at, tuple(queries), unpriced_agents)


class _PriceFetcher:
    """Requests the prices of agents.

    ``rows`` are those to land, by agent. ``failed`` agents are set aside with the reason; ``missing`` agents were
    deleted, or have an invalid id.
    """

    def __init__(self, context: Context, queries: Sequence[PriceQuery], asked_at: datetime, progress: Progress) -> None:
        self.rows: dict[str, dict[str, object]] = {}
        self.failed: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        self._context = context
        self._queries = queries
        self._asked_at = asked_at
        self._progress = progress
        self._breaker = CircuitBreaker()
        self._error: ConvohouseError | None = None

    async def fetch(self) -> None:
        """Request the prices of all agents.

        Raises:
            ApiError: it is not an agent that fails, but the key or the API.
        """
        async with self._context.connect(self._context.settings) as client:
            await run_concurrently(self._fetch_agent(client, query) for query in self._queries)
        if isinstance(self._error, ApiUnavailableError) and not self.rows and not self.missing:
            raise self._error  # all agents failed, however few there are

    async def _fetch_agent(self, client: ApiClient, query: PriceQuery) -> None:
        try:
            body = await _request(client, query)
            self.rows[query.agent_id] = query.row(self._asked_at, body)
            self._breaker.on_response()
        except (NotFoundError, UsageError) as error:
            self.missing[query.agent_id] = error.message
        except ConvohouseError as error:
            self._error = error
            await self._breaker.on_item_error(error, lambda: self._is_api_answering(client))
            self.failed[query.agent_id] = hide_message(error.message)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one response, the others are landed
            self.failed[query.agent_id] = f"the prices cannot be landed: {describe_error(error)}"
        self._progress("prices", len(self.rows) + len(self.failed) + len(self.missing), len(self._queries))

    async def _is_api_answering(self, client: ApiClient) -> bool:
        """Whether the API answers for an agent that was answered before; as long as there is none, for one of some."""
        answered = [query for query in self._queries if query.agent_id in self.rows]
        probes = answered[-1:] or self._queries[-N_PROBES:]
        return any(await asyncio.gather(*(_is_answered(client, query) for query in probes)))


async def _request(client: ApiClient, query: PriceQuery) -> bytes:
    return await calculate_llm_usage(
        client,
        query.agent_id,
        prompt_length=query.prompt_length,
        number_of_pages=query.number_of_pages,
        rag_enabled=query.is_rag_enabled,
    )


async def _is_answered(client: ApiClient, query: PriceQuery) -> bool:
    try:
        await _request(client, query)
    except NotFoundError:
        return True
    except ConvohouseError:
        return False
    return True


def copy_due_prices(context: Context, progress: Progress = no_progress) -> int:
    """Copy the prices of all recent agents if they are due; returns the number of agents requested.

    Raises:
        ApiError: see ``fetch_and_land_prices``.
    """
    if not llm_price_queries.is_due(context.home, context.clock(), context.settings.prices_every_days):
        return 0
    return len(fetch_and_land_prices(context, progress=progress).queries)


class ToolsSync:
    """The tools as a part of a sync: fetched beside the conversations, landed after them, flattened with them."""

    def __init__(self, context: Context, progress: Progress = no_progress) -> None:
        self._context = context
        self._progress = progress
        self._listed_at: datetime | None = None
        self._listing: ToolsPage | None = None
        self._error: ApiError | None = None

    async def fetch(self, client: ApiClient) -> None:
        """List the tools with an open client; an error of the API is kept for ``land``."""
        self._listed_at = self._context.clock()
        try:
            self._listing = await list_tools(client)
        except ApiError as error:
            self._error = error
        else:
            self._progress("tools", len(self._listing.tools), len(self._listing.tools))

    def land(self) -> tuple[str, ...]:
        """Land the listing if there is one.

        Returns:
            A warning if the tools could not be fetched, with what to do; nothing otherwise.
        """
        try:
            if self._error is not None:
                raise self._error
            if self._listed_at is not None and self._listing is not None:
                _land_tools(self._context, self._listing, self._listed_at)
        except ApiError as error:
            return (f"The tools could not be fetched: {error}",)
        return ()


def sync_prices(context: Context, progress: Progress = no_progress) -> tuple[str, ...]:
    """Copy the prices as a part of a sync if they are due, after it has flattened: prompts are measured in the lake.

    Returns:
        As ``ToolsSync.land``.
    """
    try:
        copy_due_prices(context, progress)
    except ApiError as error:
        return (f"The prices of language models could not be fetched: {error}",)
    return ()


def sync_account_data(context: Context, progress: Progress = no_progress) -> tuple[str, ...]:
    """Copy agents, batches and the bill as a part of a sync, once in a UTC day; versions are looked up in the lake.

    Returns:
        As ``ToolsSync.land``.
    """
    warnings = []
    for name, copy in (("agents", copy_due_agents), ("batches", copy_due_batches), ("bill", copy_due_bill)):
        try:
            copy(context, progress)
        except ApiError as error:
            warnings.append(f"The {name} could not be fetched: {error}")
    return tuple(warnings)
