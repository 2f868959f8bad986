"""Files of a home: complete or absent, written by one at a time, and readable by nobody else."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, date, datetime
from types import SimpleNamespace

import polars as pl
import pytest

from warehouse.errors import HomeError, LockedError, SchemaError
from warehouse.schema.registry import TABLES
from warehouse.schema.transcript import TURNS
from warehouse.storage import lake, lock, parquet
from warehouse.storage.home import Home

AT = datetime(2026, 11, 2, 3, tzinfo=UTC)
DAY = date(2026, 11, 1)


@pytest.fixture
def home(tmp_path):
    """A home whose path, read as a glob pattern, would match other files."""
    return Home(tmp_path / "home [1]").open()


def turn(index, conversation_id="conv_a", **changes):
    return {"conversation_id": conversation_id, "start_date": DAY, "turn_index": index} | changes


def files(home):
    return sorted(str(file.relative_to(home.root)) for file in home.root.rglob("*") if file.is_file())


def test_a_merge_replaces_a_conversations_rows_and_no_others(home):
    lake.upsert_partition(
        home, TURNS, DAY, parquet.frame(TURNS, [turn(0), turn(1), turn(0, "conv_b")]), ["conv_a", "conv_b"]
    )
    fresh = parquet.frame(TURNS, [turn(0, role="agent")])
    for _ in range(2):
        lake.upsert_partition(home, TURNS, DAY, fresh, ["conv_a"])
        rows = lake.read(home, TURNS).select("conversation_id", "turn_index", "role").rows()
        assert rows == [("conv_a", 0, "agent"), ("conv_b", 0, None)]


def test_a_day_without_rows_has_no_file(home):
    lake.overwrite_partition(home, TURNS, DAY, parquet.frame(TURNS, [turn(0)]))
    lake.overwrite_partition(home, TURNS, DAY, parquet.frame(TURNS, []))
    assert not [file for file in files(home) if file.startswith("lake/turns/day")]


def test_an_all_null_column_keeps_its_type_and_an_empty_table_its_columns(home):
    lake.ensure_schema_files(home)
    lake.overwrite_partition(home, TURNS, DAY, parquet.frame(TURNS, [turn(0)]))
    for table in TABLES:
        assert dict(
            pl.read_parquet(list(home.table(table).rglob("*.parquet")), glob=False).schema
        ) == parquet.polars_schema(table)


def test_a_frame_with_other_columns_is_rejected(home):
    with pytest.raises(SchemaError):
        lake.overwrite_partition(home, TURNS, DAY, pl.DataFrame({"conversation_id": ["a"]}))
    with pytest.raises(SchemaError, match="no column typo"):
        parquet.frame(TURNS, [turn(0, typo=1)])
    assert not home.table(TURNS).exists()


def test_a_failed_write_leaves_the_old_file_and_no_temporary_file(home, monkeypatch):
    lake.overwrite_partition(home, TURNS, DAY, parquet.frame(TURNS, [turn(0)]))
    before = files(home)

    def fail_on_full_disk(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail_on_full_disk)
    with pytest.raises(OSError, match="No space left"):
        lake.overwrite_partition(home, TURNS, DAY, parquet.frame(TURNS, [turn(0), turn(1)]))
    assert files(home) == before
    assert lake.read(home, TURNS).height == 1


@pytest.mark.parametrize(
    ("n_free", "message"), [(4096, "No space left on device"), (10**9, "cannot be written: transport error")]
)
def test_a_disk_that_is_full_while_polars_writes_is_named_as_full(home, monkeypatch, n_free, message):
    """polars says "Invalid thrift: transport error" and nothing of the disk."""

    def fail(*_arguments, **_options):
        raise pl.exceptions.ComputeError("transport error")

    lake.overwrite_partition(home, TURNS, DAY, parquet.frame(TURNS, [turn(0)]))
    before = files(home)
    monkeypatch.setattr(pl.DataFrame, "write_parquet", fail)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=n_free))
    with pytest.raises(OSError, match=message) as failure:
        lake.overwrite_partition(home, TURNS, DAY, parquet.frame(TURNS, [turn(0), turn(1)]))
    assert "main.parquet" in str(failure.value)
    assert files(home) == before


def test_a_file_with_the_same_rows_is_not_rewritten_unless_its_columns_are_outdated(home):
    rows = parquet.frame(TURNS, [turn(0), turn(1), turn(0, "conv_b")])
    lake.overwrite_partition(home, TURNS, DAY, rows)
    file = home.file(home.partition(TURNS, DAY))
    written = file.stat().st_ino
    lake.upsert_partition(home, TURNS, DAY, rows.filter(conversation_id="conv_a"), ["conv_a"])
    lake.upsert_partition(home, TURNS, DAY, rows.clear(), ["conv_without_rows"])
    assert file.stat().st_ino == written
    pl.read_parquet(file, glob=False).drop("message").write_parquet(file)
    lake.upsert_partition(home, TURNS, DAY, rows.filter(conversation_id="conv_a"), ["conv_a"])
    assert pl.read_parquet(file, glob=False).columns == list(TURNS.column_names)
    assert lake.read(home, TURNS).drop("workspace").equals(rows.drop("workspace"))


def test_a_folder_that_is_not_a_home_or_cannot_be_created_is_rejected_untouched(tmp_path):
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("mine")
    with pytest.raises(HomeError, match="is not a convohouse home") as raised:
        Home(tmp_path / "theirs").open()
    assert raised.value.exit_code == 2
    assert [file.name for file in (tmp_path / "theirs").iterdir()] == ["thesis.txt"]
    with pytest.raises(HomeError, match="cannot be used"):
        Home(tmp_path / "theirs" / "thesis.txt" / "below").open()


def test_a_home_is_readable_by_its_owner_only(home):
    assert home.root.stat().st_mode & 0o777 == 0o700


def test_the_error_of_a_second_writer_names_the_first(home):
    with lock.write_lock(home, what="sync", now=AT):
        holder = rf"sync, process {os.getpid()}, since 2026-11-02T03:00:00"
        with pytest.raises(LockedError, match=holder) as raised, lock.write_lock(home, what="build", now=AT):
            pass
        assert raised.value.exit_code == 1
    with lock.write_lock(home, what="build", now=AT):
        pass


def test_a_home_with_another_layout_is_rejected(home):
    (home.root / ".convohouse.json").write_text('{"product": "convohouse", "layout": 1}')
    with pytest.raises(HomeError, match="an older version"):
        home.open()
