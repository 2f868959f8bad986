"""Reference data of a workspace: its tools, and the prices of language models.

Each function fetches, lands and refreshes its lake tables, for one workspace whose home folder the caller has locked.
A key may lack the scopes for reference data, which must not stop the copy of the conversations: ``ToolsSync`` and
``sync_prices``, the parts of a sync, return an error as a warning.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import calculate_llm_usage, list_tools
from pipelines.api.tasks import run_concurrently
from pipelines.errors import ApiError, ApiUnavailableError, CredentialsError, UsageError
from pipelines.extract import llm_price_queries
from pipelines.extract.land_tools import land_listing
from pipelines.extract.llm_price_queries import PriceQuery
from pipelines.transform import llm_prices
from pipelines.transform.tools import refresh_tools
from pipelines.usecases.context import Context, Progress, no_progress
from warehouse.schema.reference_data import TOOLS
from warehouse.storage import lake
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
    """
    listed_at, client = context.clock(), context.connect(context.settings)

    async def fetch_tools() -> dict[str, dict[str, object]]:
        async with client:
            return await list_tools(client)

    tools = asyncio.run(fetch_tools())
    progress("tools", len(tools), len(tools))
    _land_tools(context, tools, listed_at)
    refresh_tools(context.home)
    tool_rows = lake.read(context.home, TOOLS, ["changed_at", "is_gone"])
    return ToolsResult(
        n_listed=len(tools),
        n_changed=tool_rows.filter(changed_at=listed_at).height,
        n_gone=tool_rows.filter(is_gone=True).height,
    )


def _land_tools(context: Context, tools: Mapping[str, Mapping[str, object]], listed_at: datetime) -> None:
    lake.ensure_schema_files(context.home)
    try:
        land_listing(context.home, tools, listed_at, context.pseudonyms)
    except RecursionError:
        raise ApiError("A tool's definition is nested too deeply to be read.", "Look at the tools' schemas.") from None


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
        CredentialsError: the key is refused or lacks the scope; nothing is landed.
        ApiUnavailableError: the API is down; nothing is landed.
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
    responses, unpriced_agents = asyncio.run(_fetch_prices(context, queries, progress)) if queries else ({}, {})
    if queries:
        rows = [query.row(asked_at, responses[query.agent_id]) for query in queries if query.agent_id in responses]
        land_prices(context.home, asked_at, rows)
        llm_prices.refresh_prices(context.home)
    empty = responses.keys() - llm_price_queries.priced_agents(context.home, asked_at)
    unpriced_agents |= dict.fromkeys(sorted(empty), "The API returned no prices for it.")
    return PricesResult(asked_at, tuple(queries), unpriced_agents)


async def _fetch_prices(
    context: Context, queries: Sequence[PriceQuery], progress: Progress
) -> tuple[dict[str, bytes], dict[str, str]]:
    """The response for each agent, and why others have none."""
    responses: dict[str, bytes] = {}
    unpriced_agents: dict[str, str] = {}
    client = context.connect(context.settings)

    async def fetch(query: PriceQuery) -> None:
        try:
            responses[query.agent_id] = await calculate_llm_usage(
                client,
                query.agent_id,
                prompt_length=query.prompt_length,
                number_of_pages=query.number_of_pages,
                rag_enabled=query.is_rag_enabled,
            )
        except (CredentialsError, ApiUnavailableError):
            raise
        except (ApiError, UsageError) as error:  # a problem of this agent only: it was deleted, or its id is invalid
            unpriced_agents[query.agent_id] = error.message
        progress("prices", len(responses) + len(unpriced_agents), len(queries))

    async with client:
        await run_concurrently(map(fetch, queries))
    return responses, unpriced_agents


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
        self._tools: dict[str, dict[str, object]] = {}
        self._error: ApiError | None = None

    async def fetch(self, client: ApiClient) -> None:
        """List the tools with an open client; an error of the API is kept for ``land``."""
        self._listed_at = self._context.clock()
        try:
            self._tools = await list_tools(client)
        except ApiError as error:
            self._error = error
        else:
            self._progress("tools", len(self._tools), len(self._tools))

    def land(self) -> tuple[str, ...]:
        """Land the listing if there is one.

        Returns:
            A warning if the tools could not be fetched, with what to do; nothing otherwise.
        """
        try:
            if self._error is not None:
                raise self._error
            if self._listed_at is not None:
                _land_tools(self._context, self._tools, self._listed_at)
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
