"""Which window a run lists, and what people may write for a point in time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from pipelines.errors import UsageError
from pipelines.extract.time_window import Window, next_window, parse_moment, parse_moments
from warehouse.storage.landing import Listing

NOW = datetime(2026, 11, 22, 13, 30, tzinfo=UTC)
DAY, SECOND = timedelta(days=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-08-01", datetime(2026, 8, 1, tzinfo=UTC)),
        ("2026-08-01T14:00", datetime(2026, 8, 1, 14, tzinfo=UTC)),
        ("2026-08-01T14:00+02:00", datetime(2026, 8, 1, 12, tzinfo=UTC)),
        ("2026-08-01T14:00:00Z", datetime(2026, 8, 1, 14, tzinfo=UTC)),
        ("7d", NOW - 7 * DAY),
        ("0d", NOW),
    ],
)
def test_a_moment_that_a_person_writes(text, moment):
    assert parse_moment(text, NOW) == moment


def test_a_moment_without_a_zone_is_of_utc_on_every_machine(monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        moment = parse_moment("2026-08-01T14:00", NOW)
    time.tzset()
    assert moment == datetime(2026, 8, 1, 14, tzinfo=UTC)


def test_a_begin_and_an_end_that_a_person_writes():
    begin = datetime(2026, 11, 1, tzinfo=UTC)
    assert parse_moments(None, None, NOW) == (None, None)
    assert parse_moments("2026-11-01", None, NOW) == (begin, None)
    assert parse_moments(None, "2026-11-01", NOW) == (None, begin)
    assert parse_moments("2026-11-01", "7d", NOW) == (begin, NOW - 7 * DAY)
    with pytest.raises(UsageError, match="The window is empty"):
        parse_moments("2026-11-01", "2026-11-01", NOW)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "01.08.2026", "7 days", "-3d", "123456d"])
def test_a_malformed_moment_is_refused_by_name(text):
    with pytest.raises(UsageError, match=r"is not a date\.") as refusal:
        parse_moment(text, NOW)
    assert repr(text) in str(refusal.value)
    assert refusal.value.exit_code == 2


@pytest.mark.parametrize("until", [NOW, NOW - DAY])
def test_a_window_that_can_hold_nothing_is_refused(until):
    with pytest.raises(UsageError, match="The window is empty"):
        Window(NOW, until)


@pytest.mark.parametrize(
    ("window", "listing", "text"),
    [
        (Window(None, NOW + DAY), (None, NOW, None), "the first conversation to 2026-11-23 13:30 UTC"),
        (Window(NOW - DAY, NOW, "a"), (NOW - DAY, NOW, "a"), "2026-11-21 13:30 to 2026-11-22 13:30 UTC, agent a"),
        (
            Window(NOW - 2 * DAY, NOW - DAY),
            (NOW - 2 * DAY, NOW - DAY, None),
            "2026-11-20 13:30 to 2026-11-21 13:30 UTC",
        ),
    ],
)
def test_a_window_as_a_listing_ends_no_later_than_it_was_listed(window, listing, text):
    assert window.as_listing(NOW) == Listing(NOW, *listing)
    assert str(window) == text


def test_the_first_run_lists_all_of_history():
    assert next_window([], now=NOW, lookback_days=3) == Window(None, NOW, is_open=True)


def test_the_next_run_lists_from_the_last_complete_listing_less_the_lookback():
    listings = [Listing(NOW - 9 * DAY, None, NOW - 9 * DAY), Listing(NOW - DAY, NOW - 9 * DAY, NOW - DAY)]
    since = NOW - 4 * DAY - SECOND
    assert next_window(listings, now=NOW, lookback_days=3) == Window(since, NOW, is_open=True)


def test_a_window_of_an_agent_has_no_other_agents_conversations():
    window = Window(NOW - DAY, NOW, "agent_a")
    start = NOW - DAY
    assert [window.contains(start, agent_id) for agent_id in ("agent_a", "agent_b", None)] == [True, False, True]
    assert not window.contains(NOW, "agent_a")


def test_an_open_window_has_what_started_after_now_and_so_has_its_newest_part():
    window = Window(NOW - 4 * DAY, NOW, is_open=True)
    assert window.contains(NOW + DAY, None)
    assert not window.contains(NOW - 5 * DAY, None)
    assert [part.is_open for part in window.split(3)] == [True, False, False]


def test_a_listing_of_one_agent_or_of_the_past_moves_no_window():
    everything = Listing(NOW - 5 * DAY, None, NOW - 5 * DAY)
    narrow = [Listing(NOW, None, NOW, agent_id="agent_a"), Listing(NOW, NOW - 90 * DAY, NOW - 60 * DAY)]
    expected = Window(NOW - 5 * DAY - SECOND, NOW, is_open=True)
    assert next_window([everything, *narrow], now=NOW, lookback_days=0) == expected


def test_a_gap_between_listings_is_listed_by_the_next_run():
    beginning, today = Listing(NOW - 20 * DAY, None, NOW - 20 * DAY), Listing(NOW, NOW - DAY, NOW)
    with_gap = next_window([beginning, today], now=NOW, lookback_days=3)
    assert with_gap.since == NOW - 23 * DAY - SECOND
    filled = Listing(NOW, with_gap.since, NOW)
    assert next_window([beginning, today, filled], now=NOW, lookback_days=3).since > NOW - 4 * DAY
    between = Listing(NOW, with_gap.since, NOW - DAY)  # today's, which landed before it, continues it
    assert next_window([beginning, today, between], now=NOW, lookback_days=3).since > NOW - 4 * DAY


def test_a_backfill_of_the_time_before_the_copy_began_moves_no_window():
    copy, older = Listing(NOW - DAY, NOW - 9 * DAY, NOW - DAY), Listing(NOW, NOW - 90 * DAY, NOW - 60 * DAY)
    assert next_window([copy, older], now=NOW, lookback_days=0) == Window(NOW - DAY - SECOND, NOW, is_open=True)


def test_a_clock_that_was_ahead_does_not_skip_calls():
    ahead = Listing(NOW + 2 * DAY, None, NOW + 2 * DAY)
    assert next_window([ahead], now=NOW, lookback_days=3).since == NOW - 3 * DAY - SECOND


def test_a_split_window_covers_the_same_time_without_a_gap():
    window = Window(NOW - 30 * DAY, NOW, "agent_a")
    parts = window.split(4)
    assert len(parts) == 4
    assert parts[0].until == NOW
    assert parts[-1].since == window.since
    assert all(newer.since == older.until for newer, older in pairwise(parts))
    assert {part.agent_id for part in parts} == {"agent_a"}


def test_all_of_history_cannot_be_split():
    window = Window(None, NOW)
    assert window.split(4) == [window]
