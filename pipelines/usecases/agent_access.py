"""The use case of the probe: can a conversation be begun with each agent, and how long does it take to get leave to?

A signed URL and a token are asked for. Both are secrets that cost nothing while unused; only whether they came is kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import has_signed_url, has_token
from pipelines.api.error_mapping import is_invalid_key
from pipelines.api.tasks import run_concurrently
from pipelines.errors import ApiError
from pipelines.usecases.context import Context, Progress, no_progress
from warehouse.schema.activity import AGENT_ACCESS
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import activity_log, lake, landing
from warehouse.storage.home import Home

WAYS: Mapping[str, Callable[[ApiClient, str], Awaitable[bool]]] = {"signed_url": has_signed_url, "token": has_token}
WORKERS = 4


@dataclass(frozen=True, slots=True)
class AccessCheck:
    """How one way to an agent was found; ``status`` and ``reason`` say why not, null when reachable."""

    agent_id: str
    way: str
    is_reachable: bool
    latency_secs: float
    status: int | None
    reason: str | None


def known_agents(home: Home) -> list[str]:
    """Every agent that the list or a conversation ever named, sorted."""
    listed = landing.latest_list_rows(home)["agent_id"]
    return sorted({*listed, *lake.read(home, CONVERSATIONS, ["agent_id"])["agent_id"]} - {None})


def check_agents(context: Context, agents: Sequence[str], progress: Progress = no_progress) -> tuple[AccessCheck, ...]:
    """Ask for a signed URL and a token of each agent, and note what came of it.

    Raises:
        CredentialsError: the key itself is refused.
        HomeError: see ``Context.write_lock``.
        LockedError: see ``Context.write_lock``.
    """
    with context.write_lock("access"):
        at = context.clock()
        found = asyncio.run(_request_access(context, list(dict.fromkeys(agents)), progress))
        notes = [
            {
                "agent_id": each.agent_id,
                "way": each.way,
                "asked_at": at,
                "is_reachable": each.is_reachable,
                "latency_secs": each.latency_secs,
                "status": each.status,
                "reason": each.reason,
            }
            for each in found
        ]
        activity_log.append(context.home, AGENT_ACCESS, notes, at)
        activity_log.refresh_lake(context.home)
    return found


async def _request_access(context: Context, agents: Sequence[str], progress: Progress) -> tuple[AccessCheck, ...]:
    client = context.connect(context.settings)
    found: list[AccessCheck] = []
    waiting = iter(agents)
    progress("probe", 0, len(agents))

    async def work(share: Iterator[str]) -> None:
        for agent_id in share:
            found.extend([await _probe(context, client, agent_id, way) for way in WAYS])
            progress("probe", len(found) // len(WAYS), len(agents))

    async with client:
        await run_concurrently(work(waiting) for _ in range(WORKERS))
    return tuple(sorted(found, key=lambda each: (each.agent_id, each.way)))


async def _probe(context: Context, client: ApiClient, agent_id: str, way: str) -> AccessCheck:
    """One question; a missing scope or quota is an outcome, as is an agent that is gone.

    Raises:
        CredentialsError: the key itself is refused.
    """
    began = context.monotonic()
    status, reason = None, None
    try:
        if not await WAYS[way](client, agent_id):
            reason = f"the answer holds no {way}"
    except ApiError as error:
        if is_invalid_key(error):
            raise
        status, reason = error.status, str(error)
    return AccessCheck(agent_id, way, reason is None, context.monotonic() - began, status, reason)
