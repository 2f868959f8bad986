"""Which conversations a run would fetch, of everything that is landed and logged: the rules meet their inputs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.extract.fetch_plan import plan_fetches, quarantined_ids
from pipelines.extract.time_window import Window
from warehouse.schema.activity import FEEDBACK_SENT
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.schema.operations import MALFORMED_ROW, ROW_PREFIX, TOOL_UNREADABLE, UNFETCHABLE, UNREADABLE
from warehouse.storage import activity_log, landing, parquet, quarantine
from warehouse.storage.home import Home

START = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NOW = START + 20 * HOUR
POLICY = {"now": NOW, "reread_days": (), "confirm_after": 2 * HOUR}


def list_rows(*conversations):
    """List rows of (id, hours of the start after ``START``, agent)."""
    rows = [
        {"conversation_id": name, "start_time_at": START + hours * HOUR, "agent_id": agent, "fingerprint": name}
        for name, hours, agent in conversations
    ]
    common = {"start_date": START.date(), "listed_at": NOW - 4 * HOUR, "payload": b"{}"}
    return parquet.frame(LANDED_LISTINGS, [row | common for row in rows])


def land(home, name, kind="document", *, at=NOW - 3 * HOUR, hours=0):
    row = {"conversation_id": name, "start_date": START.date(), "start_time_at": START + hours * HOUR, "kind": kind}
    details = {"status": "done", "ended_at": START, "content_sha256": "00", "n_texts": 1} if kind == "document" else {}
    landing.land_documents(home, [row | details | {"list_fingerprint": name, "fetched_at": at}])


def rate(home, name, outcome):
    row = {"conversation_id": name, "sent_at": NOW, "feedback": "like", "outcome": outcome}
    activity_log.append(home, FEEDBACK_SENT, [row])


@pytest.fixture
def home(tmp_path):
    """A workspace in which each reason has a conversation."""
    home = Home(tmp_path / "home").open()
    names = ("new", "rated before", "rated", "refused", "gone once", "unreadable", "settled")
    listed_at = NOW - 4 * HOUR
    listing = landing.Listing(listed_at, None, listed_at)
    rows = list_rows(*((name, hours, "agent_a") for hours, name in enumerate(names)), ("of b", 0, "agent_b"))
    rate(home, "rated before", "sent")
    landing.land_listing(home, listing, rows)
    for hours, name in enumerate(names):
        if name not in {"new", "gone once"}:
            land(home, name, hours=hours)
    land(home, "gone once", "gone", hours=4)
    rate(home, "rated", "sent")
    rate(home, "refused", "refused")
    for name, reason in (
        ("unreadable", UNREADABLE),
        ("never fetched", UNFETCHABLE),
        ("badly listed", MALFORMED_ROW),
        ("settled", MALFORMED_ROW),
        (f"{ROW_PREFIX}1", MALFORMED_ROW),
        ("tool_1", TOOL_UNREADABLE),
    ):
        quarantine.add(home, name, at=NOW - HOUR, reason=reason, error="cut")
    return home


def reasons(rows):
    return [(name, reason) for name, reason in rows["conversation_id", "reason"].rows()]


def test_every_reason_reaches_the_plan(home):
    plan = plan_fetches(home, **POLICY)
    assert reasons(plan) == [
        ("new", "new"),
        ("of b", "new"),
        ("rated", "asked"),
        ("gone once", "missing"),
        ("unreadable", "asked"),
        ("badly listed", "new"),
    ]
    starts = dict(plan["conversation_id", "start_time_at"].rows())
    assert (starts["rated"], starts["badly listed"]) == (START + 2 * HOUR, NOW - HOUR)


def test_a_removal_is_confirmed_no_earlier_than_the_settings_say(home):
    assert ("gone once", "missing") not in reasons(
        plan_fetches(home, **POLICY | {"confirm_after": 3 * HOUR + HOUR / 2})
    )


@pytest.mark.parametrize(
    ("window", "names"),
    [
        (Window(START + 2 * HOUR, START + 4 * HOUR), ["rated", "badly listed"]),
        (Window(None, START + 4 * HOUR, "agent_a"), ["new", "rated", "badly listed"]),
        (Window(None, START + 4 * HOUR), ["new", "of b", "rated", "badly listed"]),
    ],
)
def test_a_window_keeps_its_own_and_what_may_be_of_it(home, window, names):
    """A conversation with a malformed list row may have started at any time; the end of a window is exclusive."""
    assert plan_fetches(home, window, **POLICY)["conversation_id"].to_list() == names


def test_named_conversations_are_fetched_and_no_others(home):
    plan = plan_fetches(home, only_ids=["settled", "new", "unknown"], **POLICY)
    assert reasons(plan) == [("new", "new"), ("settled", "asked")]


def test_a_listing_that_is_not_landed_counts_as_if_it_were(home):
    """Of a dry run: its rows are newer than those that are landed, and what it does not show is missing."""
    rows = list_rows(("gone once", 4, "agent_a"), ("settled", 7, "agent_a"), ("newest", 8, "agent_a"))
    changed = rows.with_columns(fingerprint=rows["conversation_id"] + " changed")
    plan = plan_fetches(home, listing=landing.Listing(NOW, None, NOW), list_rows=changed, **POLICY)
    assert reasons(plan) == [
        ("new", "new"),
        ("of b", "new"),
        ("rated before", "missing"),
        ("rated", "missing"),
        ("refused", "missing"),
        ("gone once", "changed"),
        ("unreadable", "missing"),
        ("settled", "changed"),
        ("newest", "new"),
        ("badly listed", "new"),
    ]
    assert plan.filter("is_listed_again")["conversation_id"].to_list() == ["gone once"]


def test_quarantined_conversations_are_those_of_any_reason_with_an_id(home):
    assert quarantined_ids(home) == {"unreadable", "never fetched", "badly listed", "settled"}
