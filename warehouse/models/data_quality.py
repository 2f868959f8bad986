"""All checks: those of the lake that the schema implies, those of the models, and that nothing listed is missing.

A check never repairs. Its failing rows are named, so that a person can look at them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from warehouse.connection import open_warehouse
from warehouse.models.checks import SAMPLE_ROWS, Check, CheckResult, checks_of, none, run, unique
from warehouse.models.project import Project, read_project
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import DELETIONS, QUARANTINE, SYNC_RUNS
from warehouse.schema.registry import TABLES
from warehouse.schema.types import Table
from warehouse.storage import lake, landing
from warehouse.storage.home import Home

LISTED_IS_LANDED, LANDED_IS_IN_LAKE, LAKE_IS_LANDED, NOTHING_IN_QUARANTINE = COMPLETENESS = tuple(
    Check(name, f"lake.{CONVERSATIONS.name}", about, "")
    for name, about in (
        ("listed_is_landed", "Every listed conversation is landed."),
        ("landed_is_in_lake", "Every landed conversation is in the lake."),
        ("lake_is_landed", "Every row stems from the landing."),
        ("nothing_in_quarantine", "No document is set aside."),
    )
)
"""That nothing is missing; these compare the lake with the landing, so they are no SQL."""

FRESH = Check("sync_is_fresh", f"lake.{SYNC_RUNS.name}", "Every workspace had a complete run of late.", "")


def schema_checks() -> tuple[Check, ...]:
    """For every table, over the views of schema ``lake``: the key is unique, the required columns are filled."""
    return tuple(check for table in TABLES for check in _of_table(table))


def every_check(project: Project) -> tuple[Check, ...]:
    """What a build checks before it swaps: the lake by its schema, then the models by their headers and tests."""
    return (*schema_checks(), *checks_of(project))


def check_warehouse(home: Home) -> tuple[CheckResult, ...]:
    """Every check of a build, over the warehouse as it stands.

    Raises:
        NothingBuiltError: there is no warehouse yet.
    """
    with open_warehouse(home) as connection:
        return run(connection, every_check(read_project()))


def _of_table(table: Table) -> tuple[Check, Check]:
    name = f"lake.{table.name}"
    is_empty = " or ".join(f"{column.name} is null" for column in table.columns if column.required)
    return (
        unique(f"lake_{table.name}_unique", name, table.key),
        Check(
            f"lake_{table.name}_required",
            name,
            "Required columns are filled.",
            f"select * from {name} where {is_empty}",  # noqa: S608 - our names
            holds=none(is_empty),
        ),
    )


def check_complete(home: Home) -> tuple[CheckResult, ...]:
    """Every conversation that was ever listed is landed, every landed one is in the lake, and none stands aside."""
    listed = landing.latest_list_rows(home).select("conversation_id")
    readings = landing.latest_snapshots(home)
    shown = lake.read(home, CONVERSATIONS, ["conversation_id"])
    gone = lake.read(home, DELETIONS, ["conversation_id"])
    has_content = readings.filter(pl.col("content_at").is_not_null())
    is_lost = readings.filter(pl.col("kind").is_in([*landing.REMOVED_KINDS, landing.ERASED]))
    unshown = pl.concat(
        [has_content.join(shown, "conversation_id", "anti"), is_lost.join(gone, "conversation_id", "anti")]
    )
    return (
        _result(LISTED_IS_LANDED, listed.join(readings, "conversation_id", "anti")),
        _result(LANDED_IS_IN_LAKE, unshown),
        _result(LAKE_IS_LANDED, shown.join(readings, "conversation_id", "anti")),
        _result(NOTHING_IN_QUARANTINE, lake.read(home, QUARANTINE)),
    )


def check_fresh(homes: Iterable[Home], *, now: datetime, within: timedelta) -> CheckResult:
    """Whether each workspace had a complete run that ended ``within`` this time before ``now``."""
    stale: list[dict[str, Any]] = []
    for home in homes:
        runs = lake.read(home, SYNC_RUNS, ["outcome", "ended_at"]).filter(outcome="complete")
        ended_at = runs["ended_at"].max()
        if not isinstance(ended_at, datetime) or now - ended_at > within:
            stale.append({"workspace": home.workspace, "last_complete_run_at": ended_at})
    return CheckResult(FRESH, len(stale), tuple(stale))


def _result(check: Check, failing: pl.DataFrame) -> CheckResult:
    sample = tuple({"conversation_id": value} for value in failing["conversation_id"].head(SAMPLE_ROWS))
    return CheckResult(check, failing.height, sample)
