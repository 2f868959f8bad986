"""Whether host and key lead to the workspace that the home folder has, before the first of its rows lands.

A workspace remembers its host and the agents it has seen, and nothing of the key. A listing with a conversation that is
landed is of the same workspace; so is one of the same host with a known agent, if it shows none because none was to be
expected. Any other listing proves nothing: some landed conversations are looked up, and one answer is enough.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import polars as pl

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import get_conversation
from pipelines.errors import ForeignWorkspaceError, MalformedResponseError, NotFoundError
from pipelines.extract.time_window import Window
from warehouse.storage import landing, parquet
from warehouse.storage.home import Home

N_PROBES = 10
"""Landed conversations that are looked up where a listing shows nothing known, spread over their time."""
RECENT = timedelta(days=2)
"""The API has a conversation for longer than this, unless it was deleted by hand."""
REMOVED = ("gone", landing.ERASED)
"""Kinds of a snapshot of a conversation that the API is not expected to have."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The host of a workspace (null before its first listing) and the agents that were ever seen in it."""

    host: str | None
    agents: frozenset[str]


def host_of(base_url: str) -> str:
    """Host and port of a base URL, without user and password."""
    return urlsplit(base_url).netloc.rpartition("@")[2]


def read_identity(home: Home) -> Identity:
    """What is remembered of the workspace; nothing if the file is missing or unreadable."""
    try:
        identity = json.loads(home.identity.read_text(encoding="utf-8"))
        return Identity(str(identity["host"]), frozenset(map(str, identity["agents"])))
    except (OSError, ValueError, KeyError, TypeError):
        return Identity(None, frozenset())


def remember(home: Home, base_url: str, list_rows: pl.DataFrame) -> None:
    """Remember the host and the agents of a listing; the file is written only where they are new."""
    known_identity = read_identity(home)
    identity = Identity(host_of(base_url), known_identity.agents | set(list_rows["agent_id"].drop_nulls()))
    if identity == known_identity:
        return
    data = {"host": identity.host, "agents": sorted(identity.agents)}
    with parquet.replacing(home, home.identity) as temporary:
        temporary.write_text(json.dumps(data), encoding="utf-8")


async def check_identity(
    connect: Callable[[], ApiClient], home: Home, base_url: str, window: Window, list_rows: pl.DataFrame
) -> None:
    """Compare a listing that is not landed yet with what the workspace has; opens a client only if in doubt.

    Args:
        connect: Creates a client of the API; its requests are not counted in the run record.
        home: The workspace.
        base_url: That of the API.
        window: The window that was listed.
        list_rows: The rows of the listing, none of which an earlier one had.

    Raises:
        ApiError: the API is down, or refuses the key.
        ForeignWorkspaceError: nothing known was found.
    """
    identity = read_identity(home)
    is_same_host = identity.host in (None, host_of(base_url))
    landed_list_rows = landing.latest_list_rows(home, ("start_time_at", "agent_id"))
    latest = landing.latest_snapshots(home).select("conversation_id", "start_time_at", "agent_id", "kind")
    landed_rows = pl.concat([latest.drop("kind"), landed_list_rows]).unique("conversation_id", keep="first")
    if not set(landed_rows["conversation_id"]).isdisjoint(list_rows["conversation_id"]):
        return
    agents = identity.agents.union(landed_rows["agent_id"].drop_nulls())
    is_agent_known = not agents.isdisjoint(list_rows["agent_id"])
    is_removed = pl.col("kind").is_in(REMOVED)
    candidates = landed_rows.join(latest.filter(is_removed), "conversation_id", "anti").sort("start_time_at")
    is_one_expected = any(window.contains(*row) for row in candidates.select("start_time_at", "agent_id").rows())
    if is_agent_known and is_same_host and (not is_one_expected or candidates.height < N_PROBES):
        return
    if candidates.is_empty():
        return  # the first listing, or all conversations were removed before: there is nothing to compare
    await _look_up(connect, home, base_url, candidates)


async def check_landed(
    connect: Callable[[], ApiClient], home: Home, base_url: str, now: datetime, *, is_anything_known: bool
) -> None:
    """Look up landed conversations, for a run that lists none: one answer is enough, usually that of the newest.

    On the same host only recent ones are looked up, as the API may have deleted the others since, and none if the run
    was answered with anything that is known.

    Raises:
        ApiError: the API is down, or refuses the key.
        ForeignWorkspaceError: nothing known was found.
    """
    latest = landing.latest_snapshots(home).select("conversation_id", "start_time_at", "kind")
    candidates = latest.filter(~pl.col("kind").is_in(REMOVED)).sort("start_time_at")
    if read_identity(home).host in (None, host_of(base_url)):
        candidates = candidates.filter(pl.col("start_time_at") > now - RECENT, not is_anything_known)
    if not candidates.is_empty():
        await _look_up(connect, home, base_url, candidates)


async def _look_up(connect: Callable[[], ApiClient], home: Home, base_url: str, candidates: pl.DataFrame) -> None:
    """Raise an error unless the API has one of some conversations, of which the newest is looked up first."""
    ids = candidates.gather_every(max(1, -(-candidates.height // N_PROBES)))["conversation_id"].to_list()
    async with connect() as client:
        for conversation_id in dict.fromkeys((candidates["conversation_id"][-1], *reversed(ids))):
            if await _is_there(client, conversation_id):
                return
    former_host = read_identity(home).host
    host = host_of(base_url)
    origin = "" if former_host in (None, host) else f", which was copied from {former_host}"
    raise ForeignWorkspaceError(
        f"Workspace {home.workspace}{origin}: the API at {host} shows none of its conversations, and has none of "
        "those that were looked up. Nothing was landed.",
        "The key or the host is probably that of another workspace: correct it, or choose another folder with --home. "
        "If it is this workspace, run `convohouse sync --allow-removals` once.",
    )


async def _is_there(client: ApiClient, conversation_id: str) -> bool:
    try:
        await get_conversation(client, conversation_id)
    except NotFoundError:
        return False
    except MalformedResponseError:
        return True
    return True
