"""Find the workspace of a conversation, where a home folder has several."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.errors import UsageError
from pipelines.usecases.context import Context
from warehouse.storage.erasure import find_start_dates


def group_by_workspace(context: Context, ids: Iterable[str]) -> list[tuple[Context, list[str]]]:
    """The workspaces that have any of the conversations landed, each with its conversations.

    A single workspace gets all ids, whether they are landed or not.

    Raises:
        UsageError: there are several workspaces, and none of them has a conversation.
    """
    remaining = list(dict.fromkeys(ids))
    workspaces = context.workspaces()
    if len(workspaces) == 1:
        return [(workspaces[0], remaining)]
    groups = []
    for workspace in workspaces:
        landed = set(find_start_dates(workspace.home, remaining)["conversation_id"])
        groups.append((workspace, [conversation_id for conversation_id in remaining if conversation_id in landed]))
        remaining = [conversation_id for conversation_id in remaining if conversation_id not in landed]
    if remaining:
        raise UsageError(
            f"{remaining[0]!r} is in none of the {len(workspaces)} workspaces.", "Sync the workspace first."
        )
    return [(workspace, workspace_ids) for workspace, workspace_ids in groups if workspace_ids]
