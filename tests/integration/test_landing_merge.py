"""Small files of the landing are merged; no kill, reader, webhook or erasure meanwhile loses or repeats a row."""

from __future__ import annotations

import os
import shutil
import threading
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.emulator.generator.world import World
from pipelines.emulator.server.app import create_app
from pipelines.emulator.server.serve import running
from pipelines.extract import run_log
from pipelines.settings import Settings
from pipelines.usecases import sync
from pipelines.usecases.context import Context
from pipelines.usecases.erasure import erase
from pipelines.webhook.batch_writer import TombstoneIndex
from tests.helpers import kill_at
from tests.helpers.disk_contents import contents
from tests.helpers.few_models import FEW
from tests.helpers.kept_home import KeptHome
from tests.helpers.landed_files import START, land_rows, land_snapshot, landed, merge_and_die, n_files, n_records
from tests.helpers.recording_app import assert_equals
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.schema.operations import CONVERSATION_LIST, SYNC_RUNS
from warehouse.schema.reference_data import LANDED_TOOLS
from warehouse.storage import erasure, lake, landing, landing_merge, lock, parquet, run_records
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import folder, item_listings, item_rows, land_items

UNTIL = datetime(2026, 11, 20, tzinfo=UTC)
N = 7
"""Listings and segments of a home that has something to merge."""


@pytest.fixture
def home(tmp_path):
    home = Home(tmp_path / "home [1]").open()
    for number in range(N):
        land_rows(home, START + timedelta(hours=number), {"conv_a": "A", "conv_b": f"B{number // 3}"})
        land_snapshot(home, f"conv_{number % 3}", number)
    return home


def list_rows(home):
    return parquet.read_files(LANDED_LISTINGS, home.files(home.listings))


def test_a_row_lands_where_it_changed_and_comes_back_after_a_change(home):
    rows = list_rows(home).drop_nulls("fingerprint").sort("listed_at")
    assert rows.filter(conversation_id="conv_a")["fingerprint"].to_list() == ["A"]
    assert rows.filter(conversation_id="conv_b")["fingerprint"].to_list() == ["B0", "B1", "B2"]
    assert list_rows(home).filter(pl.col("fingerprint").is_null())["payload"].null_count() == 2 * N - 4
    for number, content in enumerate(("B", "A"), start=N):
        land_rows(home, START + timedelta(hours=number), {"conv_a": content})
    landing_merge.merge(home)
    rows = list_rows(home).filter(conversation_id="conv_a").sort("listed_at")
    assert rows["fingerprint"].to_list() == ["A", "B", "A"]
    latest = landing.latest_list_rows(home, ("fingerprint", "first_seen_at", "listed_at"))
    assert latest.filter(conversation_id="conv_a").row(0)[1:] == ("A", START, START + timedelta(hours=N + 1))


def test_a_clock_that_went_back_changes_neither_which_row_is_the_latest_nor_the_last_sight(home):
    before = START - timedelta(days=365)
    land_rows(home, before, {"conv_a": "A", "conv_b": "B of before"})
    for _ in range(2):
        latest = landing.latest_list_rows(home, ("fingerprint", "listed_at"))
        assert sorted(latest.rows()) == [("conv_a", "A", before), ("conv_b", "B of before", before)]
        landing_merge.merge(home)
    assert list_rows(home).filter(conversation_id="conv_a").height == 1


def test_merging_makes_one_file_a_folder_and_changes_nothing_that_is_read(home):
    before = landed(home)
    landing_merge.merge(home)
    assert (n_files(home), n_records(home)) == (2, 0)
    assert landed(home) == before
    files = {file: file.read_bytes() for file in home.landing.rglob("*.parquet")}
    landing_merge.merge(home)
    assert {file: file.read_bytes() for file in home.landing.rglob("*.parquet")} == files


def test_three_small_files_stay_and_a_fourth_is_merged_with_them(tmp_path):
    home, n_listings = Home(tmp_path / "few").open(), []
    for number in range(4):
        land_rows(home, START + timedelta(hours=number), {"conv_a": f"A{number}"})
        landing_merge.merge(home)
        n_listings.append(len(home.files(home.listings)))
    assert n_listings == [1, 2, 3, 1]


def test_list_rows_merge_alike_in_any_order(home):
    rows = list_rows(home)
    merged = landing_merge.merge_list_rows(rows)
    for seed in range(5):
        assert landing_merge.merge_list_rows(rows.sample(fraction=1, shuffle=True, seed=seed)).equals(merged)


def test_no_more_than_so_many_bytes_are_merged_into_one_file(home, monkeypatch):
    sizes = [file.stat().st_size for file in home.files(home.listings)]
    limit = sizes[0] + sizes[1]
    monkeypatch.setattr(landing_merge, "MERGED_BYTES", limit)
    replace, merged_bytes = landing_merge._replace, []

    def replace_and_note(home, files, *rows_and_footer):
        if files[0].parent == home.listings:
            merged_bytes.append(sum(file.stat().st_size for file in files))
        return replace(home, files, *rows_and_footer)

    monkeypatch.setattr(landing_merge, "_replace", replace_and_note)
    before = landed(home)
    landing_merge.merge(home)
    assert merged_bytes[0] == max(merged_bytes) == limit
    assert landed(home) == before


