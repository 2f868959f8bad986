"""``convohouse prices``: what a minute would cost with each language model, beside what is paid now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.agents import agent_labels, agents_arguments, resolve_agents
from pipelines.cli.options import Options, exit_with, help_epilog, pass_options, shared_options
from pipelines.cli.progress import show_progress
from pipelines.cli.render import emit, table

if TYPE_CHECKING:
    import polars as pl

    from pipelines.extract.llm_price_queries import PriceQuery
    from pipelines.usecases.context import Context
    from pipelines.usecases.reference_data import PricesResult

COLUMNS = {
    "llm": "model",
    "price_per_minute_usd": "a minute, estimated",
    "paid_usd_per_minute": "a minute, paid",
}
UNITS = {"price_per_minute_usd": "US dollars", "paid_usd_per_minute": "US dollars"}


@click.command(
    epilog=help_epilog(
        {
            "convohouse prices": "all agents with conversations in the last 30 days",
            "convohouse prices agent_01 --prompt-length 4000": "one, with a prompt of 4,000 characters",
            "convohouse prices NAME --pages 20 --rag": "20 pages of knowledge, retrieved in chunks",
            'convohouse query "from metrics.llm_switch"': "what another model would have saved",
        },
        {
            0: "answered, and stored in lake.llm_prices",
            1: "an agent that was named has no prices, or not all",
            2: "there is no agent to ask for, or an option is wrong",
            3: "the API or its key",
        },
    )
)
@agents_arguments
@click.option(
    "--prompt-length",
    type=click.IntRange(0),
    metavar="N",
    help="Characters of the prompt [default: the setting, else measured: 4 for each token that a generation reads].",
)
@click.option("--pages", type=click.IntRange(0), metavar="N", help="Pages of knowledge [default: the setting].")
@click.option(
    "--rag/--no-rag", "is_rag", default=None, help="Retrieved in chunks or not [default: as in the conversations]."
)
@shared_options
@pass_options
def prices(
    options: Options,
    *,
    agents: tuple[str, ...],
    option_agents: tuple[str, ...],
    prompt_length: int | None,
    pages: int | None,
    is_rag: bool | None,
) -> None:
    """Request the price of a minute with each language model.

    AGENT is the name or the id of an agent. Lists the models for each agent, the cheapest first. The prices are the
    vendor's estimates, in US dollars. Next to them is what a minute cost in the agent's conversations of the last 30
    complete days with the models that they used, as in metrics.llm_switch, which has the new prices after the next
    build.
    """
    from pipelines.errors import UsageError
    from pipelines.transform.schema_drift import refresh_unknown
    from pipelines.usecases.reference_data import PricesCopy
    from warehouse.serve.paid_prices import read_paid_prices

    names = (*agents, *option_agents)
    context = options.context() if names else options.context_with_data()
    agent_ids = resolve_agents(context.home, names, allow_unseen=True)
    with context.api_lock("prices"), show_progress(options) as show:
        results = [
            (
                workspace,
                PricesCopy(
                    workspace,
                    ids,
                    prompt_length=prompt_length,
                    number_of_pages=pages,
                    is_rag_enabled=is_rag,
                    progress=show,
                ).fetch_and_land(),
            )
            for workspace, ids in _agents_by_workspace(context.workspaces(), agent_ids)
        ]
        for workspace, _ in results:
            refresh_unknown(workspace.home)
    if not results:
        raise UsageError("There is no agent to ask for.", "Name one, or run `convohouse sync` first.")
    paid_prices = read_paid_prices(context.home)
    priced_agents = [agent for workspace, result in results for agent in _priced_agents(workspace, result, paid_prices)]
    unpriced_agents = {agent: reason for _, result in results for agent, reason in result.unpriced_agents.items()}
    if options.is_json:
        emit({"agents": priced_agents, "without": unpriced_agents})
    else:
        labels = agent_labels(context.home)
        if priced_agents:
            click.echo("\n\n".join(_text(agent, labels) for agent in priced_agents))
        for agent, reason in unpriced_agents.items():
            options.say(f"{labels.get(agent, agent)} lacks prices: {reason}")
    exit_with(1 if unpriced_agents.keys() & set(agent_ids) else 0)


def _agents_by_workspace(contexts: Sequence[Context], agent_ids: Sequence[str]) -> list[tuple[Context, Sequence[str]]]:
    """The workspaces to ask, each with its agents; if there is only one, it may be asked for any agent.

    Raises:
        UsageError: there are several workspaces, and none had a recent conversation of an agent.
    """
    from pipelines.errors import UsageError
    from pipelines.extract.llm_price_queries import recent_agents

    if agent_ids and len(contexts) == 1:
        return [(contexts[0], agent_ids)]
    agents_by_workspace = [(workspace, recent_agents(workspace.home)) for workspace in contexts]
    missing = set(agent_ids).difference(*(ids for _, ids in agents_by_workspace))
    if missing:
        raise UsageError(
            f"No workspace had a conversation of {', '.join(sorted(missing))} in the last 30 days.",
            "`convohouse query 'from marts.dim_agents'` lists the agents.",
        )
    groups = (
        (workspace, [agent for agent in ids if not agent_ids or agent in agent_ids])
        for workspace, ids in agents_by_workspace
    )
    return [(workspace, ids) for workspace, ids in groups if ids]


def _priced_agents(context: Context, result: PricesResult, paid_prices: pl.DataFrame) -> Iterator[dict[str, Any]]:
    """For each agent the query and its prices, the cheapest model first."""
    from warehouse.schema.reference_data import LLM_PRICES
    from warehouse.storage import lake

    rows = lake.read(context.home, LLM_PRICES).filter(asked_at=result.asked_at)
    rows = rows.join(paid_prices, ["workspace", "agent_id", "llm"], "left").sort(
        "price_per_minute_usd", "llm", nulls_last=True
    )
    columns = ("llm", "price_per_minute_usd", "price_per_message_usd", "paid_usd", "paid_usd_per_minute")
    for query in result.queries:
        estimates = rows.filter(agent_id=query.agent_id).select(columns)
        if not estimates.is_empty():
            yield _query_data(query) | {"workspace": context.settings.workspace, "prices": estimates.to_dicts()}


def _query_data(query: PriceQuery) -> dict[str, Any]:
    return {
        "agent_id": query.agent_id,
        "prompt_length": query.prompt_length,
        "number_of_pages": query.number_of_pages,
        "is_rag_enabled": query.is_rag_enabled,
        "prompt_basis": query.basis,
    }


def _text(agent: dict[str, Any], labels: dict[str, str]) -> str:
    from warehouse.serve.value_format import plural

    n_characters = agent["prompt_length"]
    length = "chosen by the API" if n_characters is None else plural(n_characters, "character")
    name = labels.get(agent["agent_id"], agent["agent_id"])
    layout = table(agent["prices"], COLUMNS, units=UNITS)
    return f"{name} (prompt: {length}, {agent['prompt_basis']})\n{layout.text}"
