"""Find the workspace of a conversation, where a home folder has several, and make sure that a key leads to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from pipelines.errors import UsageError
from pipelines.extract.workspace_identity import check_landed
from pipelines.usecases.context import Context
from warehouse.storage.erasure import find_start_dates


def group_by_workspace(context: Context, ids: Iterable[str]) -> list[tuple[Context, list[str]]]:
    """The workspaces that have any of the conversations landed, each with its conversations.

    A single workspace gets all ids, whether they are landed or not.

    Raises:
        UsageError: there are several workspaces, and none of them has a conversation.
    """
    other_ids = list(dict.fromkeys(ids))
    workspaces = context.workspaces()
    if len(workspaces) == 1:
        return [(workspaces[0], other_ids)]
    groups = []
    for workspace in workspaces:
        landed_ids = set(find_start_dates(workspace.home, other_ids)["conversation_id"])
        groups.append((workspace, [conversation_id for conversation_id in other_ids if conversation_id in landed_ids]))
        other_ids = [conversation_id for conversation_id in other_ids if conversation_id not in landed_ids]
    if other_ids:
        raise UsageError(
            f"{other_ids[0]!r} is in none of the {len(workspaces)} workspaces.", "Sync the workspace first."
        )
    return [(workspace, workspace_ids) for workspace, workspace_ids in groups if workspace_ids]


def require_same_workspace(context: Context, *, is_anything_known: bool = False) -> None:
    """For a run that lists no conversations: check that host and key lead to the workspace of the home folder.

    ``is_anything_known`` says that the API has answered with something that was copied from it before.

    Raises:
        ApiError: the API is down, or refuses the key.
        ForeignWorkspaceError: the API has none of the conversations that were looked up.
    """
    asyncio.run(
        check_landed(
            context.client,
            context.home,
            context.settings.base_url,
            context.clock(),
            is_anything_known=is_anything_known,
        )
    )
