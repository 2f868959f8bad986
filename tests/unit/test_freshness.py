"""Until when everything is listed, from the windows of the listings, and how fresh that makes a warehouse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from warehouse.schema.operations import SYNC_RUNS
from warehouse.storage import lake, parquet
from warehouse.storage.freshness import UNFINISHED, last_full_listing_at, listed_until
from warehouse.storage.home import Home
from warehouse.storage.landing import Listing


def day(number):
    return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=number)


def listing(listed_at, since, until, agent_id=None, newest=None):
    start, newest_start_at = (None if number is None else day(number) for number in (since, newest))
    return Listing(day(listed_at), start, day(until), agent_id, newest_start_at)


FIRST = listing(10, None, 10)


@pytest.mark.parametrize(
    ("listings", "until"),
    [
        ([], None),
        ([listing(10, None, 10, "agent")], None),
        ([FIRST], 10),
        ([listing(10, None, 20)], 10),  # a window into the future covers no more than was there to list
        ([FIRST, listing(12, 7, 12)], 12),
        ([FIRST, listing(12, 7, 12, "agent")], 10),
        ([FIRST, listing(12, 1, 5)], 10),
        ([FIRST, listing(15, 14, 15)], 10),  # after a gap
        ([FIRST, listing(15, 14, 15), listing(16, 7, 14)], 15),
        ([FIRST, listing(90, 7, 90, newest=12)], 12),  # the clock was ahead: what it showed counts
        ([FIRST, listing(90, 7, 90)], 10),
        ([FIRST, listing(90, 7, 90, newest=12), listing(14, 12, 14)], 14),
        ([listing(10, 8, 10), listing(12, 1, 3)], 10),  # the copy starts where the first listing does
    ],
)
def test_listed_until(listings, until):
    assert listed_until(listings, now=day(20)) == (None if until is None else day(until))


@pytest.mark.parametrize(("built", "fresh"), [(None, 5), (6, 5), (5, 5), (4, 1), (0, None)])
def test_a_warehouse_is_as_fresh_as_the_runs_that_began_before_it(home, built, fresh):
    actual = last_full_listing_at(home, now=day(20), built_at=None if built is None else day(built))
    assert actual == (None if fresh is None else day(fresh))


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with four runs: of the 1st, of the 5th, one that was cut off, and one of a clock that was ahead."""
    home = Home(tmp_path_factory.mktemp("runs") / "home").open()
    common = {"outcome": "complete", "elapsed_secs": 1.0}
    runs = [
        common | {"run_id": f"run_{at}", "started_at": day(at), "last_full_listing_at": day(at), "error": error}
        for at, error in ((1, None), (5, "one item failed"), (6, UNFINISHED), (25, None))
    ]
    lake.overwrite_table(home, SYNC_RUNS, parquet.frame(SYNC_RUNS, runs))
    return home
