"""The measures of a page on a few conversations, worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.helpers.two_weeks import WAIT
from tests.sql.conftest import LakeRows
from warehouse.connection import connect
from warehouse.serve.pages.cards import is_notable, share_interval
from warehouse.serve.pages.conversations import Conditions, read_conversations
from warehouse.serve.pages.measures import measure_rows
from warehouse.serve.pages.selection import NONE, Period, Reader, Selection, default_period, select
from warehouse.serve.pages.speed import slowest
from warehouse.serve.pages.tools import unused
from warehouse.storage.home import Home

FIRST, LAST, BEFORE = date(2026, 11, 9), date(2026, 11, 10), date(2026, 11, 8)


def add(rows, name, day, *waits, **row):
    rows.call(name, start_date=day, start_time_at=datetime(day.year, day.month, day.day, 12, tzinfo=UTC), **row)
    for index, wait in enumerate(waits):
        keys = {"conversation_id": name, "start_date": day}
        rows.add("turns", **keys, turn_index=2 * index, role="user", message="Hello")
        rows.add("turns", **keys, turn_index=2 * index + 1, role="agent", message="Hi")
        rows.add("turn_metrics", **keys, turn_index=2 * index + 1, metric=WAIT, elapsed_secs=wait, is_repeat=False)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory, project):
    rows = LakeRows(Home(tmp_path_factory.mktemp("measures") / "home").open(), project)
    judged = "analysis_call_successful"
    add(rows, "a", FIRST, 1.0, 2.0, cost_fiat_usd=0.3, version_id="v1", call_duration_secs=60, **{judged: "success"})
    add(rows, "b", FIRST, 3.0, cost_fiat_usd=0.1, version_id="v2", call_duration_secs=30, **{judged: "failure"})
    add(rows, "c", LAST, 4.0, 5.0, agent_id="a2", call_duration_secs=30, **{judged: "unknown"})
    add(rows, "d", LAST, version_id="v2", status="in-progress")
    add(rows, "e", LAST, cost_fiat_usd=0.05, version_id="v2", status="failed", call_duration_secs=5)
    add(rows, "f", BEFORE, 9.0, cost_fiat_usd=0.2, version_id="v1", call_duration_secs=60, **{judged: "success"})
    rows.seed("excluded_callers", "conversation_id,x%,a test")
    limits = {"service_level_secs": 20, "wait_good_secs": 1, "wait_fair_secs": 1.5, "wait_poor_secs": 2.5}
    rows.seed("thresholds", *(f"{name},{value}" for name, value in limits.items()), "experiment_min_callers,30")
    tool = {"type": "webhook", "first_seen_at": rows.noon, "changed_at": rows.noon, "last_seen_at": rows.noon}
    rows.whole("tools", tool_id="t1", name="kept", content_sha256="00", is_gone=False, **tool)
    rows.whole("tools", tool_id="t2", name="gone", content_sha256="00", is_gone=True, **tool)
    add(rows, "x1", FIRST, 7.0, cost_fiat_usd=9.0, **{judged: "success"})
    with connect() as connection:
        rows.materialize(connection, "marts.fct_conversations", "marts.fct_turns", "marts.dim_tools")
        yield connection


@pytest.fixture
def connection(warehouse):
    """One of its own, as a selection is a temporary view."""
    with warehouse.cursor() as cursor:
        yield cursor


def measures(connection, *, is_before=False, **selection):
    chosen = Selection(Period(FIRST, LAST), **selection)
    (row,) = measure_rows(select(Reader(connection), chosen), is_before=is_before)
    return row


def test_rates_are_sums_over_sums_and_percentiles_are_over_all_waits(connection):
    row = measures(connection)
    assert {name: row[name] for name in ("n_calls", "n_reached", "n_judged", "n_success", "n_errors", "n_priced")} == {
        "n_calls": 4,
        "n_reached": 4,
        "n_judged": 2,
        "n_success": 1,
        "n_errors": 1,
        "n_priced": 3,
    }
    assert (row["success_rate"], row["success_coverage"], row["error_rate"]) == (1 / 2, 2 / 4, 1 / 4)
    assert row["cost_usd"] == pytest.approx(0.45)
    assert row["cost_usd_per_success"] == pytest.approx(0.45)
    assert row["cost_usd_per_call"] == pytest.approx(0.45 / 4)
    # 1, 2, 3, 4, 5: the median is 3, the 95th percentile lies at 0.95 x 4 = 3.8, between 4 and 5
    assert (row["n_waits"], row["wait_p50_secs"]) == (5, 3.0)
    assert row["wait_p95_secs"] == pytest.approx(4.8)


@pytest.mark.parametrize(
    ("selection", "n_calls", "n_waits", "median"),
    [
        ({"agent_id": "a1"}, 3, 3, 2.0),
        ({"version_id": "v1"}, 1, 2, 1.5),
        ({"version_id": "v2"}, 2, 1, 3.0),
        ({"version_id": NONE}, 1, 2, 4.5),
        ({"workspace": "other"}, 0, 0, None),
        ({"channel": "fax"}, 0, 0, None),
    ],
)
def test_a_selection_has_only_its_own_conversations_and_their_waits(selection, n_calls, n_waits, median, connection):
    row = measures(connection, **selection)
    assert (row["n_calls"], row["n_waits"], row["wait_p50_secs"]) == (n_calls, n_waits, median)


def test_the_period_before_has_as_many_days_and_is_empty_where_nothing_is_compared(connection):
    assert Period(FIRST, LAST).before() == Period(date(2026, 11, 7), BEFORE)
    before = measures(connection, is_before=True)
    assert (before["n_calls"], before["success_rate"], before["wait_p95_secs"]) == (1, 1.0, 9.0)
    assert measures(connection, is_before=True, is_compared=False)["n_calls"] == 0
    assert measures(connection)["n_calls"] == 4


def test_days_and_agents_are_rows_of_their_own(connection):
    reader = select(Reader(connection), Selection(Period(FIRST, LAST)))
    rows = measure_rows(reader, "start_date", "agent_id")
    assert [(row["key_0"], row["key_1"], row["n_calls"], row["n_waits"], row["success_rate"]) for row in rows] == [
        (FIRST, "a1", 2, 3, 0.5),
        (LAST, "a1", 1, 0, None),
        (LAST, "a2", 1, 2, None),
    ]


def test_a_long_wait_is_one_over_the_threshold(connection):
    """2.5 s, by the seed of this home: the waits of a are 1 and 2, that of b is 3, those of c are 4 and 5."""
    reader = select(Reader(connection), Selection(Period(FIRST, LAST)))
    rows = read_conversations(reader, Conditions(sort="wait")).rows
    assert [(row["conversation_id"], row["is_slow"], row["hurt"]) for row in rows] == [
        ("c", True, 1),
        ("b", True, 4),  # judged a failure, too
        ("a", False, 0),
        ("d", False, 0),
        ("e", False, 4),
    ]
    assert [(row["conversation_id"], row["n_slow_waits"], row["slow_wait_secs"]) for row in slowest(reader)] == [
        ("c", 2, 2.5),
        ("b", 1, 2.5),
        ("a", 0, 2.5),
    ]


def test_a_tool_that_is_gone_is_none_that_nobody_uses(connection):
    assert [row["tool_name"] for row in unused(select(Reader(connection), Selection(Period(FIRST, LAST))))] == ["kept"]


def test_the_days_without_a_filter_are_the_last_ones_that_are_over(connection):
    reader = Reader(connection)
    assert default_period(reader, 2, datetime(2026, 11, 10, 3, tzinfo=UTC)) == Period(BEFORE, FIRST)
    assert default_period(reader, 2, datetime(2026, 11, 11, tzinfo=UTC)) == Period(FIRST, LAST)
    assert default_period(reader, None, None) == Period(BEFORE, LAST)
    quiet = datetime(2026, 12, 1, tzinfo=UTC)  # listed until then, without a conversation since LAST
    assert default_period(reader, 2, quiet) == Period(date(2026, 11, 29), date(2026, 11, 30))
    assert default_period(reader, None, quiet) == Period(BEFORE, date(2026, 11, 30))


def test_a_change_of_a_share_is_notable_beyond_chance_and_of_an_amount_from_a_tenth_on():
    # pooled 0.65, standard error √(0.65 x 0.35 x (1/100 + 1/100)) = 0.0675: 1.96 of them are 0.132
    assert is_notable("success_rate", 0.58, 100, 0.72, 100)
    assert not is_notable("success_rate", 0.59, 100, 0.71, 100)
    assert not is_notable("success_rate", 0.0, 19, 1.0, 100)
    assert is_notable("wait_p95_secs", 1.1, 20, 1.0, 20)
    assert not is_notable("wait_p95_secs", 1.09, 20, 1.0, 20)
    assert not is_notable("wait_p95_secs", 1.0, 20, None, 0)
    assert not is_notable("cost_usd_per_success", 1.0, 20, 0.0, 20)


# Newcombe, Two-sided confidence intervals for the single proportion (1998), table I, method 3
INTERVALS = {(81, 263): (0.2553, 0.3662), (15, 148): (0.0624, 0.1605), (0, 20): (0, 0.1611), (1, 29): (0.0061, 0.1718)}


@pytest.mark.parametrize(("counts", "ends"), INTERVALS.items())
def test_the_interval_of_a_share_is_wilsons(counts, ends):
    n_successes, n = counts
    assert share_interval(n_successes, n) == pytest.approx(ends, abs=0.00005)
    low, high = share_interval(n - n_successes, n)
    assert (1 - high, 1 - low) == pytest.approx(ends, abs=0.00005)
    assert 0 <= low <= high <= 1


def test_of_nothing_there_is_no_interval():
    assert share_interval(0, 0) is None
