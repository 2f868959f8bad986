"""The partitions: UTC days on which calls start, and the window of the API's list that a run's days make."""

import warnings
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

import dagster as dg
from pydantic import Field

from pipelines.extract.time_window import Window, parse_moment
from pipelines.usecases import sync_steps
from pipelines.usecases.context import Context

FIRST_DAY = "2024-01-01"
"""Older than the vendor's agents, which came in November 2024."""

DAYS = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, timezone="UTC", end_offset=1)
"""Every day up to the running one, whose calls so far are copied as well."""

# Dagster calls backfill_policy beta at each use, on the screen of whoever runs the demo; its version is pinned
warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)

SINGLE_RUN = dg.BackfillPolicy.single_run()


class RunScope(dg.Config):
    """How far a step reaches."""

    everywhere: bool = Field(
        default=False,
        description="Go on from the last run, and work on the calls of all days: what the nightly run does.",
    )


class RequestedDays(RunScope):
    """A window inside the run's days, for a run that is to read less than they hold."""

    since: str | None = Field(default=None, description="Only calls from here: a date, a time, or days ago (7d).")
    until: str | None = Field(default=None, description="Only calls before: a date, a time, or days ago (7d).")
    agent_id: str | None = Field(default=None, description="Only calls of this agent.")


def range_tags(first: date, last: date) -> dict[str, str]:
    """Tags of a run over the days from first to last, both included."""
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }


def run_days(context: dg.AssetExecutionContext) -> list[date]:
    """The run's days; none where only assets without days are made."""
    has_days = context.has_partition_key or context.has_partition_key_range
    return [date.fromisoformat(key) for key in context.partition_keys] if has_days else []


def requested_window(context: dg.AssetExecutionContext, workspace_context: Context, asked: RequestedDays) -> Window:
    """The window to list: what the run's days make of it up to now, less what was not asked for.

    Raises:
        UsageError: nothing is left, or what was asked is no date.
    """
    if asked.everywhere:
        return sync_steps.window_of(workspace_context)[0]
    days, now = run_days(context), workspace_context.clock()
    since = [_midnight(days[0])] + ([parse_moment(asked.since, now)] if asked.since else [])
    until = [_midnight(days[-1] + timedelta(days=1)), now] + ([parse_moment(asked.until, now)] if asked.until else [])
    return Window(max(since), min(until), asked.agent_id)


def log_other_days(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    days: Iterable[date],
    counts: Callable[[date], dict[str, int]] = lambda _day: {},
) -> None:
    """Log what was made of days that are not the run's: a run that works everywhere touches some."""
    for day in sorted(set(days).difference(run_days(context))):
        context.log_event(dg.AssetMaterialization(key, metadata=counts(day), partition=day.isoformat()))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
