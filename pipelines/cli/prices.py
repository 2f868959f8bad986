"""``convohouse prices``: what a minute would cost with each language model, beside what is used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import Options, emit, finish, pass_options, shared, teach
from pipelines.cli.progress import showing

if TYPE_CHECKING:
    from pipelines.extract.llm_price_queries import PriceQuery
    from pipelines.usecases.context import Context
    from pipelines.usecases.reference_data import PricesResult


@click.command(
    epilog=teach(
        {
            "convohouse prices": "of all agents with calls in the last 30 days",
            "convohouse prices agent_01 --prompt-length 4000": "of one, with a prompt of 4,000 characters",
            "convohouse prices agent_01 --pages 20 --rag": "with 20 pages of knowledge, retrieved in chunks",
            'convohouse query "from metrics.llm_switch"': "what another model would have saved",
        },
        {
            0: "asked, and kept in lake.llm_prices",
            1: "an agent that was asked for by name has no prices",
            2: "there is no agent to ask for, or an option is wrong",
            3: "the API or its key",
        },
    )
)
@click.argument("agents", nargs=-1, metavar="[AGENT…]")
@click.option(
    "--prompt-length",
    type=click.IntRange(0),
    metavar="N",
    help="Characters of the prompt [default: the setting, else measured: 4 a token that a generation reads].",
)
@click.option("--pages", type=click.IntRange(0), metavar="N", help="Pages of knowledge [default: the setting].")
@click.option("--rag/--no-rag", "is_rag", default=None, help="Retrieved in chunks or not [default: as the calls did].")
@shared
@pass_options
def prices(
    options: Options, agents: tuple[str, ...], prompt_length: int | None, pages: int | None, is_rag: bool | None
) -> None:
    """Ask now what a minute would cost with each language model.

    Cheapest first, agent by agent. The prices are the vendor's estimates, in US dollars. Beside them stands what the
    agent's calls of the last 30 days paid for a minute with the models that they used. metrics.llm_switch has the new
    prices after the next build.
    """
    from pipelines.errors import UsageError
    from pipelines.usecases.reference_data import fetch_and_land_prices

    context = options.context()
    with context.write_lock("prices"), showing(options) as show:
        told = [
            (
                each,
                fetch_and_land_prices(
                    each,
                    own,
                    prompt_length=prompt_length,
                    number_of_pages=pages,
                    is_rag_enabled=is_rag,
                    progress=show,
                ),
            )
            for each, own in _whose(context.workspaces(), agents)
        ]
    if not told:
        raise UsageError("There is no agent to ask for.", "Name one, or run `convohouse sync` first.")
    found = [agent for each, copied in told for agent in _of_agents(each, copied)]
    without = {agent: why for _, copied in told for agent, why in copied.unpriced_agents.items()}
    if options.is_json:
        emit({"agents": found, "without": without})
    else:
        if found:
            click.echo("\n\n".join(map(_text, found)))
        for agent, why in without.items():
            options.say(f"{agent} has no prices: {why}")
    finish(1 if without.keys() & set(agents) else 0)


def _whose(contexts: Sequence[Context], agents: Sequence[str]) -> list[tuple[Context, Sequence[str]]]:
    """The workspaces to ask, each with its agents; where there is but one, it may be asked for any agent.

    Raises:
        UsageError: it is not known of an agent which of several workspaces it belongs to.
    """
    from pipelines.errors import UsageError
    from pipelines.extract.llm_price_queries import recent_agents

    if agents and len(contexts) == 1:
        return [(contexts[0], agents)]
    known = [(each, recent_agents(each.home)) for each in contexts]
    strangers = set(agents).difference(*(own for _, own in known))
    if strangers:
        raise UsageError(
            f"No workspace had a call of {', '.join(sorted(strangers))} in the last 30 days.",
            "Name agents of `convohouse query 'from marts.dim_agents'`.",
        )
    asked = ((each, [agent for agent in own if not agents or agent in agents]) for each, own in known)
    return [(each, own) for each, own in asked if own]


def _of_agents(context: Context, copied: PricesResult) -> Iterator[dict[str, Any]]:
    """What was asked for each agent and what came, cheapest model first."""
    from pipelines.extract.llm_price_queries import paid_llm_cost
    from warehouse.schema.reference_data import LLM_PRICES
    from warehouse.storage import lake

    every = lake.read(context.home, LLM_PRICES).filter(asked_at=copied.asked_at)
    every = every.join(paid_llm_cost(context.home), ["agent_id", "llm"], "left").sort(
        "price_per_minute_usd", "llm", nulls_last=True
    )
    shown = ("llm", "price_per_minute_usd", "price_per_message_usd", "paid_usd", "paid_usd_per_minute")
    for question in copied.queries:
        if question.agent_id not in copied.unpriced_agents:
            own = every.filter(agent_id=question.agent_id).select(shown)
            yield _asked(question) | {"workspace": context.settings.workspace, "prices": own.to_dicts()}


def _asked(question: PriceQuery) -> dict[str, Any]:
    return {
        "agent_id": question.agent_id,
        "prompt_length": question.prompt_length,
        "number_of_pages": question.number_of_pages,
        "is_rag_enabled": question.is_rag_enabled,
        "prompt_basis": question.basis,
    }


def _text(agent: dict[str, Any]) -> str:
    from pipelines.cli.text_table import table_text

    rows = [
        (row["llm"], _usd(row["price_per_minute_usd"]), _usd(row["paid_usd_per_minute"])) for row in agent["prices"]
    ]
    length = "as the API sees fit" if agent["prompt_length"] is None else f"{agent['prompt_length']:,} characters"
    names = ("model", "US$ a minute, estimated", "US$ a minute, paid")
    return f"{agent['agent_id']} (prompt: {length}, {agent['prompt_basis']})\n" + table_text(
        names, rows, right=names[1:]
    )


def _usd(amount: float | None) -> str:
    return "" if amount is None else f"{amount:.6f}"
