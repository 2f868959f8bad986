"""Agents by name: what ``--agent`` and ``AGENT`` accept, and how tables call an agent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from warehouse.storage.home import Home

F = TypeVar("F", bound=Callable[..., Any])


def agents_arguments(command: F) -> F:
    """Add the agents that a command is about, as ``AGENT…`` and, as the other commands have it, as ``--agent``."""
    option = click.option(
        "--agent", "option_agents", multiple=True, metavar="AGENT", help="The same as AGENT; may be repeated."
    )
    return click.argument("agents", nargs=-1, metavar="[AGENT…]")(option(command))


def agent_labels(home: Home) -> dict[str, str]:
    """What tables call an agent, by id: its name, with the id after it where several have the same; else the id."""
    from pipelines.usecases.agents import agent_names

    names = agent_names(home)
    counts = Counter(names.values())
    return {
        agent_id: agent_id if name is None else name if counts[name] == 1 else f"{name} ({agent_id})"
        for agent_id, name in names.items()
    }


def resolve_agent(home: Home, text: str | None, *, allow_unseen: bool = False) -> str | None:
    """``pipelines.usecases.agents.resolve_agent``, imported only by a command that needs it."""
    from pipelines.usecases import agents

    return agents.resolve_agent(home, text, allow_unseen=allow_unseen)


def resolve_agents(home: Home, texts: Iterable[str], *, allow_unseen: bool = False) -> tuple[str, ...]:
    """``pipelines.usecases.agents.resolve_agents``, imported only by a command that needs it."""
    from pipelines.usecases import agents

    return agents.resolve_agents(home, texts, allow_unseen=allow_unseen)
