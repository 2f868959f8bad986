"""Until when everything is listed, from the windows of the listings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from warehouse.storage.freshness import listed_until
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
