"""Readers take no lock: a file that a run removes after they have listed it costs them nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from pipelines.orchestration.assets.lake import _counts
from tests.helpers.run_cli import run
from warehouse.schema.activity import FEEDBACK_SENT
from warehouse.schema.conversations import TAGS
from warehouse.storage import activity_log, lake, parquet
from warehouse.storage.home import Home

AT = datetime(2026, 11, 2, 3, tzinfo=UTC)
DAYS = (date(2026, 11, 1), date(2026, 11, 2))


@pytest.fixture
def home(tmp_path):
    """A home with a tag on each of two days."""
    home = Home(tmp_path / "data").open()
    for day in DAYS:
        row = {"conversation_id": f"conv_{day.day}", "start_date": day, "tag_index": 0}
        lake.overwrite_partition(home, TAGS, day, tags(home, row))
    return home


def tags(home, *rows):
    return lake.prepare(home, TAGS, parquet.frame(TAGS, rows))


@pytest.fixture
def remove_first_day(home, monkeypatch):
    """From the first time on that files were listed, the first day has no rows."""
    read_consistently = parquet.read_consistently

    def read(list_paths, read_paths):
        def list_and_remove():
            files = list_paths()
            lake.overwrite_partition(home, TAGS, DAYS[0], tags(home))
            return files

        return read_consistently(list_and_remove, read_paths)

    for module in ("warehouse.storage.parquet", "pipelines.orchestration.assets.lake"):
        monkeypatch.setattr(f"{module}.read_consistently", read)


@pytest.mark.usefixtures("remove_first_day")
def test_rows_of_the_lake_are_those_that_are_left(home):
    assert lake.read(home, TAGS)["conversation_id"].to_list() == ["conv_2"]


@pytest.mark.usefixtures("remove_first_day")
def test_counts_of_a_table_are_those_of_the_files_that_are_left(home, tmp_path):
    assert run(tmp_path, "tables", "lake.tags", "--json").data["n_rows"] == 1


@pytest.mark.usefixtures("remove_first_day")
def test_counts_for_dagster_are_those_of_the_files_that_are_left(home):
    assert _counts("n_rows", home.table(TAGS))["n_rows"] == 1


def test_entries_that_are_merged_meanwhile_are_read_once(home, monkeypatch):
    for number in range(3):
        entry = {"conversation_id": f"conv_{number}", "sent_at": AT, "feedback": "like", "outcome": "sent"}
        activity_log.append(home, FEEDBACK_SENT, [entry])
    monkeypatch.setattr(activity_log, "MAX_FILES", 1)
    read_consistently = parquet.read_consistently

    def read(list_paths, read_paths):
        def list_and_merge():
            files = list_paths()
            activity_log._merge_files(home, FEEDBACK_SENT)
            return files

        return read_consistently(list_and_merge, read_paths)

    monkeypatch.setattr(parquet, "read_consistently", read)
    ids = activity_log.latest_entries(home, FEEDBACK_SENT)["conversation_id"]
    assert sorted(ids) == ["conv_0", "conv_1", "conv_2"]