def test_a_large_file_is_never_merged_and_separates_its_neighbours(home, monkeypatch):
    """conv_a is A, then B in the large file, then A: the two As are not the same row."""
    monkeypatch.setattr(landing_merge, "SMALL_BYTES", 10_000)
    land_rows(home, START + timedelta(hours=N), {"conv_a": "B", "conv_large": os.urandom(10_000).hex()})
    large_file = home.files(home.listings)[-1]
    for number in range(N + 1, 2 * N):
        land_rows(home, START + timedelta(hours=number), {"conv_a": "A"})
    before = landed(home)
    landing_merge.merge(home)
    files = home.files(home.listings)
    assert (len(files), files[1]) == (3, large_file)
    assert landed(home) == before


def test_killed_between_any_two_steps_readers_see_every_row_once_and_the_next_writer_finishes(
    home, tmp_path, monkeypatch
):
    before = landed(home)
    n_steps = 2 * (N + 3)  # of each folder: the record, the merged file, the removal of every file and of the record
    for step in range(1, n_steps + 1):
        copy = Home(shutil.copytree(home.root, tmp_path / f"home {step}"))
        assert merge_and_die(copy, monkeypatch, step)
        assert n_records(copy) == ((step - 1) % (N + 3) > 0)
        assert landed(copy) == before, step
        with lock.write_lock(copy, what="sync", now=START):
            assert n_records(copy) == 0
            assert landed(copy) == before, step
        landing_merge.merge(copy)
        assert landed(copy) == before, step
    assert not merge_and_die(home, monkeypatch, n_steps + 1)
    assert (n_files(home), n_records(home)) == (2, 0)


def test_a_damaged_record_of_a_killed_merge_stops_nothing_and_counts_no_row_twice(home, monkeypatch):
    def latest():
        list_rows = landing.latest_list_rows(home, (*landing.LIST_ROW_COLUMNS, "first_seen_at"))
        return list_rows.sort("conversation_id").rows(), landing.latest_snapshots(home).sort("conversation_id").rows()

    before = latest()
    merge_and_die(home, monkeypatch, 4)  # rows are in the merged file, and in those that are not removed yet
    (record,) = (home.landing / "merges").iterdir()
    record.write_bytes(b"")
    assert latest() == before
    with lock.write_lock(home, what="sync", now=START):
        assert n_records(home) == 0
    landing_merge.merge(home)
    assert latest() == before


@pytest.mark.parametrize("step", range(1, 2 * N))
def test_what_is_erased_after_a_killed_merge_is_in_no_file(step, home, monkeypatch):
    merge_and_die(home, monkeypatch, step)
    with lock.write_lock(home, what="erase", now=START):
        start_dates = erasure.find_start_dates(home, ["conv_1", "conv_b"])
        erasure.write_tombstones(home, start_dates, START + timedelta(days=1))
        erasure.purge(home)
    for _ in range(2):
        everything = contents(home.root)
        assert b"words of conv_1" not in everything
        assert b"B1" not in everything
        assert b"words of conv_2" in everything
        assert landing.erased_ids(home) == {"conv_1", "conv_b"}
        assert len(landing.listings(home)) == N
        landing_merge.merge(home)


def test_a_redaction_empties_merged_rows_and_leaves_repeated_ones_without_content(home):
    landing_merge.merge(home)
    land_rows(home, START + timedelta(days=1), {"conv_b": "B2"})
    erasure.redact(home, {"conv_b"}, lambda payload: (payload, "sha"))
    rows = list_rows(home).filter(conversation_id="conv_b").sort("listed_at")
    assert rows["payload"].to_list() == [b"{}", b"{}", b"{}", None]
    assert len(landing.listings(home)) == N + 1


def test_the_webhook_receiver_keeps_knowing_what_is_erased(home):
    index = TombstoneIndex(home)
    land_snapshot(home, "conv_1", N, landing.ERASED)
    landing_merge.merge(home)
    assert [name in index.erased_ids() for name in ("conv_1", "conv_2")] == [True, False]
    assert "conv_1" in TombstoneIndex(home).erased_ids()


def test_a_reader_beside_merges_and_webhooks_misses_and_repeats_nothing(home):
    """Segments land and are merged all the time; a reader sees all that had landed before it began."""
    n_landed, is_done, problems = [N], threading.Event(), []

    def read():
        while not is_done.is_set():
            at_least = n_landed[0]
            minutes = landing.snapshots(home)["n_texts"].to_list()
            listings = [listing.listed_at for listing in landing.listings(home)]
            if not set(range(at_least)) <= set(minutes) or len(set(minutes)) < len(minutes):
                problems.append((at_least, sorted(minutes)))
            if len(listings) != len(set(listings)) or len(listings) < N:
                problems.append(listings)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for number in range(N, 160):
            land_snapshot(home, f"conv_{number % 5}", number)
            n_landed[0] = number + 1
            if number % 4 == 0:
                land_rows(home, START + timedelta(hours=number), {"conv_a": "A"})
                landing_merge.merge(home)
    finally:
        is_done.set()
        reader.join()
    assert problems == []


