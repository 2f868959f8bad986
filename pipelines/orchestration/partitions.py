"""Partitions: the UTC days on which conversations start, and the window of the list that the days of a run make."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta

import dagster as dg
from pydantic import Field

from pipelines.errors import UsageError
from pipelines.extract.time_window import Window, parse_moment
from pipelines.settings import Settings
from pipelines.usecases import sync_steps
from pipelines.usecases.context import Context
from warehouse.storage import landing
from warehouse.storage.home import Home

FIRST_DAY = date(2024, 1, 1)
"""The first day of an empty home: before the launch of the vendor's agents in November 2024."""
BACKFILL, NIGHTLY, WEBHOOKS = "backfill", "nightly", "webhooks"
"""Names of the jobs over the whole pipeline."""


def days_from(first: date) -> dg.DailyPartitionsDefinition:
    """Every day up to the current one, which is copied as far as it has come."""
    return dg.DailyPartitionsDefinition(start_date=first.isoformat(), timezone="UTC", end_offset=1)


DAYS = days_from(FIRST_DAY)
"""The days as the assets declare them, and as runs have them; a code location has those of settings or landing."""


def first_day(settings: Settings) -> date:
    """The first partition: as set, else the first day that has landed, else ``FIRST_DAY``."""
    folders = Home(settings.home).landing.glob(landing.DAY_FOLDERS)
    first_landed_day = min((date.fromisoformat(folder.name.partition("=")[2]) for folder in folders), default=None)
    return settings.first_day or first_landed_day or FIRST_DAY


class RequestedDays(dg.Config):
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


def day_tag(day: date) -> dict[str, str]:
    """The tag of a run over one day."""
    return {"dagster/partition": day.isoformat()}


def run_days(context: dg.AssetExecutionContext) -> list[date]:
    """The days to which the run is limited, in order; empty if it continues from the last run, on all days.

    A run of the jobs ``nightly`` and ``webhooks`` is never limited, whatever days Dagster's page made somebody choose.

    Raises:
        UsageError: the job is ``backfill``, and the run has no days.
    """
    if context.run.job_name in {NIGHTLY, WEBHOOKS}:
        return []
    days = planned_days(context)
    if context.run.job_name == BACKFILL and not days:
        raise UsageError(
            "The job backfill needs days: choose partitions on its page, or use `convohouse sync --since --until`.",
            "The job nightly needs none.",
        )
    return days


def planned_days(context: dg.AssetExecutionContext) -> list[date]:
    """The partitions of the run, in order: Dagster itself logs that each of them is materialized."""
    has_days = context.has_partition_key or context.has_partition_key_range
    return [date.fromisoformat(key) for key in context.partition_keys] if has_days else []


def requested_window(context: dg.AssetExecutionContext, workspace: Context, config: RequestedDays) -> Window:
    """The window to list in a workspace: the run's days up to now, narrowed by the run config.

    Raises:
        UsageError: the window is empty, or the config has an invalid date; see also ``run_days``.
    """
    days, now = run_days(context), workspace.clock()
    if not days:
        return sync_steps.window_of(workspace)[0]
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
    """Log a materialization for each day that the run changed although Dagster has not planned it."""
    for day in sorted(set(days).difference(planned_days(context))):
        context.log_event(dg.AssetMaterialization(key, metadata=counts(day), partition=day.isoformat()))


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
