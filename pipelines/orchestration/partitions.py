"""Partitions: the UTC days on which conversations start, and the window of the list that the days of a run make."""

import warnings
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

import dagster as dg
from pydantic import Field

from pipelines.extract.time_window import Window, parse_moment
from pipelines.usecases import sync_steps
from pipelines.usecases.context import Context

FIRST_DAY = "2024-01-01"
"""Before the launch of the vendor's agents in November 2024."""

DAYS = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, timezone="UTC", end_offset=1)
"""Every day up to the current one, which is copied as far as it has come."""

# Dagster warns at each use that backfill_policy is beta, in the middle of the demo's output; its version is pinned
warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)

SINGLE_RUN = dg.BackfillPolicy.single_run()


class RunScope(dg.Config):
    """Which conversations a step works on."""

    everywhere: bool = Field(
        default=False,
        description="Continue from the last run and work on the conversations of all days, as the nightly run does.",
    )


class RequestedDays(RunScope):
    """A window within the run's days."""

    since: str | None = Field(
        default=None, description="Only conversations that started at or after: a date, a time, or days ago (7d)."
    )
    until: str | None = Field(
        default=None, description="Only conversations that started before: a date, a time, or days ago (7d)."
    )
    agent_id: str | None = Field(default=None, description="Only conversations of this agent.")


def range_tags(first: date, last: date) -> dict[str, str]:
    """The tags of a run over the days from first to last, both included."""
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }


def run_days(context: dg.AssetExecutionContext) -> list[date]:
    """The run's days, in order; empty if it has no partitioned asset."""
    has_days = context.has_partition_key or context.has_partition_key_range
    return [date.fromisoformat(key) for key in context.partition_keys] if has_days else []


def requested_window(context: dg.AssetExecutionContext, workspace: Context, config: RequestedDays) -> Window:
    """The window to list in a workspace: the run's days up to now, narrowed by the run config.

    Raises:
        UsageError: the window is empty, or the config has an invalid date.
    """
    if config.everywhere:
        return sync_steps.window_of(workspace)[0]
    days, now = run_days(context), workspace.clock()
    starts, ends = [_midnight(days[0])], [_midnight(days[-1] + timedelta(days=1)), now]
    if config.since:
        starts.append(parse_moment(config.since, now))
    if config.until:
        ends.append(parse_moment(config.until, now))
    return Window(max(starts), min(ends), config.agent_id)


def log_other_days(
    context: dg.AssetExecutionContext,
    key: dg.AssetKey,
    days: Iterable[date],
    counts: Callable[[date], dict[str, int]] = lambda _day: {},
) -> None:
    """Log a materialization for each day that the run changed although it is not one of its partitions."""
    for day in sorted(set(days).difference(run_days(context))):
        context.log_event(dg.AssetMaterialization(key, metadata=counts(day), partition=day.isoformat()))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
