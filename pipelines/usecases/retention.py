"""Retention: erase conversations older than a rule allows on this machine, at the API, or both.

A rule that selects more than a set share of all conversations is probably a mistake: nothing is erased then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from pipelines.errors import RetentionError
from pipelines.transform.settle_state import FINISHED
from pipelines.usecases.context import Context
from pipelines.usecases.erasure import delete_upstream, require_keys
from warehouse.schema.activity import WEBHOOK_EVENTS
from warehouse.serve.value_format import format_number, plural
from warehouse.storage import activity_log, landing
from warehouse.storage.home import Home

Where = Literal["here", "upstream", "both"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Selects conversations that started before ``before``; None means any agent, or any status."""

    before: datetime
    agent_id: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """The ids that a rule selects, by workspace and oldest first, out of ``n_all`` conversations."""

    ids: Mapping[str, tuple[str, ...]]
    n_all: int

    @property
    def all_ids(self) -> tuple[str, ...]:
        """The ids of all workspaces."""
        return tuple(conversation_id for ids in self.ids.values() for conversation_id in ids)

    @property
    def share(self) -> float:
        """The selected share of all conversations, from 0 to 1."""
        return len(self.all_ids) / self.n_all if self.n_all else 0.0


def select_expired(context: Context, rule: Rule, *, max_share: float, where: Where = "here") -> Selection:
    """Select the conversations of a rule, out of all that are stored here; those in progress are never selected.

    Args:
        context: The home folder, with all its workspaces.
        rule: What to select.
        max_share: The largest share of all conversations that may be selected, from 0 to 1.
        where: To be erased. At the API, workspaces that are no longer configured are left out, as they have no key; at
            the API alone, so are conversations that it is known to have deleted.

    Raises:
        RetentionError: the share is larger than ``max_share``.
    """
    ids: dict[str, tuple[str, ...]] = {}
    n_all = 0
    for workspace in context.workspaces_with_data() if where == "here" else context.workspaces():
        stored_conversations = _stored_conversations(workspace.home, is_upstream_alone=where == "upstream")
        has_ended = pl.col("status").is_null() | pl.col("status").is_in(FINISHED)
        expired_conversations = stored_conversations.filter(pl.col("start_time_at") < rule.before, has_ended)
        if rule.agent_id is not None:
            expired_conversations = expired_conversations.filter(agent_id=rule.agent_id)
        if rule.status is not None:
            expired_conversations = expired_conversations.filter(status=rule.status)
        n_all += stored_conversations.height
        ids[workspace.settings.workspace] = tuple(expired_conversations.sort("start_time_at")["conversation_id"])
    selection = Selection(ids, n_all)
    if selection.share > max_share:
        raise RetentionError(
            f"The rule selects {len(selection.all_ids):,} of {plural(n_all, 'conversation')} "
            f"({format_number(selection.share, 'share of 1')}), more than {format_number(max_share, 'share of 1')}.",
            "Nothing was changed. If this is intended, raise the limit with --max-share.",
        )
    return selection


def apply_upstream(context: Context, selection: Selection) -> tuple[dict[str, str], dict[str, str]]:
    """Delete the selected conversations at the API only.

    Their local copies are treated as ``on_upstream_delete`` says, once a sync has noticed the deletion.

    Returns:
        As ``erasure.delete_upstream``.

    Raises:
        CredentialsError: a workspace with one of them has no key; nothing was deleted.
    """
    outcomes: dict[str, str] = {}
    problems: dict[str, str] = {}
    workspaces = [workspace for workspace in context.workspaces() if selection.ids.get(workspace.settings.workspace)]
    require_keys(workspaces)
    for workspace in workspaces:
        deletions, errors = delete_upstream(workspace, selection.ids[workspace.settings.workspace])
        outcomes, problems = outcomes | deletions, problems | errors
    return outcomes, problems


def _stored_conversations(home: Home, *, is_upstream_alone: bool) -> pl.DataFrame:
    """Conversations that were landed, listed or announced by a webhook, without those that were erased.

    For a rule of the API alone, also without those that it has deleted or perhaps never had. The status is the latest
    known one: a snapshot of a deleted conversation has none.
    """
    columns = ("conversation_id", "start_time_at", "agent_id", "status")
    excluded_kinds = ("gone", landing.ERASED) if is_upstream_alone else (landing.ERASED,)
    latest = landing.latest_snapshots(home)
    of_list_rows = landing.latest_list_rows(home).join(latest, "conversation_id", "anti").select(columns)
    snapshots = landing.snapshots(home).filter(pl.col("status").is_not_null())
    statuses = snapshots.group_by("conversation_id", maintain_order=True).agg(pl.col("status").last())
    of_snapshots = latest.filter(~pl.col("kind").is_in(excluded_kinds)).select(columns[:3])
    sources = [of_snapshots.join(statuses, "conversation_id", "left"), of_list_rows]
    if not is_upstream_alone:
        events = (
            activity_log.latest_entries(home, WEBHOOK_EVENTS).sort("event_at").join(latest, "conversation_id", "anti")
        )
        of_events = events.join(of_list_rows, "conversation_id", "anti").unique("conversation_id", keep="first")
        sources.append(
            of_events.select("conversation_id", pl.col("event_at").alias("start_time_at"), "agent_id", status=None)
        )
    return pl.concat(sources, how="vertical_relaxed")
