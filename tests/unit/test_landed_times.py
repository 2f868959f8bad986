"""What landed in the future of the clock: the latest snapshot of each conversation, and the last listing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from warehouse.models.checks import SAMPLE_ROWS
from warehouse.models.data_quality import LANDED_IN_THE_PAST, check_landed_times
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.storage import landing, parquet
from warehouse.storage.home import Home
from warehouse.storage.landing_sequence import CLOCK_TOLERANCE

NOW = datetime(2026, 11, 22, tzinfo=UTC)
LATER = NOW + CLOCK_TOLERANCE + timedelta(microseconds=1)


def land(home, name, at, kind="document"):
    row = {"conversation_id": name, "start_date": NOW.date(), "kind": kind, "fetched_at": at, "content_sha256": "00"}
    landing.land_documents(home, [row])


def land_listing(home, at):
    landing.land_listing(home, landing.Listing(at, None, at), parquet.frame(LANDED_LISTINGS, []))


def test_the_latest_snapshots_and_the_last_listing_are_not_of_the_future(tmp_path):
    home = Home(tmp_path / "home").open()
    second = home.for_workspace("second")
    land(home, "as late as clocks differ", NOW + CLOCK_TOLERANCE)
    land(home, "read again since", LATER)
    land(home, "read again since", NOW)
    land(home, "erased", LATER, landing.ERASED)
    land_listing(home, LATER)
    land_listing(home, NOW + CLOCK_TOLERANCE)
    passed = check_landed_times([home, second], now=NOW)
    assert (passed.check, passed.n_failing, passed.sample_rows) == (LANDED_IN_THE_PAST, 0, ())
    land(second, "ahead", LATER)
    land_listing(second, LATER)
    failed = check_landed_times([home, second], now=NOW)
    assert (failed.n_failing, failed.sample_rows) == (
        2,
        (
            {"workspace": "second", "conversation_id": "ahead", "at": LATER},
            {"workspace": "second", "conversation_id": None, "at": LATER},
        ),
    )
    for number in range(SAMPLE_ROWS):
        land(second, str(number), LATER)
    many = check_landed_times([second], now=NOW)
    assert (many.n_failing, len(many.sample_rows)) == (SAMPLE_ROWS + 2, SAMPLE_ROWS)
