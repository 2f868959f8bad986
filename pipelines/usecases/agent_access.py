"""Agent access: check whether a conversation can be started with each agent, and how long the permission takes.

The check requests a signed URL and a token. Both are secrets that cost nothing while unused; only whether they came is
kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial

import polars as pl

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import has_signed_url, has_token
from pipelines.api.error_mapping import is_invalid_key
from pipelines.api.tasks import run_workers
from pipelines.errors import ApiError
from pipelines.usecases.context import Context, Progress, no_progress, run_with_client
from warehouse.schema.activity import AGENT_ACCESS
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import activity_log, lake, landing
from warehouse.storage.home import Home
from warehouse.storage.landing_sequence import order

WAYS: Mapping[str, Callable[[ApiClient, str], Awaitable[bool]]] = {"signed_url": has_signed_url, "token": has_token}
"""The request for each value of ``way`` in ``lake.agent_access``."""
WORKERS = 4
RECENT = timedelta(days=7)
"""The last part of the data: an agent without conversations in it may no longer be in use."""


@dataclass(frozen=True, slots=True)
class AccessCheck:
    """The result of one way to an agent; ``status`` and ``reason`` say why it failed, and are None when reachable."""

    agent_id: str
    way: str
    is_reachable: bool
    latency_secs: float
    status: int | None
    reason: str | None


def known_agents(home: Home) -> list[str]:
    """Every agent of a list row or a conversation, sorted."""
    listed_ids = landing.latest_list_rows(home, ("agent_id",))["agent_id"]
    return sorted({*listed_ids, *lake.read(home, CONVERSATIONS, ["agent_id"])["agent_id"]} - {None})


def unreachable_agents(home: Home) -> list[str]:
    """Sorted ids of agents with conversations in the last week of data that no way reached in their latest check."""
    conversations = lake.read(home, CONVERSATIONS, ["agent_id", "start_time_at"])
    recent_conversations = conversations.filter(pl.col("start_time_at") >= pl.col("start_time_at").max() - RECENT)
    latest = (
        activity_log.latest_entries(home, AGENT_ACCESS)
        .with_columns(check=order("sequence", "asked_at"))
        .filter(pl.col("check") == pl.col("check").max().over("agent_id"))
        .group_by("agent_id")
        .agg(pl.col("is_reachable").any())
    )
    unreachable = latest.filter(~pl.col("is_reachable")).join(recent_conversations, "agent_id", "semi")
    return unreachable["agent_id"].sort().to_list()


def check_agents(context: Context, agents: Sequence[str], progress: Progress = no_progress) -> tuple[AccessCheck, ...]:
    """Check all ways to each agent and log the results; sorted by agent and way.

    Raises:
        CredentialsError: the key itself is rejected; nothing is logged.
        HomeError: see ``Context.write_lock``.
        LockedError: see ``Context.write_lock``.
    """
    with context.api_lock("access"):
        asked_at = context.clock()
        unique_agents = list(dict.fromkeys(agents))
        checker = _Checker(context, len(unique_agents), progress)
        run_with_client(context, partial(checker.check_all, unique_agents))
        checks = sorted(checker.checks, key=lambda check: (check.agent_id, check.way))
        entries = [asdict(check) | {"asked_at": asked_at} for check in checks]
        activity_log.append(context.home, AGENT_ACCESS, entries)
        activity_log.refresh_lake(context.home)
    return tuple(checks)


@dataclass(slots=True)
class _Checker:
    """Checks agents, and collects the results."""

    context: Context
    n_agents: int
    progress: Progress
    checks: list[AccessCheck] = field(default_factory=list)

    async def check_all(self, agents: Sequence[str], client: ApiClient) -> None:
        self.progress("access", 0, self.n_agents)
        await run_workers(agents, WORKERS, partial(self._check_agent, client))

    async def _check_agent(self, client: ApiClient, agent_id: str) -> None:
        # Added together, so that an agent whose second check is pending does not count as done.
        self.checks.extend([await self._check(client, agent_id, way) for way in WAYS])
        self.progress("access", len(self.checks) // len(WAYS), self.n_agents)

    async def _check(self, client: ApiClient, agent_id: str, way: str) -> AccessCheck:
        """Request one way; a missing scope or quota is a result, as is an agent that does not exist.

        Raises:
            CredentialsError: the key itself is rejected.
        """
        started = self.context.monotonic()
        status, reason = None, None
        try:
            if not await WAYS[way](client, agent_id):
                reason = f"the answer holds no {way}"
        except ApiError as error:
            if is_invalid_key(error):
                raise
            status, reason = error.status, str(error)
        return AccessCheck(agent_id, way, reason is None, self.context.monotonic() - started, status, reason)
