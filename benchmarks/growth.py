"""A home after months of hourly runs and webhooks, compared with a fresh one of the same conversations."""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from benchmarks.corpus import DAYS
from benchmarks.full_sync import convohouse, settings
from benchmarks.process_metrics import OURS, Measured, bytes_of, run, serving
from benchmarks.report import Figure
from benchmarks.stored_home import land
from pipelines.clock import utc_now
from warehouse.schema.landing import LANDED_DOCUMENTS, LANDED_LISTINGS
from warehouse.schema.operations import SYNC_RUNS
from warehouse.schema.reference_data import LANDED_TOOLS
from warehouse.schema.types import Type
from warehouse.storage import parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import land_items

LOOKBACK = timedelta(days=3)
NOTHING_DUE = {"CONVOHOUSE_REREAD_DAYS": "[]"}
"""While many conversations are landed, some become a day, a week or a month old, and would be fetched again."""
RUNS = 3
"""Quiet syncs of each home, in turns; the one with the least processor time counts."""


def growth(n_conversations: int, n_listings: int, n_segments: int) -> Iterator[Figure]:
    """Quiet syncs, and a sync with late changes, of a fresh and of a grown home with the same conversations."""
    with tempfile.TemporaryDirectory() as folder:
        fresh, grown = Path(folder) / "fresh", Path(folder) / "grown"
        n_stored = land(fresh, n_conversations)
        land(grown, n_conversations)
        _grow(Home(grown), n_listings, n_segments)
        name = f"{n_listings:,} listings, {n_segments:,} segments"
        sizes = {home: bytes_of(home / "landing") for home in (fresh, grown)}
        with serving(n_conversations) as server:
            first = [run([OURS / "convohouse", "sync"], env=settings(home, server.url) | NOTHING_DUE) for home in sizes]
            yield _figure(f"{n_stored:,} stored, first sync", "fresh", first[0], first[0], sizes[fresh])
            yield _figure("", name, first[1], first[0], sizes[grown])
            quiet: list[list[Measured]] = [[], []]
            for _ in range(RUNS):
                for measures, home in zip(quiet, sizes, strict=True):
                    measures.append(run([OURS / "convohouse", "sync"], env=settings(home, server.url) | NOTHING_DUE))
        best = [min(measures, key=lambda measured: measured.cpu) for measures in quiet]
        yield _figure("quiet sync", "fresh", best[0], best[0], bytes_of(fresh / "landing"))
        yield _figure("", name, best[1], best[0], bytes_of(grown / "landing"))
        with serving(n_conversations, is_revised=True) as server:
            late = [convohouse(home, server, "--since", f"{DAYS + 1}d") for home in sizes]
        yield _figure("1 % late changes, all listed again", "fresh", late[0], late[0])
        yield _figure("", name, late[1], late[0])


def _figure(what: str, who: str, measured: Measured, fresh: Measured, disk: int | None = None) -> Figure:
    ratio = f"{measured.cpu / fresh.cpu:.2f} x CPU, {measured.memory / fresh.memory:.2f} x memory of fresh"
    return Figure(what, who, measured, f"{measured.wall:.1f} s", ratio, disk)


def _grow(home: Home, n_listings: int, n_segments: int) -> None:
    """Replace what ``land`` wrote by as many files, in the form in which version 0.2.0 wrote them.

    A listing has every row of its window. A segment has one snapshot: of the document, or that it is unchanged.
    """
    (listing,) = home.files(home.listings)
    _write_listings(home, parquet.read_files(LANDED_LISTINGS, [listing]), n_listings)
    listing.unlink()
    segments = home.files(home.landing, "start_date=*/")
    _write_runs(home, n_listings)
    snapshots = parquet.read_files(LANDED_DOCUMENTS, segments)
    for repeat in range(n_segments // snapshots.height):
        for row in snapshots.iter_slices(1):
            _write_segment(home, row, repeat)
    for segment in segments:
        segment.unlink()


def _write_listings(home: Home, rows: pl.DataFrame, n_listings: int) -> None:
    now = utc_now()
    beginning = now - timedelta(days=DAYS)
    step = (now - beginning) / n_listings
    for number in range(1, n_listings + 1):
        at = beginning + step * number
        since = at - LOOKBACK if number > 1 else None
        shown = rows.filter(pl.col("start_time_at") < at)
        shown = shown if since is None else shown.filter(pl.col("start_time_at") >= since)
        window = {"listed_at": at.isoformat(), "since": since and since.isoformat(), "until": at.isoformat()}
        footer = {"window": json.dumps(window | {"agent_id": None})}
        target = home.file(home.listings, _old_name(at))
        parquet.write_file(home, target, shown.with_columns(listed_at=pl.lit(at)), footer=footer)


def _write_runs(home: Home, n_runs: int) -> None:
    """What each run leaves besides a listing: its record, and a listing of the tools."""
    now = utc_now()
    counts = {column.name: 0 for column in SYNC_RUNS.columns if column.type in {Type.INT, Type.FLOAT}}
    for number in range(n_runs):
        at, run_id = now - timedelta(days=DAYS) / n_runs * (n_runs - number), f"run{number:06d}"
        row = {"run_id": run_id, "started_at": at, "ended_at": at, "outcome": "complete", **counts}
        for folder in (home.runs, home.table(SYNC_RUNS)):
            parquet.write_file(home, home.file(folder, run_id), parquet.frame(SYNC_RUNS, [row]))
        payload = None if number else b'{"tool_config": {"name": "tool"}}'
        land_items(
            home,
            LANDED_TOOLS,
            at,
            [{"tool_id": "tool_1", "listed_at": at, "content_sha256": "1", "usage_stats": b"null", "payload": payload}],
        )


def _write_segment(home: Home, row: pl.DataFrame, repeat: int) -> None:
    fetched_at: datetime = row["fetched_at"][0] + timedelta(seconds=repeat)
    row = row.with_columns(fetched_at=pl.lit(fetched_at))
    if repeat:
        row = row.with_columns(kind=pl.lit("unchanged"), payload=pl.lit(None, pl.Binary))
    folder = home.landing / f"start_date={row['start_date'][0]}"
    parquet.write_file(home, home.file(folder, _old_name(fetched_at)), row)


def _old_name(at: datetime) -> str:
    """The name of a landed file in a home of 0.2.0."""
    return f"{at:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"
