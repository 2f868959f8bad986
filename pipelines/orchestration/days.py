"""The partitions: UTC days on which calls start, and the window of the API's list that a run's days make."""

import warnings
from datetime import UTC, date, datetime, timedelta

import dagster as dg
from pydantic import Field

from pipelines.sync.window import Window, parse_moment

FIRST_DAY = "2024-01-01"
"""Older than the vendor's agents, which came in November 2024."""

DAYS = dg.DailyPartitionsDefinition(start_date=FIRST_DAY, timezone="UTC", end_offset=1)
"""Every day up to the running one, whose calls so far are copied as well."""

# Dagster calls backfill_policy beta at each use, on the screen of whoever runs the demo; its version is pinned
warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)

SINGLE_RUN = dg.BackfillPolicy.single_run()


class Asked(dg.Config):
    """A window inside the run's days, for a run that is to read less than they hold."""

    since: str | None = Field(default=None, description="Only calls from here: a date, a time, or days ago (7d).")
    until: str | None = Field(default=None, description="Only calls before: a date, a time, or days ago (7d).")
    agent_id: str | None = Field(default=None, description="Only calls of this agent.")


class Scope(dg.Config):
    """How far a step reaches."""

    everywhere: bool = Field(
        default=False,
        description="Work on the calls of all days and not only of the run's: what the nightly run does.",
    )


def range_tags(first: date, last: date) -> dict[str, str]:
    """Tags of a run over the days from first to last, both included."""
    return {
        "dagster/asset_partition_range_start": first.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }


def days_of(context: dg.AssetExecutionContext) -> list[date]:
    """The run's days."""
    return [date.fromisoformat(key) for key in context.partition_keys]


def window_of(context: dg.AssetExecutionContext, now: datetime, asked: Asked | None = None) -> Window:
    """What the run's days make of the list, less what was not asked for.

    Raises:
        UsageError: nothing is left, or what was asked is no date.
    """
    days = days_of(context)
    since, until = _midnight(days[0]), min(_midnight(days[-1] + timedelta(days=1)), now)
    if asked is None:
        return Window(since, until)
    if asked.since:
        since = max(since, parse_moment(asked.since, now))
    if asked.until:
        until = min(until, parse_moment(asked.until, now))
    return Window(since, until, asked.agent_id)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
