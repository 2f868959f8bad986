"""All data-quality checks: of the lake by its schema, of seeds and models by their headers, of completeness, freshness.

A check never repairs anything. It shows its failing rows, so that a person can look at them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from warehouse.connection import MISSING_RELATION, open_warehouse
from warehouse.errors import ModelError
from warehouse.models.checks import (
    CONSTRAINTS,
    SAMPLE_ROWS,
    Check,
    CheckResult,
    header_checks,
    row_check,
    run,
    unique_check,
)
from warehouse.models.project import Project, SingularTest, read_project
from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS
from warehouse.schema.operations import DELETIONS, QUARANTINE, SYNC_RUNS
from warehouse.schema.registry import TABLES
from warehouse.schema.types import Table
from warehouse.storage import lake, landing
from warehouse.storage.freshness import last_full_listing_at
from warehouse.storage.home import ANY_WORKSPACE, Home
from warehouse.storage.landing_sequence import CLOCK_TOLERANCE, order

_LISTING_IS_COMPLETE = (
    "The latest listing shows each conversation of its window that the API still has. Otherwise it may have left out "
    "new ones too: check that the key may see all agents; the next sync lists again."
)
_LANDED_IS_IN_LAKE = (
    "Every landed conversation is in the lake, or in quarantine. One that a webhook has brought may wait for the next "
    "run."
)
LISTING_IS_COMPLETE, LISTED_IS_LANDED, LANDED_IS_IN_LAKE, LAKE_IS_LANDED, NOTHING_IN_QUARANTINE = COMPLETENESS = tuple(
    Check(name, f"lake.{CONVERSATIONS.name}", description, "")
    for name, description in (
        ("listing_is_complete", _LISTING_IS_COMPLETE),
        ("listed_is_landed", "Every listed conversation was fetched since its list row changed, or is in quarantine."),
        ("landed_is_in_lake", _LANDED_IS_IN_LAKE),
        ("lake_is_landed", "Every row comes from a landed document."),
        ("nothing_in_quarantine", "No item is in quarantine."),
    )
)
"""Completeness; these checks have no SQL, because they compare the lake with the landing files."""

LISTED_TO_ITS_START = timedelta(hours=1)
"""A listing whose window ends at most this long before it began is one of all that is new, not a backfill."""

LANDED_IN_THE_PAST = Check(
    "landed_in_the_past",
    f"lake.{CONVERSATIONS.name}",
    "Nothing that counts was landed by a clock that was ahead of this one.",
    "",
)
FRESH = Check(
    "sync_is_fresh",
    f"lake.{SYNC_RUNS.name}",
    "In every workspace, all agents were listed recently, and what was listed is copied.",
    "",
)


def schema_checks() -> tuple[Check, ...]:
    """Per table of the lake, over the views of schema ``lake``: its key is unique, its required columns are filled."""
    return tuple(check for table in TABLES for check in _table_checks(table))


def project_checks(project: Project) -> tuple[Check, ...]:
    """Checks of the seeds, then of the models in build order, then the singular tests.

    A staging model that keeps its table's key needs no check of its own that its rows are unique: the check of the
    lake's table covers it.
    """
    checks = [check for seed in project.seeds for check in header_checks(seed.key, seed.header)]
    for model in project.models:
        is_unique, *others = header_checks(model.key, model.header)
        checks += others if model.keeps_lake_key else [is_unique, *others]
    order = {model.key: n for n, model in enumerate(project.models)}
    return (*checks, *(_singular_check(test, order) for test in project.singular_tests))


def all_checks(project: Project) -> tuple[Check, ...]:
    """What a build checks before the swap: the lake by its schema, then seeds and models by headers and tests."""
    return (*schema_checks(), *project_checks(project))


def check_warehouse(home: Home) -> tuple[CheckResult, ...]:
    """Run every check of a build over the current warehouse.

    Raises:
        NothingBuiltError: there is no warehouse yet.
        QueryError: as ``open_warehouse``.
    """
    with open_warehouse(home) as connection:
        try:
            return run(connection, all_checks(read_project()))
        except ModelError as error:
            if isinstance(error.__cause__, MISSING_RELATION):
                raise error.__cause__ from None  # in a warehouse that is built, the check is right
            raise


def check_complete(home: Home) -> tuple[CheckResult, ...]:
    """Compare listing, landing and lake: nothing is missing in either direction, and nothing is in quarantine."""
    columns = ("workspace", "start_time_at", "fingerprint", "changed_order", "listed_at", "sequence")
    list_rows = landing.latest_list_rows(home, columns)
    snapshots = landing.latest_snapshots(home).with_columns(landed_order=landing.LANDING_ORDER)
    in_lake, checks = (lake.read(home, table, ["conversation_id"]) for table in (CONVERSATIONS, CONVERSATION_CHECKS))
    complete_rows = in_lake.join(checks, "conversation_id", "semi")
    deletions = lake.read(home, DELETIONS, ["conversation_id"])
    # the receiver of webhooks lands beside a run; a sync fetches what it brought, and from then on it has to be there
    is_fetched = pl.col("is_webhook").ne_missing(pl.lit(value=True))
    snapshots_with_content = snapshots.filter(is_fetched, pl.col("content_at").is_not_null())
    landed_snapshots = snapshots.filter((pl.col("kind") != "unchanged") | pl.col("content_at").is_not_null())
    removed_snapshots = snapshots.filter(pl.col("kind").is_in([*landing.REMOVED_KINDS, landing.ERASED]))
    missing_rows = pl.concat(
        [
            snapshots_with_content.join(complete_rows, "conversation_id", "anti"),
            removed_snapshots.join(deletions, "conversation_id", "anti"),
        ]
    )
    quarantine = lake.read(home, QUARANTINE)
    landed_snapshots = landed_snapshots.select("conversation_id", "kind", "list_fingerprint", "landed_order")
    is_changed = pl.col("fingerprint").ne_missing(pl.col("list_fingerprint")) & (
        pl.col("changed_order") > pl.col("landed_order")
    )
    is_there_again = (pl.col("kind") == "gone") & (order("sequence", "listed_at") > pl.col("landed_order"))
    unlanded_rows = list_rows.join(landed_snapshots, "conversation_id", "left").filter(
        pl.col("landed_order").is_null() | is_changed | is_there_again
    )
    return (
        _result(LISTING_IS_COMPLETE, _left_out(home, list_rows, snapshots)),
        _result(LISTED_IS_LANDED, unlanded_rows.join(quarantine, "conversation_id", "anti")),
        _result(LANDED_IS_IN_LAKE, missing_rows.join(quarantine, "conversation_id", "anti")),
        _result(LAKE_IS_LANDED, in_lake.join(snapshots, "conversation_id", "anti")),
        _result(NOTHING_IN_QUARANTINE, quarantine),
    )


def _left_out(home: Home, list_rows: pl.DataFrame, snapshots: pl.DataFrame) -> pl.DataFrame:
    """The conversations that the latest listing should have shown, and that the API had when they were fetched later.

    ``list_rows`` are the latest list rows, ``snapshots`` the latest snapshots.
    """
    names = home.workspaces() if home.workspace == ANY_WORKSPACE else (home.workspace,)
    left_out_rows = [list_rows.clear()]
    for name in names:
        listings = [
            listing
            for listing in landing.listings(home.for_workspace(name))
            if listing.agent_id is None and listing.until and listing.listed_at - listing.until < LISTED_TO_ITS_START
        ]
        for latest in listings[-1:]:
            is_in_window = pl.col("start_time_at").is_between(
                latest.since or landing.BEGINNING, latest.until, closed="left"
            )
            is_shown = order("sequence", "listed_at") >= latest.order
            is_there = (
                ~pl.col("kind").is_in(["gone", landing.ERASED])
                & pl.col("is_webhook").ne_missing(pl.lit(value=True))  # which says nothing of what the API has now
                & (pl.col("landed_order") > latest.order)
            )
            not_shown = list_rows.filter(pl.col("workspace") == name, is_in_window, ~is_shown)
            left_out_rows.append(not_shown.join(snapshots.filter(is_there), "conversation_id", "semi"))
    return pl.concat(left_out_rows)


def check_landed_times(homes: Iterable[Home], *, now: datetime) -> CheckResult:
    """Whether the latest snapshots, and the last listing, of each workspace are not of the future.

    If they are, the clock was ahead when they landed, or is behind now. The next sync reads these conversations again.
    """
    failing: list[dict[str, Any]] = []
    for home in homes:
        snapshots = landing.latest_snapshots(home).filter(
            pl.col("fetched_at") > now + CLOCK_TOLERANCE, pl.col("kind") != landing.ERASED
        )
        rows = snapshots.select(pl.lit(home.workspace).alias("workspace"), "conversation_id", at="fetched_at")
        failing += rows.iter_rows(named=True)
        failing += [
            {"workspace": home.workspace, "conversation_id": None, "at": listing.listed_at}
            for listing in landing.listings(home)[-1:]
            if listing.listed_at > now + CLOCK_TOLERANCE
        ]
    return CheckResult(LANDED_IN_THE_PAST, len(failing), tuple(failing[:SAMPLE_ROWS]))


def check_fresh(homes: Iterable[Home], *, now: datetime, within: timedelta) -> CheckResult:
    """Whether ``last_full_listing_at`` of each workspace is no longer than ``within`` before ``now``."""
    listing_times = {home.workspace: last_full_listing_at(home, now=now) for home in homes}
    stale_workspaces: tuple[dict[str, Any], ...] = tuple(
        {"workspace": workspace, "last_full_listing_at": listed_at}
        for workspace, listed_at in listing_times.items()
        if listed_at is None or now - listed_at > within
    )
    return CheckResult(FRESH, len(stale_workspaces), stale_workspaces)


def _table_checks(table: Table) -> tuple[Check, Check]:
    relation = f"lake.{table.name}"
    required = [column.name for column in table.columns if column.required]
    is_empty = " or ".join(f"{name} is null" for name in required)
    return (
        unique_check(f"lake_{table.name}_unique", relation, table.key),
        row_check(
            f"lake_{table.name}_required",
            relation,
            required,
            is_empty,
            "Required columns are filled.",
            group=CONSTRAINTS,
        ),
    )


def _singular_check(test: SingularTest, order: dict[str, int]) -> Check:
    """A singular test, reported under the relation that is built last of those it reads."""
    model = max(test.reads, key=lambda read: order.get(read, -1))
    return Check(test.name, model, test.header.description, test.sql.strip(), test.reads)


def _result(check: Check, failing: pl.DataFrame) -> CheckResult:
    sample = tuple({"conversation_id": value} for value in failing["conversation_id"].head(SAMPLE_ROWS))
    return CheckResult(check, failing.height, sample)
