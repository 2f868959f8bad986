"""The use case of a retention rule: calls older than some age leave this machine, the API, or both.

A rule that takes more than a set share of all calls is taken for a mistake and stopped before anything is touched.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from pipelines.errors import RetentionError
from pipelines.usecases.context import Context, Progress, no_progress
from pipelines.usecases.erasure import Erased, delete_upstream, erase
from warehouse.storage import landing
from warehouse.storage.home import Home


@dataclass(frozen=True, slots=True)
class Rule:
    """Which calls go: those that began before ``before``, of one agent or all, of one status or any."""

    before: datetime
    agent_id: str | None = None
    status: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """What a rule takes: ids by workspace, oldest first, and of how many calls."""

    ids: Mapping[str, tuple[str, ...]]
    n_all: int

    @property
    def every(self) -> tuple[str, ...]:
        """The ids of all workspaces."""
        return tuple(each for ids in self.ids.values() for each in ids)

    @property
    def share(self) -> float:
        """The part of all calls that goes, 0 to 1."""
        return len(self.every) / self.n_all if self.n_all else 0.0


def select_expired(context: Context, rule: Rule, *, max_share: float, is_upstream_only: bool = False) -> Selection:
    """The calls that a rule takes, of all that are held here, or that are still at the API.

    Raises:
        RetentionError: they are more than ``max_share`` of all.
    """
    ids: dict[str, tuple[str, ...]] = {}
    n_all = 0
    for each in context.workspaces():
        held = _stored_ids(each.home, ("gone", landing.ERASED) if is_upstream_only else (landing.ERASED,))
        taken = held.filter(pl.col("start_time_at") < rule.before)
        if rule.agent_id is not None:
            taken = taken.filter(agent_id=rule.agent_id)
        if rule.status is not None:
            taken = taken.filter(status=rule.status)
        n_all += held.height
        ids[each.settings.workspace] = tuple(taken.sort("start_time_at")["conversation_id"])
    chosen = Selection(ids, n_all)
    if chosen.share > max_share:
        raise RetentionError(
            f"The rule takes {len(chosen.every):,} of {n_all:,} calls ({chosen.share:.0%}), more than {max_share:.0%}.",
            "Nothing was touched. If it is meant, raise the limit with --max-share.",
        )
    return chosen


def apply_locally(
    context: Context, chosen: Selection, *, is_upstream: bool = False, progress: Progress = no_progress
) -> Erased:
    """Erase what a rule takes, at the API first where ``is_upstream``.

    Raises:
        ConvohouseError: see ``erasure.erase``.
    """
    return erase(context, chosen.every, is_upstream=is_upstream, progress=progress)


def apply_upstream(context: Context, chosen: Selection) -> tuple[dict[str, str], dict[str, str]]:
    """Delete what a rule takes at the API alone: what it said of each, and why it did not delete others.

    What becomes of them here is decided by ``on_upstream_delete``, once a sync has noticed.

    Raises:
        CredentialsError: no key is set.
    """
    told: dict[str, str] = {}
    failed: dict[str, str] = {}
    for each in context.workspaces():
        if ids := chosen.ids.get(each.settings.workspace):
            deleted, refused = asyncio.run(delete_upstream(each, ids))
            told, failed = told | deleted, failed | refused
    return told, failed


def _stored_ids(home: Home, left: tuple[str, ...]) -> pl.DataFrame:
    """Conversations that were landed or listed, but for those whose latest reading is of a kind in ``left``."""
    columns = ("conversation_id", "start_time_at", "agent_id", "status")
    readings = landing.latest_snapshots(home)
    listed = landing.latest_list_rows(home).join(readings, "conversation_id", "anti")
    kept = readings.filter(~pl.col("kind").is_in(left))
    last = (
        landing.snapshots(home).filter(pl.col("status").is_not_null()).group_by("conversation_id", maintain_order=True)
    )
    known = kept.select(columns[:3]).join(last.agg(pl.col("status").last()), "conversation_id", "left")
    return pl.concat([known, listed.select(columns)])
