"""Brings the lake up to date with the landing: stale conversations are rebuilt, then all other tables.

Stale conversations are found by a comparison of the lake with the landing. So there is no queue of work that could be
lost, and a run that was interrupted needs no repair of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

import polars as pl

from pipelines.transform.agent_configs import refresh_agent_configs
from pipelines.transform.agents import refresh_agents
from pipelines.transform.bills import refresh_billed_usage
from pipelines.transform.flatten import PARSER_VERSION
from pipelines.transform.listed_items import refresh_items
from pipelines.transform.llm_prices import refresh_prices
from pipelines.transform.merge_days import DELETION_REASONS, map_kind, reflatten
from pipelines.transform.schema_drift import refresh_unknown
from pipelines.transform.settle_state import settle_state
from pipelines.transform.tools import refresh_tools
from pipelines.transform.worker_pool import WorkerPool
from warehouse.schema.account_data import LANDED_BATCHES, LANDED_TAGS
from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS
from warehouse.schema.operations import CONVERSATION_LIST, DELETIONS, QUARANTINE, UNFLATTENABLE
from warehouse.storage import activity_log, lake, landing, quarantine, run_records
from warehouse.storage.home import Home


@dataclass(slots=True)
class RefreshResult:
    """What was rebuilt; ``errors`` maps the conversation_id of a document that could not be flattened to the reason."""

    n_flattened: int = 0
    days: list[date] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def stale_snapshots(
    home: Home, *, reread_days: Sequence[int] | None = None, full_refresh: bool = False
) -> pl.DataFrame:
    """Latest snapshots that the lake does not show yet: columns of ``landing.latest_snapshots``, and two of the lake.

    With ``reread_days``, also those that the lake shows with a state that follows from others. With ``full_refresh``,
    all latest snapshots. ``lake_date`` is the day of the conversation in the lake, ``deletion_dates`` the days
    of its deletion there, null if none.
    """
    latest = landing.latest_snapshots(home)
    lake_rows = lake.read(home, CONVERSATIONS, ["conversation_id", "start_date"])
    checks = lake.read(home, CONVERSATION_CHECKS).drop("workspace")
    lake_rows = lake_rows.join(checks, ["conversation_id", "start_date"], "left")
    lake_rows = lake_rows.rename({"start_date": "lake_date", "content_sha256": "lake_sha256"})
    deletions = lake.read(home, DELETIONS, ["conversation_id", "noticed_at", "reason", "start_date"])
    deletions = deletions.group_by("conversation_id").agg(
        pl.col("noticed_at", "reason").last(), deletion_dates=pl.col("start_date").sort()
    )
    snapshots = latest.join(lake_rows, "conversation_id", "left").join(deletions, "conversation_id", "left")
    is_absent = pl.col("lake_date").is_null()
    is_shown = (
        (pl.col("checked_at") == pl.col("fetched_at"))
        & (pl.col("parser_version") == PARSER_VERSION)
        & (pl.col("lake_sha256") == pl.col("shown_sha256"))  # a redaction changes the content of an old snapshot
    )
    if reread_days is not None:
        is_shown &= pl.col("settle_state") == settle_state(pl.col("fetched_at"), reread_days)
    is_removed = pl.col("kind").is_in(list(DELETION_REASONS))
    has_deletion = (
        (pl.col("noticed_at") == pl.col("fetched_at"))
        & (pl.col("reason") == map_kind(DELETION_REASONS))
        & (pl.col("deletion_dates") == pl.concat_list("start_date"))
    )
    has_no_content = pl.col("content_at").is_null()
    is_current = (
        pl.when(has_no_content).then(is_absent).otherwise(is_shown)
        & pl.when(is_removed).then(has_deletion).otherwise(pl.col("noticed_at").is_null())
    ).fill_null(value=False)
    return snapshots.filter(full_refresh | ~is_current).sort("start_date", "conversation_id")


def refresh_lake(
    home: Home,
    *,
    reread_days: Sequence[int],
    days: Collection[date] | None = None,
    full_refresh: bool = False,
    worker_pool: WorkerPool | None = None,
    on_day: Callable[[int, int], None] = lambda _n_flattened, _n_stale: None,
) -> RefreshResult:
    """Bring every table of the lake up to date with the landing.

    Args:
        home: The home folder.
        reread_days: Days after the end of a conversation on which it is fetched again; after the last it is settled.
        days: Only conversations that started on these days; None for all.
        full_refresh: Rebuild every row, also those that are up to date.
        worker_pool: Processes that help if there are many stale conversations.
        on_day: Called after each day with the number of conversations rebuilt so far and of all stale ones.
    """
    lake.ensure_schema_files(home)
    stale = stale_snapshots(home, reread_days=reread_days, full_refresh=full_refresh)
    if days is not None:
        stale = stale.filter(pl.col("start_date").is_in(list(days)))
    result = RefreshResult()
    for flattened_day in reflatten(home, stale, reread_days, worker_pool or WorkerPool(0)):
        result.n_flattened += flattened_day.n_flattened
        result.days.append(flattened_day.day)
        result.errors |= flattened_day.errors
        on_day(result.n_flattened, len(stale))
    refresh_tools(home)
    refresh_prices(home)
    refresh_agent_configs(home)
    refresh_items(home, LANDED_BATCHES)
    refresh_items(home, LANDED_TAGS)
    refresh_billed_usage(home)
    refresh_unknown(home)  # reads the tables above
    _refresh_conversation_list(home)
    refresh_agents(home)  # reads conversations and their list rows from the lake
    run_records.refresh_lake(home)
    activity_log.refresh_lake(home)
    refresh_quarantine(home, stale["conversation_id"].to_list(), result.errors)
    return result


def _refresh_conversation_list(home: Home) -> None:
    """Rewrite the days of ``conversation_list`` whose rows differ from the landed listings."""
    content = ("start_date", "start_time_at", "agent_id", "agent_name", "status", "message_count", "fingerprint")
    landed_rows = landing.latest_list_rows(home, (*content, "first_seen_at", "listed_at"))
    landed_rows = landed_rows.rename({"listed_at": "last_seen_at"})
    lake_rows = lake.read(home, CONVERSATION_LIST).select(landed_rows.columns)
    changes = pl.concat([_drop_rows(landed_rows, lake_rows), _drop_rows(lake_rows, landed_rows)])
    lake.overwrite_partitions(home, CONVERSATION_LIST, changes["start_date"].unique().to_list(), landed_rows)


def _drop_rows(rows: pl.DataFrame, other_rows: pl.DataFrame) -> pl.DataFrame:
    """The rows that are not, with all their values, among the other rows."""
    return rows.join(other_rows, on=rows.columns, how="anti", nulls_equal=True)


def refresh_quarantine(
    home: Home, tried_ids: Collection[str] = (), errors: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Rebuild ``quarantine``: what was quarantined before the landing, and documents that could not be flattened.

    Of earlier runs, only the documents that this run did not try remain.
    """
    current_rows = quarantine.current(home)
    untried_rows = lake.read(home, QUARANTINE).filter(
        pl.col("reason") == UNFLATTENABLE, ~pl.col("conversation_id").is_in(list(tried_ids))
    )
    latest = landing.latest_snapshots(home, errors).select("conversation_id", "fetched_at")
    new_rows = pl.DataFrame(
        {"conversation_id": list(errors), "error": list(errors.values())},
        {"conversation_id": pl.String, "error": pl.String},
    ).join(latest, "conversation_id")
    rows = [current_rows, untried_rows, new_rows.with_columns(reason=pl.lit(UNFLATTENABLE))]
    lake.overwrite_table(home, QUARANTINE, pl.concat(rows, how="diagonal").unique("conversation_id", keep="last"))
