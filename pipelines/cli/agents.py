"""Agents by name: what ``--agent`` and ``AGENT`` accept, and how tables call an agent."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from warehouse.storage.home import Home

_AGENT_ID = re.compile(r"agent_.+|[A-Za-z0-9]{20}")
"""The form of an id; those of older agents have no prefix."""


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
    """The id of the agent with this name (in any case) or id; None for None.

    Args:
        home: Where the agents were seen.
        text: What the user gave.
        allow_unseen: Whether an id that the home has not seen is given back as it is, for commands that ask the API.

    Raises:
        UsageError: no agent has this name or id, or several have this name; the hint lists the known ones.
    """
    return None if text is None else resolve_agents(home, [text], allow_unseen=allow_unseen)[0]


def resolve_agents(home: Home, texts: Iterable[str], *, allow_unseen: bool = False) -> tuple[str, ...]:
    """The ids of several agents; see ``resolve_agent``.

    Raises:
        UsageError: see ``resolve_agent``.
    """
    from pipelines.usecases.agents import agent_names

    names = agent_names(home)
    return tuple(_resolve(names, text.strip(), allow_unseen=allow_unseen or not names) for text in texts)


def _resolve(names: Mapping[str, str | None], text: str, *, allow_unseen: bool) -> str:
    from pipelines.errors import UsageError
    from pipelines.usecases.agents import unknown_agent

    if text in names:
        return text
    ids = [agent_id for agent_id, name in names.items() if name is not None and name.casefold() == text.casefold()]
    if len(ids) == 1:
        return ids[0]
    if ids:
        raise UsageError(f"Several agents are called {text!r}.", f"Give the id of one: {', '.join(ids)}.")
    if allow_unseen and _AGENT_ID.fullmatch(text):
        return text
    raise unknown_agent(names, text)
