"""The use cases of what the API says beside conversations: the workspace's tools, and what language models would cost.

Each asks the API, lands what came and brings its tables of the lake up to it, for one workspace, whose home folder the
caller holds. A key without the scope for them must not keep anybody from the conversations: the parts of a sync,
``sync_tools`` and ``sync_prices``, give back what went wrong and go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

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
    """A listing of the tools: how many it showed, of them new or changed, and how many it no longer showed."""

    n_listed: int
    n_changed: int
    n_gone: int


@dataclass(frozen=True, slots=True)
class PricesResult:
    """An asking for prices: when and what was asked, and the agents that have none, with why."""

    asked_at: datetime
    questions: tuple[PriceQuery, ...]
    without: dict[str, str] = field(default_factory=dict)


def fetch_and_land_tools(context: Context, progress: Progress = no_progress) -> ToolsResult:
    """List the workspace's tools, land the listing, and show it in the lake.

    Raises:
        ApiError: the list could not be had; nothing is landed.
    """
    listed_at, client = context.clock(), context.connect(context.settings)

    async def asking() -> dict[str, dict[str, object]]:
        async with client:
            return await list_tools(client)

    found = asyncio.run(asking())
    progress("tools", len(found), len(found))
    lake.ensure_schema_files(context.home)
    try:
        land_listing(context.home, found, listed_at, context.pseudonyms)
    except RecursionError:
        raise ApiError("A tool's definition is nested too deep to be read.", "Look at the tools' schemas.") from None
    refresh_tools(context.home)
    shown = lake.read(context.home, TOOLS, ["changed_at", "is_gone"])
    return ToolsResult(
        n_listed=len(found),
        n_changed=shown.filter(changed_at=listed_at).height,
        n_gone=shown.filter(is_gone=True).height,
    )


def fetch_and_land_prices(
    context: Context,
    agents: Sequence[str] = (),
    *,
    prompt_length: int | None = None,
    number_of_pages: int | None = None,
    is_rag_enabled: bool | None = None,
    progress: Progress = no_progress,
) -> PricesResult:
    """Ask what language models would cost, land the answers, and show them in the lake.

    Args:
        context: Where and with what.
        agents: Whose prices; by default those of all agents with calls in the last 30 days.
        prompt_length: Characters of the prompt; by default those of the settings, else measured.
        number_of_pages: Pages of knowledge; by default those of the settings, else left to the API.
        is_rag_enabled: Whether chunks are retrieved; by default whether the agent's calls did.
        progress: Told how many agents were asked for.

    Raises:
        CredentialsError: the key or its scope is refused; nothing is landed.
        UnreachableError: the API is down; nothing is landed.
    """
    settings, asked_at = context.settings, context.clock()
    lake.ensure_schema_files(context.home)
    asked = llm_price_queries.price_queries(
        agents or llm_price_queries.recent_agents(context.home),
        llm_price_queries.measured_lengths(context.home),
        requested_length=prompt_length,
        configured_length=settings.prices_prompt_length,
        pages=settings.prices_pages if number_of_pages is None else number_of_pages,
        is_rag=is_rag_enabled,
    )
    answers, without = asyncio.run(_fetch_prices(context, asked, progress)) if asked else ({}, {})
    if asked:
        rows = [
            question.row(asked_at, answers[question.agent_id]) for question in asked if question.agent_id in answers
        ]
        land_prices(context.home, asked_at, rows)
        llm_prices.refresh_prices(context.home)
    empty = answers.keys() - llm_price_queries.priced_agents(context.home, asked_at)
    without |= dict.fromkeys(sorted(empty), "The API gives no prices for it.")
    return PricesResult(asked_at, tuple(asked), without)


async def _fetch_prices(
    context: Context, asked: Sequence[PriceQuery], progress: Progress
) -> tuple[dict[str, bytes], dict[str, str]]:
    """The answer for each agent, and why there was none."""
    answers: dict[str, bytes] = {}
    without: dict[str, str] = {}
    client = context.connect(context.settings)

    async def ask(question: PriceQuery) -> None:
        try:
            answers[question.agent_id] = await calculate_llm_usage(
                client,
                question.agent_id,
                prompt_length=question.prompt_length,
                number_of_pages=question.number_of_pages,
                rag_enabled=question.is_rag_enabled,
            )
        except (CredentialsError, ApiUnavailableError):
            raise
        except (ApiError, UsageError) as error:  # this agent's own trouble: deleted, or an odd id
            without[question.agent_id] = error.message
        progress("prices", len(answers) + len(without), len(asked))

    async with client:
        await run_concurrently(map(ask, asked))
    return answers, without


def copy_due_prices(context: Context, progress: Progress = no_progress) -> int:
    """Ask for the prices of all agents where it is time to; give how many agents were asked for.

    Raises:
        ApiError: as ``fetch_and_land_prices``.
    """
    if not llm_price_queries.is_due(context.home, context.clock(), context.settings.prices_every_days):
        return 0
    return len(fetch_and_land_prices(context, progress=progress).questions)


def sync_tools(context: Context, progress: Progress = no_progress) -> tuple[str, ...]:
    """What a sync copies of the tools, before it flattens.

    Returns:
        Why they could not be had and what to do, if they could not; nothing of it touches the conversations.
    """
    try:
        fetch_and_land_tools(context, progress)
    except ApiError as error:
        return (f"The tools could not be had: {error}",)
    return ()


def sync_prices(context: Context, progress: Progress = no_progress) -> tuple[str, ...]:
    """What a sync copies of the prices, when they are due, after it has flattened: prompts are measured in the lake.

    Returns:
        As ``sync_tools``.
    """
    try:
        copy_due_prices(context, progress)
    except ApiError as error:
        return (f"The prices of language models could not be had: {error}",)
    return ()
