"""Agents: the arguments of the commands that are about some of them, and how tables call an agent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
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