def test_tool_listings_and_run_records_are_merged(home):
    for number in range(N):
        at = START + timedelta(hours=number)
        tools = [{"tool_id": f"tool_{tool}", "listed_at": at, "content_sha256": "1"} for tool in range(number % 3)]
        land_items(home, LANDED_TOOLS, at, tools)
        run_log.start_run(home, f"run_{number}", at=at, window=None)
    run_log.finish_run(home, "run_1", at=at, outcome="complete")

    def rows():
        records = run_records.records(home).sort("run_id").rows()
        return item_rows(home, LANDED_TOOLS).rows(), item_listings(home, LANDED_TOOLS), records

    before = rows()
    landing_merge.merge(home)
    assert (len(home.files(folder(home, LANDED_TOOLS))), len(home.files(home.runs))) == (1, 1)
    assert rows() == before
    assert lake.read(home, SYNC_RUNS).sort("run_id").rows() == before[2]


def test_a_run_of_several_steps_goes_on_after_its_record_was_merged(home):
    """A run of Dagster takes the lock for each step; other runs merge in between."""
    for number in range(2 * N):
        run_log.start_run(home, f"run_{number}", at=START, window=None)
        landing_merge.merge(home)
        run_log.add_counts(home, "run_1" if number else "run_0", at=START, n_listed=1)
    assert run_log.row(home, "run_1")["n_listed"] == 2 * N - 1
    run_log.finish_run(home, "run_1", at=START, outcome="complete")
    landing_merge.merge(home)
    assert run_log.row(home, "run_1")["outcome"] == "complete"
    assert lake.read(home, SYNC_RUNS).filter(run_id="run_1").rows() == [tuple(run_log.row(home, "run_1").values())]
    assert sorted(run_records.records(home)["run_id"]) == sorted(f"run_{number}" for number in range(2 * N))


def test_the_runs_of_an_earlier_version_are_in_the_lake_once(home):
    run_log.start_run(home, "old", at=START, window=None)
    table = home.table(SYNC_RUNS)
    home.file(table).rename(home.file(table, "old"))  # version 0.2.0 wrote a file per run
    run_log.start_run(home, "new", at=START, window=None)
    assert sorted(lake.read(home, SYNC_RUNS)["run_id"]) == ["new", "old"]
    assert home.files(table) == [home.file(table)]


POINTS = {
    "before the record": ("pathlib:Path.replace", 1, "/landing/merges/"),
    "before the merged file": ("pathlib:Path.replace", 1, "-merged"),
    "among the replaced files": ("pathlib:Path.unlink", 2, "/landing/listings/"),
    "before the record is removed": ("pathlib:Path.unlink", 1, "/landing/merges/"),
}


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory):
    return KeptHome(tmp_path_factory.mktemp("merge") / "home")


@pytest.mark.usefixtures("few_models", "conversations_alone")
@pytest.mark.parametrize("point", POINTS)
def test_a_run_killed_in_its_merge_is_followed_by_a_complete_one(point, kept_home):
    """The process dies as by kill -9; the next run erases a conversation, and the one after it copies the rest."""
    world = World(seed=5, conversations=30, days=2, until=UNTIL)
    documents = list(world.details(UNTIL))
    now = [UNTIL]
    with running(create_app(world, clock=lambda: UNTIL)) as url:
        settings = Settings(home=kept_home.root, base_url=url, api_key="demo", reread_days=())
        context = Context(settings, clock=lambda: now[0])

        def make():
            for number in range(landing_merge.MIN_FILES):
                now[0] = UNTIL + timedelta(hours=number)
                sync.sync(context, run_id=str(number))

        kept_home.put(make)
        now[0] = UNTIL + timedelta(hours=landing_merge.MIN_FILES - 1)
        before = lake.read(context.home, CONVERSATION_LIST).rows()
        variables = {"ELEVENLABS_BASE_URL": url, "ELEVENLABS_API_KEY": "demo", "CONVOHOUSE_HOME": str(settings.home)}
        kill_at.die(POINTS[point], "sync", few=FEW, **variables)

        sync_rows = landing.latest_list_rows(context.home, ("fingerprint", "first_seen_at", "listed_at"))
        assert {row[0] for row in sync_rows.rows()} == {row[1] for row in before}
        erased_id = documents[0]["conversation_id"]
        erase(context, [erased_id])
        now[0] += timedelta(hours=1)
        result = sync.sync(context, run_id="next")
    assert result.problems == ()
    assert n_records(context.home) == 0
    assert_equals(context, [document for document in documents if document["conversation_id"] != erased_id])
    rows = lake.read(context.home, CONVERSATION_LIST)
    # apart from when it was seen last, the list is what it was before the merge
    assert rows.drop("last_seen_at").rows() == [row[:-1] for row in before if row[1] != erased_id]
    assert set(rows["last_seen_at"]) == {now[0]}
