"""Time the build of every SQL model and print them, slowest first: ``.venv/bin/python benchmarks/models.py``.

Emulator conversations are flattened once and copied in the lake under new ids to other days, so any number of them is
ready in seconds. The target is 5 s for all models over 20,000 conversations on 2 cores; several sizes side by
side show whether a model grows in proportion to its rows. Figures differ between machines and moments.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from rich.console import Console
from rich.table import Table

from pipelines.emulator.generator.world import World
from pipelines.transform.agents import refresh_agents
from pipelines.transform.flatten import PARSER_VERSION, Snapshot, flatten
from warehouse.build.runner import BuildResult, build
from warehouse.connection import Limits
from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS
from warehouse.schema.registry import BY_NAME, DOCUMENT_TABLES
from warehouse.storage import lake
from warehouse.storage.home import Home

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)
DAYS = 30
"""Days of one copy; three copies follow each other, the fourth falls on the days of the first again."""
ORIGINALS = 2000
RATED_OF = 20
"""Of so many conversations that are fetched again, one has a new rating."""
TARGET_SECS = 5.0


def originals(conversations: int) -> dict[str, pl.DataFrame]:
    """Frames of the lake by table name for this many conversations of the emulator."""
    world = World(conversations=conversations, days=DAYS, until=UNTIL)
    payloads = ((document["conversation_id"], json.dumps(document).encode()) for document in world.details(UNTIL))
    frames = flatten(Snapshot(conversation_id, payload, UNTIL) for conversation_id, payload in payloads).frames
    return frames | {CONVERSATION_CHECKS.name: checks_of(frames[CONVERSATIONS.name], UNTIL)}


def checks_of(conversations: pl.DataFrame, checked_at: datetime) -> pl.DataFrame:
    """Rows of ``conversation_checks``, all of the same time."""
    checked = pl.lit(checked_at).dt.cast_time_unit("us").alias("checked_at")
    version = pl.lit(PARSER_VERSION, pl.Int64).alias("parser_version")
    others = (pl.lit("sha").alias("content_sha256"), version, pl.lit("settled").alias("settle_state"))
    return conversations.select("workspace", "conversation_id", "start_date", checked, *others)


def copied(frame: pl.DataFrame, number: int) -> pl.DataFrame:
    """Rows of one table under new conversation ids, moved back by whole copies."""
    back = timedelta(days=DAYS * (number % 3))
    moved = [(pl.col(name) - back).alias(name) for name in ("start_date", "start_time_at") if name in frame.columns]
    return frame.with_columns(pl.col("conversation_id") + f"_{number}", *moved)


def fill(home: Home, frames: Mapping[str, pl.DataFrame], copies: int) -> None:
    """Write so many copies of the frames into the lake."""
    lake.ensure_schema_files(home)
    for name, frame in frames.items():
        rows = pl.concat([copied(frame, number) for number in range(copies)])
        for (day,), day_rows in rows.group_by("start_date"):
            lake.overwrite_partition(home, BY_NAME[name], day, day_rows)
    refresh_agents(home)


def add_night(home: Home) -> None:
    """Change the lake as a night does: a day of new conversations, and those of 1, 7 and 30 days ago fetched again."""
    last = max(lake.days(home, CONVERSATIONS))
    new, at = last + timedelta(days=1), UNTIL + timedelta(days=1)
    for table in (*DOCUMENT_TABLES, CONVERSATION_CHECKS):
        rows = lake.read(home, table, where=pl.col("start_date") == last)
        times = [pl.col("start_time_at") + timedelta(days=1)] if "start_time_at" in rows.columns else []
        rows = rows.with_columns(pl.col("conversation_id") + "_new", *times, start_date=pl.lit(new))
        lake.overwrite_partition(home, table, new, rows)
    is_rated = pl.int_range(pl.len()) % RATED_OF == 0
    likes = pl.when(is_rated).then(pl.col("feedback_likes").fill_null(0) + 1).otherwise("feedback_likes")
    for days_ago in (1, 7, 30):
        day = new - timedelta(days=days_ago)
        rows = lake.read(home, CONVERSATIONS, where=pl.col("start_date") == day)
        lake.overwrite_partition(home, CONVERSATIONS, day, rows.with_columns(feedback_likes=likes))
        lake.overwrite_partition(home, CONVERSATION_CHECKS, day, checks_of(rows, at))


def timed(frames: Mapping[str, pl.DataFrame], copies: int, threads: int) -> tuple[BuildResult, float, float]:
    """A build over so many copies; wall and processor time in seconds, checks included."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home").open()
        fill(home, frames, copies)
        wall, processor = time.perf_counter(), time.process_time()
        built = build(home, limits=Limits(threads=threads))
        return built, time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--conversations", type=int, nargs="+", default=[10_000, 20_000])
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    frames = originals(min(ORIGINALS, *options.conversations))
    n_originals = frames["conversations"].height
    builds = [timed(frames, max(1, round(n / n_originals)), options.threads) for n in options.conversations]
    sizes = [max(1, round(n / n_originals)) * n_originals for n in options.conversations]
    last = {model.key: model.n_rows for model in builds[-1][0].models}
    secs = {
        key: [next(model.secs for model in built.models if model.key == key) for built, *_ in builds] for key in last
    }
    table = Table(
        "model", "rows", *(f"{n:,} conversations" for n in sizes), title=f"seconds, {options.threads} threads"
    )
    for key in sorted(secs, key=lambda key: -secs[key][-1]):
        table.add_row(key, f"{last[key]:,}", *(f"{seconds:.3f}" for seconds in secs[key]))
    totals = [sum(model.secs for model in built.models) for built, *_ in builds]
    table.add_section()
    table.add_row("all models", "", *(f"{total:.2f}" for total in totals))
    table.add_row("whole build, with checks", "", *(f"{wall:.2f}" for _, wall, _ in builds))
    table.add_row("its processor time", "", *(f"{processor:.2f}" for *_, processor in builds))
    console = Console()
    console.print(table)
    for n, total, (built, *_) in zip(sizes, totals, builds, strict=True):
        bar = TARGET_SECS * n / 20_000
        console.print(
            f"{n:,} conversations: {total:.2f} s for all models, target {bar:.1f} s; failed checks: {len(built.failed)}"
        )
        for result in built.failed:
            console.print(f"  {result.check.name}: {result.n_failing} rows, such as {result.sample_rows[:1]}")


if __name__ == "__main__":
    main()
