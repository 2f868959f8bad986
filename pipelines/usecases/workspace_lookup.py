"""Which workspace a conversation belongs to, where a home holds the calls of several."""

from __future__ import annotations

from collections.abc import Iterable

from pipelines.errors import UsageError
from pipelines.usecases.context import Context
from warehouse.storage.erasure import find_start_dates


def group_by_workspace(context: Context, ids: Iterable[str]) -> list[tuple[Context, list[str]]]:
    """The conversations of each workspace that has any, by what is landed; where there is but one, all are its own.

    Raises:
        UsageError: there are several, and none of them knows a conversation.
    """
    wanted = list(dict.fromkeys(ids))
    contexts = context.workspaces()
    if len(contexts) == 1:
        return [(contexts[0], wanted)]
    found = []
    for each in contexts:
        known = set(find_start_dates(each.home, wanted)["conversation_id"])
        found.append((each, [conversation_id for conversation_id in wanted if conversation_id in known]))
        wanted = [conversation_id for conversation_id in wanted if conversation_id not in known]
    if wanted:
        raise UsageError(f"{wanted[0]!r} is in none of the {len(contexts)} workspaces.", "Sync the workspace first.")
    return [(each, own) for each, own in found if own]
