"""Which unknown fields are new: those of the last run that fetched, and of what was interrupted before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.transform.schema_drift import new_unknown
from warehouse.schema.operations import SYNC_RUNS, UNKNOWN_FIELDS
from warehouse.storage import lake, landing, parquet
from warehouse.storage.home import Home

AT = datetime(2026, 11, 20, tzinfo=UTC)
DAY = timedelta(days=1)
COMPLETE, QUIET, FAILED, UNBUILT = ("complete", 5, 5), ("complete", 0, 5), ("failed", 5, 5), ("complete", 5, 0)


@pytest.fixture
def home(tmp_path):
    """A workspace with a field that was first seen on each of five days."""
    home = Home(tmp_path / "home").open()
    lake.ensure_schema_files(home)
    row = {"conversation_id": "a", "start_date": AT.date(), "kind": "document", "fetched_at": AT}
    landing.land_documents(home, [row])
    common = {"value": "", "kind": "key", "n_rows": 1, "n_conversations": 1, "last_seen_at": AT, "example_id": "a"}
    fields = [common | {"path": f"day_{day}", "first_seen_at": AT + day * DAY} for day in range(5)]
    lake.overwrite_table(home, UNKNOWN_FIELDS, parquet.frame(UNKNOWN_FIELDS, fields))
    return home


@pytest.mark.parametrize(
    ("runs", "first_new_day"),
    [
        ([], 0),
        ([COMPLETE], 0),
        ([QUIET, QUIET, COMPLETE], 0),
        ([COMPLETE, COMPLETE], 1),
        ([COMPLETE, QUIET, COMPLETE, COMPLETE], 3),
        ([COMPLETE, FAILED, QUIET, COMPLETE, QUIET], 1),  # what the failed run landed is new in the next one
        ([COMPLETE, COMPLETE, UNBUILT, FAILED], 1),
    ],
)
def test_without_a_time_the_last_run_that_fetched_says_what_is_new(home, runs, first_new_day):
    rows = [
        {"run_id": str(day), "started_at": AT + day * DAY, "outcome": outcome}
        | {"n_fetched": n_fetched, "n_flattened": n_flattened}
        for day, (outcome, n_fetched, n_flattened) in enumerate(runs)
    ]
    lake.overwrite_table(home, SYNC_RUNS, parquet.frame(SYNC_RUNS, rows))
    new_fields, n_before = new_unknown(home)
    assert new_fields["path"].to_list() == [f"day_{day}" for day in range(first_new_day, 5)]
    assert n_before == first_new_day


def test_what_was_first_seen_at_the_time_is_new(home):
    new_fields, n_before = new_unknown(home, AT + 3 * DAY)
    assert (new_fields["path"].to_list(), n_before) == (["day_3", "day_4"], 3)
