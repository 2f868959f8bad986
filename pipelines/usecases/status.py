"""The status of a home folder: what it holds, how fresh that is, what the next run would fetch, how runs ended.

It only reads: it takes no lock and creates no folder, so it works while a run is writing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.extract.fetch_plan import plan_fetches
from pipelines.extract.fetch_policy import REASONS
from pipelines.transform.refresh_lake import stale_snapshots
from pipelines.transform.settle_state import settle_state
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.schema.operations import DELETIONS, QUARANTINE
from warehouse.storage import lake, landing, parquet, run_records
from warehouse.storage.freshness import last_full_listing_at
from warehouse.storage.home import Home

STATES = ("open", "settling", "settled")
MAX_RUNS = 5
"""Latest runs that a status has."""


@dataclass(frozen=True, slots=True)
class Status:
    """One workspace of a home folder at one moment; counts are of conversations.

    ``last_full_listing_at`` says how fresh it is (``warehouse.storage.freshness``). ``states`` counts those that are
    open (not finished), settling (will be fetched again) and settled. ``to_fetch``
    counts, by reason, those that the next run would fetch whatever it lists. ``n_behind`` have a snapshot that the lake
    lacks. ``quarantine`` and ``runs`` are rows of ``quarantine`` and ``sync_runs``, latest first. ``sizes`` are bytes
    on disk by part.
    """

    home: Path
    workspace: str
    n_listed: int
    n_landed: int
    n_in_lake: int
    n_behind: int
    n_deleted: int
    n_agents: int
    first_date: date | None
    last_date: date | None
    listed_at: datetime | None
    last_full_listing_at: datetime | None
    read_at: datetime | None
    built_at: datetime | None
    states: dict[str, int]
    to_fetch: dict[str, int]
    quarantine: tuple[dict[str, Any], ...]
    runs: tuple[dict[str, Any], ...]
    sizes: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """The keys of ``convohouse status --json``; ``wanted`` is the published name of ``to_fetch``."""
        return {"wanted" if name == "to_fetch" else name: value for name, value in asdict(self).items()}


def read_status(home: Home, *, now: datetime, reread_days: Sequence[int], confirm_after: timedelta) -> Status:
    """Read the status of a workspace; the home folder may be empty or missing."""
    snapshots, listings = landing.latest_snapshots(home), landing.listings(home)
    conversations = lake.read(home, CONVERSATIONS, ["conversation_id", "agent_id", "start_date"])
    states = snapshots.filter(pl.col("kind") != landing.ERASED).select(
        state=settle_state(pl.col("fetched_at"), reread_days)
    )
    to_fetch = plan_fetches(home, now=now, reread_days=reread_days, confirm_after=confirm_after)
    runs = run_records.records(home).sort("started_at", descending=True).head(MAX_RUNS)
    quarantine = lake.read(home, QUARANTINE).sort("fetched_at", descending=True)
    return Status(
        home=home.root,
        workspace=home.workspace,
        n_listed=landing.latest_list_rows(home, ("listed_at",)).height,
        n_landed=snapshots.filter(pl.col("content_at").is_not_null()).height,
        n_in_lake=conversations.height,
        n_behind=stale_snapshots(home).height,
        n_deleted=lake.read(home, DELETIONS, ["reason"]).filter(reason="deleted").height,
        n_agents=conversations["agent_id"].n_unique(),
        first_date=_date(conversations["start_date"].min()),
        last_date=_date(conversations["start_date"].max()),
        listed_at=max((listing.listed_at for listing in listings), default=None),
        last_full_listing_at=last_full_listing_at(home, now=now),
        read_at=_datetime(snapshots["fetched_at"].max()),
        built_at=built_at(home),
        states={state: states.filter(state=state).height for state in STATES},
        to_fetch={reason: to_fetch.filter(reason=reason).height for reason in REASONS},
        quarantine=tuple(quarantine.iter_rows(named=True)),
        runs=tuple(runs.iter_rows(named=True)),
        sizes={
            "landing": _size(home, home.landing),
            "lake": _size(home, home.lake),
            "warehouse": home.warehouse.stat().st_size if home.warehouse.exists() else 0,
        },
    )


def _date(value: object) -> date | None:
    return value if isinstance(value, date) else None


def _datetime(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None


def built_at(home: Home) -> datetime | None:
    """When the warehouse was last built; None if it was not."""
    return datetime.fromtimestamp(home.warehouse.stat().st_mtime, UTC) if home.warehouse.exists() else None


def _size(home: Home, folder: Path) -> int:
    def read_sizes(files: list[Path]) -> int:
        return sum(file.stat().st_size for file in files)

    return parquet.read_consistently(lambda: home.files(folder, "**/"), read_sizes)
