"""Unknown fields are counted again only on days that changed, and come out as if every day had been counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.transform import drift_by_day, schema_drift
from pipelines.transform.refresh_lake import refresh_lake
from tests.helpers.disk_contents import contents
from tests.helpers.landed_files import snapshot_of
from tests.helpers.sample_documents import STARTED, detail
from warehouse.schema.operations import UNKNOWN_FIELDS, UNKNOWN_FIELDS_DAILY
from warehouse.storage import lake, landing
from warehouse.storage.erasure import find_start_dates, purge, write_tombstones
from warehouse.storage.home import Home

FETCHED = datetime(2026, 11, 2, 3, tzinfo=UTC)
FIRST_START = datetime.fromtimestamp(STARTED, UTC)


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "home").open()


@pytest.fixture
def counted(monkeypatch):
    """The days that are counted, by refresh."""
    days, count = [], schema_drift._count_days
    monkeypatch.setattr(
        schema_drift, "_count_days", lambda home, changed: days.append(sorted(changed)) or count(home, changed)
    )
    return days


def land(home, *conversations, hours=0):
    """Land conversations, each an id, a number of its day and what is new in its document; refresh the lake."""
    snapshots = []
    for conversation_id, n_day, new in conversations:
        start = FIRST_START + timedelta(days=n_day)
        metadata = {"start_time_unix_secs": int(start.timestamp())}
        document = detail(conversation_id=conversation_id, metadata=metadata, **new)
        snapshots.append(snapshot_of(document, FETCHED + timedelta(hours=hours)))
    landing.land_documents(home, snapshots)
    refresh_lake(home, reread_days=(1, 7, 30))


def unknown(home):
    fields = lake.read(home, UNKNOWN_FIELDS).sort("path", "value")
    return fields.select("path", "value", "n_rows", "n_conversations", "last_seen_at", "example_id").rows()


def day(number):
    return (FIRST_START + timedelta(days=number)).date()


def at(hours):
    return FETCHED + timedelta(hours=hours)


def test_a_day_that_changes_is_counted_again_and_the_sum_is_over_all_days(home, counted):
    land(home, ("a", 0, {"new": 1}), ("b", 1, {"new": 1}), ("c", 2, {"status": "melted"}))
    land(home, ("d", 1, {"new": 1, "newer": 1}), hours=1)
    assert counted == [[day(0), day(1), day(2)], [day(1)]]
    assert unknown(home) == [
        ("new", "", 3, 3, at(1), "d"),
        ("newer", "", 1, 1, at(1), "d"),
        ("status", "melted", 1, 1, at(0), "c"),
    ]
    assert lake.read(home, UNKNOWN_FIELDS_DAILY).drop("workspace").rows() == [
        (day(0), "new", "", "key", 1, 1, at(0), at(0), "a"),
        (day(1), "new", "", "key", 2, 2, at(0), at(1), "d"),
        (day(1), "newer", "", "key", 1, 1, at(1), at(1), "d"),
        (day(2), "status", "melted", "word", 1, 1, at(0), at(0), "c"),
    ]
    refresh_lake(home, reread_days=(1, 7, 30))
    assert len(counted) == 2
    land(home, ("d", 1, {}), ("c", 2, {}), hours=2)  # both have lost what was new
    assert counted[2:] == [[day(1), day(2)]]
    assert unknown(home) == [("new", "", 2, 2, at(0), "b")]


@pytest.mark.parametrize("spoil", ["no table", "cut table", "no fingerprints", "cut fingerprints", "other code"])
def test_without_what_was_counted_every_day_is_counted(home, counted, spoil, monkeypatch):
    land(home, ("a", 0, {"new": 1}), ("b", 1, {"new": 1}))
    before = unknown(home)
    table = home.file(home.table(UNKNOWN_FIELDS_DAILY))
    if spoil == "other code":
        monkeypatch.setattr(drift_by_day, "_code_fingerprint", lambda: "other")
    else:
        file = table if spoil.endswith("table") else home.drift
        content = file.read_bytes()
        file.unlink()
        if spoil.startswith("cut"):
            file.write_bytes(content[:-10])
    refresh_lake(home, reread_days=(1, 7, 30))
    assert counted == [[day(0), day(1)]] * 2
    assert unknown(home) == before == [("new", "", 2, 2, at(0), "b")]
    assert pl.read_parquet(table)["n_rows"].to_list() == [1, 1]


def test_an_erased_conversation_leaves_no_trace_in_what_was_counted(home, counted):
    land(home, ("a", 0, {"new": 1}), ("erased1", 0, {"new": 1, "status": "very odd"}), ("erased2", 1, {"new": 1}))
    write_tombstones(home, find_start_dates(home, ["erased1", "erased2"]), FETCHED)
    purge(home)
    refresh_lake(home, reread_days=(1, 7, 30))
    assert counted[1:] == [[day(0), day(1)]]
    assert unknown(home) == [("new", "", 1, 1, at(0), "a")]
    content = contents(home.table(UNKNOWN_FIELDS_DAILY)) + home.drift.read_bytes()
    assert b"new" in content
    assert b"erased" not in content
    assert b"very odd" not in content
