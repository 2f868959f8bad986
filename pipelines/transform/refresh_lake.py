"""The lake catches up with the landing: every conversation whose rows are older than its latest reading is made anew.

What is stale is found by comparing the two, so there is no list of work to lose.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from pipelines.transform.agents import refresh_agents
from pipelines.transform.flatten import PARSER_VERSION
from pipelines.transform.llm_prices import refresh_prices
from pipelines.transform.merge_days import DELETION_REASONS, reflatten, map_kind
from pipelines.transform.schema_drift import refresh_unknown
from pipelines.transform.tools import refresh_tools
from pipelines.transform.worker_pool import WorkerPool
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import CONVERSATION_LIST, DELETIONS, QUARANTINE, SYNC_RUNS
from warehouse.storage import activity_log, lake, landing, parquet
from warehouse.storage.home import Home


@dataclass(slots=True)
class RefreshResult:
    """What was made anew; ``refused`` names documents that could not be flattened and why."""

    n_flattened: int = 0
    days: list[date] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


def stale_snapshots(home: Home, *, full_refresh: bool = False) -> pl.DataFrame:
    """Latest readings that the lake does not show yet (columns of ``landing.latest_snapshots``, and ``lake_date``).

    ``anew`` takes what the lake shows for stale as well.
    """
    latest = landing.latest_snapshots(home)
    own = {"start_date": "lake_date", "content_sha256": "lake_sha256"}
    shown = lake.read(home, CONVERSATIONS, ["conversation_id", "checked_at", "parser_version", *own]).rename(own)
    marked = lake.read(home, DELETIONS, ["conversation_id", "noticed_at", "reason"])
    compared = latest.join(shown, "conversation_id", "left").join(marked, "conversation_id", "left")
    is_shown = (
        (pl.col("checked_at") == pl.col("fetched_at"))
        & (pl.col("parser_version") == PARSER_VERSION)
        & (pl.col("lake_sha256") == pl.col("shown_sha256"))  # another one once the content is redacted
    )
    is_absent = pl.col("lake_date").is_null()
    has_no_mark = ~pl.col("kind").is_in(list(DELETION_REASONS))
    is_marked = (pl.col("noticed_at") == pl.col("fetched_at")) & (pl.col("reason") == map_kind(DELETION_REASONS))
    is_current = (
        pl.when(pl.col("content_at").is_null()).then(is_absent).otherwise(is_shown) & (has_no_mark | is_marked)
    ).fill_null(value=False)
    return compared.filter(full_refresh | ~is_current).sort("start_date", "conversation_id")


def refresh_lake(
    home: Home,
    *,
    reread_days: Sequence[int],
    days: Collection[date] | None = None,
    full_refresh: bool = False,
    worker_pool: WorkerPool | None = None,
    on_day: Callable[[int, int], None] = lambda _done, _total: None,
) -> RefreshResult:
    """Bring every table of the lake up to the landing.

    Args:
        home: The home folder.
        reread_days: The re-reads after which a call is settled.
        days: Only these start dates; None for all.
        anew: Make every row again, also where the lake is up to date.
        crew: Processes that help where there is much to do.
        on_day: Told of conversations made anew, out of all that are stale.
    """
    lake.ensure_schema_files(home)
    stale = stale_snapshots(home, full_refresh=full_refresh)
    if days is not None:
        stale = stale.filter(pl.col("start_date").is_in(list(days)))
    done = RefreshResult()
    for made in reflatten(home, stale, reread_days, worker_pool or WorkerPool(0)):
        done.n_flattened += made.n_flattened
        done.days.append(made.day)
        done.errors |= made.errors
        on_day(done.n_flattened, len(stale))
    refresh_tools(home)
    refresh_prices(home)
    refresh_unknown(home)
    _refresh_list(home)
    refresh_agents(home)
    refresh_runs(home)
    activity_log.refresh_lake(home)
    _refresh_quarantine(home, stale["conversation_id"].to_list(), done.errors)
    return done


def _refresh_list(home: Home) -> None:
    """Rewrite the days of ``conversation_list`` that the landed listings change."""
    seen = (
        landing.list_rows(home)
        .sort("listed_at")
        .group_by("conversation_id", maintain_order=True)
        .agg(
            pl.col("start_date", "start_time_at", "agent_id", "agent_name", "status", "fingerprint").last(),
            first_seen_at=pl.col("listed_at").first(),
            last_seen_at=pl.col("listed_at").last(),
        )
    )
    shown = lake.read(home, CONVERSATION_LIST).select(seen.columns)
    for day in pl.concat([_drop_rows(seen, shown), _drop_rows(shown, seen)])["start_date"].unique():
        lake.overwrite_partition(home, CONVERSATION_LIST, day, seen.filter(start_date=day))


def _drop_rows(rows: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """The rows that are not, whole, among the others."""
    return rows.join(others, on=rows.columns, how="anti", nulls_equal=True)


def _refresh_quarantine(home: Home, tried: Collection[str], refused: dict[str, str]) -> None:
    """What is set aside now: answers that were no documents, and documents that could not be flattened."""
    unreadable = landing.quarantined(home)
    before = lake.read(home, QUARANTINE).filter(
        pl.col("reason") == "unflattenable", ~pl.col("conversation_id").is_in(list(tried))
    )
    latest = landing.latest_snapshots(home, refused).select("conversation_id", "fetched_at")
    fresh = pl.DataFrame(
        {"conversation_id": list(refused), "error": list(refused.values())},
        {"conversation_id": pl.String, "error": pl.String},
    ).join(latest, "conversation_id")
    rows = [unreadable, before, fresh.with_columns(reason=pl.lit("unflattenable"))]
    lake.overwrite_table(home, QUARANTINE, pl.concat(rows, how="diagonal").unique("conversation_id", keep="last"))


def refresh_runs(home: Home) -> None:
    """Show every account in the lake again, after the lake was deleted."""
    for file in home.files(home.runs):
        if not (home.table(SYNC_RUNS) / file.name).exists():
            lake.append_file(home, SYNC_RUNS, parquet.read_files(SYNC_RUNS, [file]), file.stem.partition(".")[2])
