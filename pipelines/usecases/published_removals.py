"""Bring what was erased or redacted here to the targets that were published to.

A module of its own, because what publishes takes longer to import than a sync without targets should need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.usecases.context import Context, Progress, no_progress
from warehouse.publish import record

if TYPE_CHECKING:
    from pipelines.usecases.publish import TargetResult


def publish_removals(context: Context, progress: Progress = no_progress) -> tuple[TargetResult, ...]:
    """Publish to the targets that may still have what was erased or redacted; a lost one is a result with a problem.

    The caller holds the lock, and has built the warehouse.
    """
    if not record.pending_targets(context.home) and not record.pending_lost_targets(context.home):
        return ()
    from pipelines.usecases.publish import publish_pending  # noqa: PLC0415 - see above

    return tuple(publish_pending(context, progress))


def describe_problem(result: TargetResult) -> str:
    """One line on a target that an erasure or a redaction did not reach."""
    return f"{result.target} may still have what was erased or redacted. {result.problem}"
