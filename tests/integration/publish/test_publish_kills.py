"""Publications that are killed at every step, and readers meanwhile."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Event, Thread

import polars as pl
import pytest

from pipelines.usecases.publish import choose_jobs, publish
from tests.helpers import kill_at, postgres
from tests.helpers.disk_contents import contents, words_in
from tests.helpers.few_models import FEW
from tests.helpers.kept_home import KeptHome
from tests.helpers.published import (
    database_rows,
    delta_rows,
    home_rows,
    in_order,
    publish_to,
    rows_by_table,
    selected,
)
from warehouse.publish import record

pytestmark = [pytest.mark.usefixtures("few_models"), pytest.mark.timeout(400)]


DELTA_POINTS = {
    "an upload": ("warehouse.publish.object_store:Store.upload", 3, ""),
    "before a commit": ("warehouse.publish.delta:_DeltaTable._commit", 2, ""),
    "before old files go": ("warehouse.publish.delta:_DeltaTable._vacuum", 2, ""),
    "before it is recorded": ("warehouse.publish.record:put_target", 2, ""),
}
FILE_POINTS = {
    "a file": ("warehouse.publish.files:_write_table", 3, ""),
    "before a rename": ("pathlib:Path.replace", 4, "/.convohouse-"),
}
DATABASE_POINTS = {
    "a table": ("warehouse.publish.postgres:_load", 3, ""),
    "between two tables": ("adbc_driver_manager.dbapi:Cursor.execute", 3, " as published where not exists "),
    "before the commit": ("adbc_driver_manager.dbapi:Cursor.execute", 1, "commit"),
}


def die(home, point, *arguments):
    """Run the command until it dies."""
    settings = {"CONVOHOUSE_HOME": str(home.root), "CONVOHOUSE_PUBLISH_CREDENTIALS": json.dumps(postgres.CREDENTIALS)}
    kill_at.die(point, *arguments, few=FEW, **settings)


def assert_whole(rows_of, nights):
    """Each table is as on one of the nights; returns the names of those that are as on the second."""
    are_new = set()
    for name, rows in nights["second"].items():
        actual = rows_of(name)
        assert actual.equals(rows) or actual.equals(nights["first"][name]), name
        if actual.equals(rows) and not actual.equals(nights["first"][name]):
            are_new.add(name)
    return are_new


SELECTION = ("marts", "metrics")


@pytest.fixture(scope="module")
def nights(copies):
    """The rows of every published table on both nights."""
    rows = {}
    for night in ("first", "second"):
        copies.put(night)
        rows[night] = rows_by_table(copies.home, selected(copies, *SELECTION))
    return rows


class KeptTarget:
    """A target with the home of the first night, published once and put back for each test."""

    def __init__(self, kind, folder, server):
        self.kind, self._server, self._files, self._record = kind, server, KeptHome(folder / "target"), None
        self.url = f"{server.rpartition('/')[0]}/published" if kind == "postgres" else str(self._files.root)

    def put(self, make, home):
        """Make the target, or make it again what it was then, with the home's record of it."""
        record_file = home.root / "published.json"
        if self.kind == "postgres":
            self._put_database(make)
        else:
            self._files.put(make)
        if self._record is None:
            self._record = record_file.read_bytes()
        record_file.write_bytes(self._record)

    def _put_database(self, make):
        with postgres.connect(self._server) as connection:
            if self._record is None:
                connection.execute("create database published")
                make()
                connection.execute("create database published_as_it_was template published")
            else:
                connection.execute("drop database published with (force)")  # a killed command may still be connected
                connection.execute("create database published template published_as_it_was")


@pytest.fixture(scope="module")
def kept_targets(tmp_path_factory, server):
    return {kind: KeptTarget(kind, tmp_path_factory.mktemp(kind), server) for kind in ("delta", "parquet", "postgres")}


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("kind", "point"),
    [
        *(("delta", point) for point in DELTA_POINTS),
        *(("parquet", point) for point in FILE_POINTS),
        *(("postgres", point) for point in DATABASE_POINTS),
    ],
)
def test_killed_at_any_point_readers_see_whole_tables_and_the_next_publication_completes(
    kind, point, copies, nights, kept_targets
):
    home, kept_target, tables = copies.home, kept_targets[kind], list(nights["second"])
    points = {"delta": DELTA_POINTS, "parquet": FILE_POINTS, "postgres": DATABASE_POINTS}[kind]
    context, format_ = copies.context(publish_credentials=postgres.CREDENTIALS), None if kind == "postgres" else kind
    target = kept_target.url
    jobs = choose_jobs(context, target, format_=format_, selection=SELECTION)

    def publish_the_first_night():
        (first,) = publish(context, jobs)
        assert [outcome.table for outcome in first.tables] == tables

    copies.put("first", keeps_record=False)
    kept_target.put(publish_the_first_night, home)
    copies.put("second")

    def rows_of(name):
        if kind == "delta":
            return delta_rows(target, name)
        if kind == "parquet":
            return in_order(pl.read_parquet(f"{target}/{name}.parquet"))
        return database_rows(target, name, nights["second"][name])

    die(home, points[point], "publish", target)

    are_new = assert_whole(rows_of, nights)
    assert kind != "postgres" or not are_new
    (result,) = publish(context, jobs)
    assert result.problem is None
    for name, rows in nights["second"].items():
        assert rows_of(name).equals(rows), name
    assert [file for file in home.temporary.rglob("*") if file.is_file()] == []
    if kind == "parquet":
        assert not [file for file in Path(target).iterdir() if file.name.startswith(".")]
    (recorded,) = record.read_targets(home)
    assert (recorded.tables, recorded.removed) == (tuple(tables), record.removed_fingerprint(home))


def test_an_erasure_that_is_killed_before_old_files_go_is_finished_by_the_next_publication(copies, home, tmp_path):
    target, context = tmp_path / "target", copies.context()
    copies.put("second")
    publish_to(context, str(target))
    copies.put("first")
    die(home, ("pathlib:Path.replace", 3, ".parquet.part"), "publish", str(target))
    copies.put("second")
    publish_to(context, str(target))
    assert list(target.rglob("*.parquet.part")) != []  # of files that are not written again
    die(home, DELTA_POINTS["before old files go"], "erase", copies.conversation_id, "--yes")
    assert words_in(contents(target), copies.words) != set()
    assert len(record.pending_targets(home)) == 1
    publish_to(context, str(target))
    assert words_in(contents(target), copies.words) == set()
    assert list(target.rglob("*.part")) == []


def test_readers_of_delta_lake_see_the_table_before_or_after(copies, home, tmp_path):
    target, context = str(tmp_path / "target"), copies.context()
    publish_to(context, target)
    nights, seen, ended = [home_rows(home, "marts.fct_turns")], [], Event()

    def look():
        while not ended.wait(0.02):
            seen.append(delta_rows(target, "marts.fct_turns"))

    thread = Thread(target=look)
    thread.start()
    for night in ("second", "first", "second"):
        copies.put(night)
        publish_to(context, target)
        nights.append(home_rows(home, "marts.fct_turns"))
    ended.set()
    thread.join()
    assert len(seen) > 3
    assert all(any(rows.equals(night) for night in nights) for rows in seen)
