"""Until when everything is listed, from the windows of the listings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from warehouse.storage.freshness import listed_until
from warehouse.storage.landing import Listing


def day(number):
    return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(days=number)


def listing(listed_at, since, until, agent_id=None):
    return Listing(day(listed_at), None if since is None else day(since), day(until), agent_id)


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
        ([listing(10, 8, 10), listing(12, 1, 3)], 10),  # the copy starts where the first listing does
    ],
)
def test_listed_until(listings, until):
    assert listed_until(listings) == (None if until is None else day(until))
