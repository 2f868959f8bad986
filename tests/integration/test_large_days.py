"""A day that is merged by ranges of ids has the same files as one that is merged at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.emulator.server.serve import running
from pipelines.transform import merge_large_day
from pipelines.transform.refresh_lake import refresh_lake
from pipelines.usecases import sync, sync_reference_data
from tests.helpers.few_models import few_built
from tests.helpers.landed_files import snapshot_of
from tests.helpers.nights import NIGHT, Nights
from tests.helpers.sample_documents import READ_AT, STARTED, detail
from warehouse.schema.conversations import CONVERSATION_CHECKS, CONVERSATIONS
from warehouse.schema.registry import TABLES
from warehouse.schema.transcript import TURNS
from warehouse.storage import lake, landing, parquet
from warehouse.storage.home import Home

pytestmark = pytest.mark.usefixtures("few_models", "conversations_alone")

DAILY = [table for table in TABLES if table.is_daily]


def run_nights(folder, monkeypatch, n_per_range):
    """Three nights with new, changed and deleted conversations, and one in which all rows are rebuilt."""
    nights = Nights(folder, conversations=60, days=4)
    with monkeypatch.context() as patch, running(nights.app) as url:
        patch.setattr(merge_large_day, "CONVERSATIONS_PER_RANGE", n_per_range)
        patch.setattr(sync_reference_data, "AFTER_FLATTENING", ())
        context = nights.context(url, processes=0, lookback_days=9)
        nights.now -= 2 * NIGHT
        sync.sync(context, run_id="1")
        gone = next(iter(nights.documents()))
        for run_id in ("2", "3"):
            nights.now += NIGHT
            nights.world.delete(gone, nights.now)
            sync.sync(context, run_id=run_id)
        sync.reprocess(context, run_id="4")
    return context


@pytest.fixture(scope="module")
def ranges(tmp_path_factory):
    """The nights with days that are merged by ranges."""
    with few_built("marts.dim_agents"), pytest.MonkeyPatch.context() as patch:
        return run_nights(tmp_path_factory.mktemp("large") / "ranges", patch, 7)


def rows_of(context, table):
    """The rows of each day in the order of its file."""
    return {
        day: parquet.read_files(table, lake.day_files(context.home, table, day))
        for day in lake.days(context.home, table)
    }


def test_ranges_make_the_files_of_a_whole_day(ranges, tmp_path, monkeypatch):
    whole = run_nights(tmp_path / "whole", monkeypatch, 10**6)
    assert lake.read(whole.home, TURNS).height > 200
    for table in DAILY:
        expected, actual = rows_of(whole, table), rows_of(ranges, table)
        assert actual.keys() == expected.keys(), table.name
        for day, rows in expected.items():
            assert actual[day].equals(rows), (table.name, day)
    (day, *_) = lake.days(whole.home, CONVERSATION_CHECKS)
    files = [lake.day_files(context.home, CONVERSATION_CHECKS, day)[0] for context in (whole, ranges)]
    assert lake.read_counts(files[0]) == lake.read_counts(files[1])
    assert not list(ranges.home.temporary.iterdir())


def test_a_large_day_without_news_is_not_written_again(ranges, monkeypatch):
    files = sorted(ranges.home.lake.rglob("day=2*/*.parquet"))
    before = {file: file.stat().st_mtime_ns for file in files}
    monkeypatch.setattr(merge_large_day, "CONVERSATIONS_PER_RANGE", 7)
    sync.reprocess(ranges, run_id="5")
    assert {file: file.stat().st_mtime_ns for file in files} == before


def test_a_large_day_that_loses_the_rows_of_a_table_loses_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(merge_large_day, "CONVERSATIONS_PER_RANGE", 2)
    home, ids = Home(tmp_path / "home").open(), [f"conv_{number}" for number in range(5)]
    spoken = [{"role": "user", "message": "Hello."}]
    day = datetime.fromtimestamp(STARTED, UTC).date()
    for hours, transcripts, n_files in (
        (1, dict.fromkeys(ids, spoken), 1),
        (2, {name: [] for name in ids[1:]}, 1),
        (3, {ids[0]: []}, 0),
    ):
        landing.land_documents(
            home,
            [
                snapshot_of(detail(conversation_id=name, transcript=transcript), READ_AT + timedelta(hours=hours))
                for name, transcript in transcripts.items()
            ],
        )
        refresh_lake(home, reread_days=(1,))
        assert len(lake.day_files(home, TURNS, day)) == n_files
    assert set(lake.read(home, CONVERSATIONS)["conversation_id"]) == set(ids)


@pytest.mark.parametrize("n_replaced", [0, 3, 12])
def test_a_merge_that_is_interrupted_is_repeated(tmp_path, monkeypatch, n_replaced):
    nights = Nights(tmp_path / "ranges", conversations=60, days=4)
    monkeypatch.setattr(merge_large_day, "CONVERSATIONS_PER_RANGE", 7)
    replace, calls = lake.replace_partition, []

    def interrupt(*arguments):
        calls.append(arguments)
        if len(calls) == n_replaced + 1:
            raise KeyboardInterrupt
        replace(*arguments)

    with running(nights.app) as url:
        context = nights.context(url, processes=0, lookback_days=9)
        with monkeypatch.context() as patch:
            patch.setattr(lake, "replace_partition", interrupt)
            with pytest.raises(KeyboardInterrupt):
                sync.sync(context, run_id="1")
        sync.sync(context, run_id="2")
    assert all(result.is_passed for result in sync.check(context))
    assert lake.read(context.home, TURNS).height > 200
