"""The agents that a home folder has seen, by name or id, and the error about any other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pipelines.errors import UsageError
from warehouse.schema.operations import AGENTS
from warehouse.storage import lake, landing
from warehouse.storage.home import Home
from warehouse.suggestions import did_you_mean, suggest

MAX_LISTED = 20
"""Agents that an error lists."""

_AGENT_ID = re.compile(r"agent_.+|[A-Za-z0-9]{20}")
"""The form of an id; those of older agents have no prefix."""


def agent_names(home: Home) -> dict[str, str | None]:
    """Name by id of every agent that the home has seen, in any workspace; None where the API never gave one."""
    rows = lake.read(home.all_workspaces, AGENTS, ["agent_id", "agent_name"]).rows()
    return dict(sorted(rows, key=lambda row: (row[1] is None, row[1] or "", row[0])))


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
    names = agent_names(home)
    return tuple(_resolve(names, text.strip(), allow_unseen=allow_unseen or not names) for text in texts)


def _resolve(names: Mapping[str, str | None], text: str, *, allow_unseen: bool) -> str:
    if text in names:
        return text
    plain_text = _comparable(text)
    ids = [agent_id for agent_id, name in names.items() if plain_text and _comparable(name or "") == plain_text]
    if len(ids) == 1:
        return ids[0]
    if ids:
        raise UsageError(f"Several agents are called {text!r}.", f"Give the id of one: {', '.join(ids)}.")
    if allow_unseen and _AGENT_ID.fullmatch(text):
        return text
    raise unknown_agent(names, text)


def _comparable(name: str) -> str:
    """A name without case, and without blanks that tables do not show."""
    return " ".join(name.casefold().split())


def require_agent(home: Home, agent_id: str | None) -> None:
    """After a listing of one agent: check that a listing, now or earlier, or a conversation has shown this agent.

    An agent that does not exist has an empty list, which says nothing else about it.

    Raises:
        UsageError: none has; the hint lists the known agents.
    """
    if agent_id is None:
        return
    names = agent_names(home)
    listed_ids = landing.latest_list_rows(home.all_workspaces, ("agent_id",))["agent_id"]
    if agent_id not in names and agent_id not in listed_ids:
        raise unknown_agent(names, agent_id)


def unknown_agent(names: Mapping[str, str | None], text: str) -> UsageError:
    """The error that no agent has this name or id; ``names`` are the known agents by id."""
    if not names:
        return UsageError(
            f"There is no agent {text!r}: this home folder has no agents yet.",
            "Give an id, or run `convohouse sync` first.",
        )
    labels = [name or agent_id for agent_id, name in names.items()]
    similar = [label for label in labels if text and text.casefold() in label.casefold()]
    meant = did_you_mean(similar[:3] or suggest(text, [*labels, *names]))
    return UsageError(f"There is no agent {text!r}.", f"{meant}Known agents: {_list(labels)}.")


def _list(labels: Sequence[str]) -> str:
    others = f" and {len(labels) - MAX_LISTED} more (`convohouse query 'from marts.dim_agents'`)"
    return f"{', '.join(labels[:MAX_LISTED])}{others if len(labels) > MAX_LISTED else ''}"
