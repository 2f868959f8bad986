"""Agents' configurations, batches of calls and tags: fetched once in a UTC day, landed, and flattened.

As with the other reference data, a key may lack the scope for them, which must not stop the copy of conversations: the
parts of a sync return an error as a warning. An error of one agent, branch, version, batch or tag is quarantined.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from itertools import count
from typing import Any

import polars as pl

from pipelines.api import account_endpoints as api
from pipelines.api.client import ApiClient
from pipelines.api.responses import is_usable_id
from pipelines.api.tasks import run_concurrently
from pipelines.transform import listed_items
from pipelines.transform.agent_configs import (
    BRANCHES,
    VERSIONS,
    check_agent_item,
    parent_version,
    refresh_agent_configs,
)
from pipelines.transform.agent_texts import summarize_texts
from pipelines.usecases.context import Context, Progress, no_progress
from pipelines.usecases.items_copy import Document, FetchedItems, ItemKind, ItemsCopy
from warehouse.schema.account_data import LANDED_AGENTS, LANDED_BATCHES, LANDED_TAGS
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import AGENT_UNAVAILABLE, BATCH_UNAVAILABLE, TAG_UNREADABLE
from warehouse.schema.transcript import TURNS
from warehouse.schema.types import Table
from warehouse.storage import lake, parquet
from warehouse.storage.home import Home

NO_SUCH_STATUSES = frozenset({400, 404, 409, 410, 422})
"""How the API may answer for a version that it no longer has, and for the branches of an agent without any."""
MAX_VERSIONS = 50
"""Versions of an agent that one run fetches; the next run continues with their parents."""
DROPPED_KEYS = frozenset(
    {
        "access_info",
        "workspace_id",
        "owner_user_id",
        "default_hold_audio_url",
        "calls_7d",
        "draft_exists",
        "draft_created_at",
        "draft_is_behind_tip",
        "commits_ahead",
        "commits_behind",
    }
)
"""Keys of an agent, branch or tag that say who created it, or change without it; the author of a version lands."""
BATCH_KEYS = (
    *("name", "agent_id", "branch_id", "status", "timezone", "created_at_unix", "scheduled_time_unix"),
    *("last_updated_at_unix", "total_calls_scheduled", "total_calls_dispatched", "total_calls_finished", "retry_count"),
)
"""What lands of a batch, with numbers of its recipients: their phone numbers and variables are not needed."""
FINISHED_BATCH = frozenset({"completed", "failed", "cancelled"})
UNKNOWN_STATUS = "unknown"
"""Status of a recipient that has none, or is not an object."""


class AgentsCopy(ItemsCopy):
    """Every agent of the workspace with its branches and the versions that are not landed."""

    kind = ItemKind(LANDED_AGENTS, AGENT_UNAVAILABLE, check_agent_item, refresh_agent_configs)

    def __init__(self, context: Context, progress: Progress = no_progress) -> None:
        super().__init__(context, progress)
        self._seen_versions = _versions_in_conversations(context.home)

    async def fetch(self, client: ApiClient) -> None:
        """List the agents, and fetch each with its branches and new versions; see ``ItemsCopy``."""
        agents, errors = await api.list_agents(client)
        self._listed_ids = agents
        items = self._items = FetchedItems(lambda: api.list_agents(client), errors)
        n_done = count(1)

        async def fetch_agent(agent_id: str) -> None:
            await _fetch_agent(client, agent_id, items, self._landed_documents, self._seen_versions.get(agent_id, ()))
            self._progress("agents", next(n_done), len(agents))

        self._progress("agents", 0, len(agents))
        await run_concurrently(map(fetch_agent, agents))

    def shorten(self, document: Any) -> Any:
        """Without texts, unless the settings want them."""
        return document if self._context.settings.agent_texts else summarize_texts(document)


async def _fetch_agent(
    client: ApiClient,
    agent_id: str,
    items: FetchedItems,
    landed_documents: Mapping[str, Document],
    seen_versions: Iterable[str],
) -> None:
    agent = await items.fetch(agent_id, api.get_agent(client, agent_id))
    if agent is None:
        return
    items.documents[agent_id] = _lasting(agent)
    if not (agent.get("branch_id") or agent.get("main_branch_id")):
        return  # an agent without versioning
    branches = await items.fetch(f"{agent_id}{BRANCHES[:-1]}", api.list_branches(client, agent_id), NO_SUCH_STATUSES)
    if branches is not None:
        items.errors |= {f"{agent_id}{BRANCHES}{name}": error for name, error in branches.errors.items()}
        items.incomplete |= {f"{agent_id}{BRANCHES}"} if branches.errors else set()
        items.documents |= {f"{agent_id}{BRANCHES}{name}": _lasting(row) for name, row in branches.entries.items()}
    of_landed = {
        parent_version(document) for item, document in landed_documents.items() if item.startswith(agent_id + VERSIONS)
    }
    queue = list(filter(is_usable_id, (agent.get("version_id"), *sorted(seen_versions), *of_landed)))
    tried_ids: set[str] = set()
    while queue and len(tried_ids) < MAX_VERSIONS:
        version_id = queue.pop(0)
        item_id = f"{agent_id}{VERSIONS}{version_id}"
        if item_id in landed_documents or version_id in tried_ids:
            continue
        tried_ids.add(version_id)
        version = await items.fetch(item_id, _get_version(client, agent_id, version_id), NO_SUCH_STATUSES)
        if version is not None:
            items.documents[item_id] = version
            queue += filter(is_usable_id, (parent_version(version),))


async def _get_version(client: ApiClient, agent_id: str, version_id: str) -> Document:
    metadata = await api.get_agent_version(client, agent_id, version_id)
    return {"metadata": metadata, "agent": _lasting(await api.get_agent(client, agent_id, version_id))}


def _lasting(document: Document) -> Document:
    return {key: value for key, value in document.items() if key not in DROPPED_KEYS}


def _versions_in_conversations(home: Home) -> dict[str, set[str]]:
    """By agent, the versions that conversations or their entries name."""
    versions: dict[str, set[str]] = {}
    for table, columns in (
        (CONVERSATIONS, ("agent_id", "version_id")),
        (TURNS, ("agent_metadata_agent_id", "agent_metadata_version_id")),
    ):
        files = home.files(home.table(table), lake.DAY_FOLDERS)
        for agent_id, version_id in parquet.read_distinct(
            table, files, columns, pl.all_horizontal(pl.col(columns).is_not_null())
        ).rows():
            versions.setdefault(agent_id, set()).add(version_id)
    return versions


def _listed_kind(table: Table, reason: str) -> ItemKind:
    check, refresh = partial(listed_items.check_item, table), partial(listed_items.refresh_items, landed_table=table)
    return ItemKind(table, reason, check, refresh)


class BatchesCopy(ItemsCopy):
    """The batches of calls."""

    kind = _listed_kind(LANDED_BATCHES, BATCH_UNAVAILABLE)

    async def fetch(self, client: ApiClient) -> None:
        """List the batches, and fetch those that are running or have changed; see ``ItemsCopy``."""
        batches, errors = await api.list_batches(client)
        self._listed_ids = batches
        items = self._items = FetchedItems(lambda: api.list_batches(client), errors)
        n_done = count(1)

        async def fetch_batch(batch_id: str) -> None:
            if _is_unchanged(batches[batch_id], self._landed_documents.get(batch_id)):
                items.documents[batch_id] = None
            elif (batch := await items.fetch(batch_id, api.get_batch(client, batch_id))) is not None:
                items.documents[batch_id] = _without_people(batch)
            self._progress("batches", next(n_done), len(batches))

        self._progress("batches", 0, len(batches))
        await run_concurrently(map(fetch_batch, batches))


def _is_unchanged(batch: Document, landed_batch: Document | None) -> bool:
    """Whether a finished batch is as it landed; the recipients of a running one change without it."""
    if landed_batch is None or batch.get("status") not in FINISHED_BATCH:
        return False
    return all(batch.get(key) == landed_batch.get(key) for key in BATCH_KEYS if key != "name")  # a name can be masked


def _without_people(batch: Document) -> Document:
    recipients = [recipient for recipient in batch["recipients"] if isinstance(recipient, dict)]
    statuses = [status for recipient in recipients if isinstance(status := recipient.get("status"), str)]
    n_recipients = len(batch["recipients"])
    statuses += [UNKNOWN_STATUS] * (n_recipients - len(statuses))
    return {
        **{key: batch[key] for key in BATCH_KEYS if key in batch},
        "n_recipients": n_recipients,
        "n_never_called": sum(not recipient.get("conversation_id") for recipient in recipients),
        "recipients_by_status": {status: statuses.count(status) for status in sorted(set(statuses))},
    }


class TagsCopy(ItemsCopy):
    """The tags of conversations, whose titles only their list has."""

    kind = _listed_kind(LANDED_TAGS, TAG_UNREADABLE)

    async def fetch(self, client: ApiClient) -> None:
        """List the tags."""
        tags, errors = await api.list_tags(client)
        self._listed_ids = tags
        self._items = FetchedItems(lambda: api.list_tags(client), errors)
        self._items.documents |= {tag_id: _lasting(tag) for tag_id, tag in tags.items()}
        self._progress("tags", len(tags), len(tags))
