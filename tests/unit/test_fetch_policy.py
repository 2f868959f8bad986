"""Which conversations are fetched again and why, and when a conversation is settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.extract.fetch_policy import decide_refetch
from pipelines.transform.settle_state import settle_state
from warehouse.schema.landing import LANDED_DOCUMENTS, LANDED_LISTINGS
from warehouse.storage import parquet
from warehouse.storage.landing import ERASED, Listing
from warehouse.storage.landing_sequence import CLOCK_TOLERANCE

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY, MICROSECOND = timedelta(days=1), timedelta(microseconds=1)
REREAD = (1, 7, 30)
LIST_KEYS = [name for name in LANDED_LISTINGS.column_names if name != "payload"]
READ_KEYS = [name for name in LANDED_DOCUMENTS.column_names if name != "payload"]


def listed(**changes):
    row = {"conversation_id": "conv_a", "start_time_at": NOW - DAY, "fingerprint": "f1", "listed_at": NOW}
    return parquet.frame(LANDED_LISTINGS, [row | changes]).select(LIST_KEYS)


def landed(**changes):
    row = {
        "conversation_id": "conv_a",
        "start_time_at": NOW - DAY,
        "ended_at": NOW - timedelta(hours=1),
        "status": "done",
        "kind": "document",
        "list_fingerprint": "f1",
        "fetched_at": NOW - timedelta(minutes=30),
        "content_sha256": "sha",
    }
    frame = parquet.frame(LANDED_DOCUMENTS, [row | changes])
    return frame.select(*READ_KEYS, content_at="fetched_at", shown_texts="n_texts")


NOTHING_LISTED, NOTHING_LANDED = listed().clear(), landed().clear()


@pytest.mark.parametrize(
    ("list_rows", "snapshots", "reason"),
    [
        (listed(), NOTHING_LANDED, "new"),
        (listed(), landed(), None),
        (NOTHING_LISTED, landed(), None),
        (listed(), landed(status="in-progress"), "open"),
        (listed(), landed(status="processing", kind="unchanged"), "open"),
        (NOTHING_LISTED, landed(status="initiated"), "open"),
        (listed(), landed(status=None), "open"),
        (listed(), landed(status="archived"), "open"),
        (listed(), landed(status="archived", ended_at=NOW - 29 * DAY), "open"),
        (listed(), landed(status="archived", ended_at=NOW - 31 * DAY), None),  # perhaps a new final status
        (listed(), landed(status=None, ended_at=NOW - 31 * DAY), None),
        (listed(), landed(status="in-progress", ended_at=NOW - 31 * DAY), "open"),
        (listed(fingerprint="f2"), landed(), "changed"),
        (listed(), landed(list_fingerprint=None), "changed"),
        (listed(fingerprint="f2"), landed(status="processing"), "open"),
        (listed(), landed(ended_at=NOW - DAY), "due"),
        (listed(), landed(ended_at=NOW - 2 * DAY, fetched_at=NOW - 1.5 * DAY), "due"),
        (NOTHING_LISTED, landed(ended_at=NOW - 2 * DAY, fetched_at=NOW - 1.5 * DAY), "due"),
        (listed(), landed(ended_at=NOW - 2 * DAY, fetched_at=NOW - 0.5 * DAY), None),
        (listed(), landed(ended_at=NOW - 2 * DAY, fetched_at=NOW - DAY), None),  # fetched as it became due
        (listed(), landed(fetched_at=NOW + CLOCK_TOLERANCE), None),
        (listed(), landed(fetched_at=NOW + CLOCK_TOLERANCE + MICROSECOND), "due"),
        (listed(), landed(ended_at=NOW - 8 * DAY, fetched_at=NOW - 6 * DAY), "due"),
        (listed(), landed(ended_at=NOW - 40 * DAY, fetched_at=NOW - 20 * DAY), "due"),
        (listed(), landed(ended_at=NOW - 40 * DAY, fetched_at=NOW - 9 * DAY), None),
        (listed(listed_at=NOW - DAY), landed(kind="gone", status=None, ended_at=None), None),
        (listed(), landed(kind="gone", status=None, ended_at=None), "changed"),  # listed after the 404
        (listed(fingerprint="f2"), landed(kind="gone", status=None, ended_at=None), "changed"),
        (listed(fingerprint="f2"), landed(kind=ERASED, status=None, ended_at=None), None),
        (NOTHING_LISTED, landed(kind=ERASED, status=None, ended_at=None), None),
    ],
)
def test_which_conversations_are_fetched_and_why(list_rows, snapshots, reason):
    decided = decide_refetch(list_rows, snapshots, now=NOW, reread_days=REREAD)
    assert decided["reason"].to_list() == ([reason] if reason else [])


LATER = NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("listing", "snapshots", "reason"),
    [
        (Listing(LATER, None, None), landed(), "missing"),
        (Listing(LATER, NOW - DAY, NOW), landed(), "missing"),  # its start is the window's
        (Listing(LATER, NOW - DAY, NOW, "agent_a"), landed(), "missing"),
        (Listing(LATER, NOW - DAY, NOW, "agent_b"), landed(), None),
        (Listing(LATER, NOW - DAY + timedelta(seconds=1), NOW), landed(), None),
        (Listing(LATER, None, NOW - DAY), landed(), None),
        (Listing(NOW, None, NOW), landed(), None),  # the listing that showed it
        (Listing(LATER, None, None), landed(fetched_at=LATER), None),  # fetched since
        (Listing(LATER, None, None), landed(status="processing"), "open"),
        (Listing(LATER, None, None), landed(kind="gone", status=None, ended_at=None, fetched_at=NOW), None),
        (Listing(LATER, None, None), landed(kind=ERASED, status=None, ended_at=None), None),
        (Listing(LATER, None, None), NOTHING_LANDED, "new"),
    ],
)
def test_a_conversation_that_a_complete_listing_misses_is_fetched(listing, snapshots, reason):
    decided = decide_refetch(listed(agent_id="agent_a"), snapshots, now=NOW, reread_days=REREAD, listings=[listing])
    assert decided["reason"].to_list() == ([reason] if reason else [])


def test_of_listings_of_all_agents_and_of_one_the_later_counts():
    fetched_between = landed(fetched_at=LATER + MICROSECOND)
    for listing_of_all, listing_of_one in ((LATER, LATER + DAY), (LATER + DAY, LATER)):
        listings = [Listing(listing_of_all, None, None), Listing(listing_of_one, None, None, "agent_a")]
        decided = decide_refetch(
            listed(agent_id="agent_a"), fetched_between, now=NOW, reread_days=REREAD, listings=listings
        )
        assert decided["reason"].to_list() == ["missing"]


@pytest.mark.parametrize(("kind", "reason"), [("gone", "missing"), ("blanked", "due"), (ERASED, None)])
def test_a_removal_is_looked_at_a_second_time(kind, reason):
    list_rows = listed(listed_at=NOW - DAY)
    decided = decide_refetch(
        list_rows, landed(kind=kind), now=NOW, reread_days=REREAD, ids_to_confirm={"conv_a", "conv_b"}
    )
    assert decided["reason"].to_list() == ([reason] if reason else [])


def test_the_columns_of_a_decision():
    decided = decide_refetch(listed(agent_id="agent_a"), NOTHING_LANDED, now=NOW, reread_days=REREAD)
    assert decided.to_dicts() == [
        {
            "conversation_id": "conv_a",
            "start_time_at": NOW - DAY,
            "agent_id": "agent_a",
            "fingerprint": "f1",
            "content_sha256": None,
            "shown_texts": None,
            "is_listed_again": False,
            "reason": "new",
        }
    ]


GONE = landed(kind="gone", status=None, ended_at=None)
LISTED_NOW = Listing(NOW, None, None)


@pytest.mark.parametrize(
    ("snapshots", "listings", "is_listed_again"),
    [
        (GONE, [LISTED_NOW], True),
        (GONE, [Listing(NOW - DAY, None, None), LISTED_NOW], True),
        (GONE, [LISTED_NOW, Listing(LATER, None, None)], False),  # the latest listing does not show it
        (GONE, [], False),
        (landed(list_fingerprint="f0"), [LISTED_NOW], False),  # never answered with 404
        (NOTHING_LANDED, [LISTED_NOW], False),
    ],
)
def test_which_conversations_a_listing_shows_after_a_404(snapshots, listings, is_listed_again):
    decided = decide_refetch(listed(), snapshots, now=NOW, reread_days=REREAD, listings=listings)
    assert decided["is_listed_again"].to_list() == [is_listed_again]


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"status": "in-progress"}, "open"),
        ({"status": None}, "open"),
        ({"status": "archived"}, "open"),
        ({"status": "archived", "ended_at": NOW - 29 * DAY}, "open"),
        ({"status": "archived", "ended_at": NOW - 30 * DAY}, "settled"),
        ({"status": "archived", "ended_at": None}, "open"),
        ({"status": "processing", "ended_at": NOW - 31 * DAY}, "open"),
        ({}, "settling"),
        ({"ended_at": NOW - 30 * DAY}, "settled"),
        ({"ended_at": None}, "settling"),
        ({"ended_at": NOW - 29 * DAY}, "settling"),
        ({"kind": "gone", "status": None, "ended_at": None}, "settled"),
    ],
)
def test_when_a_conversation_is_settled(changes, state):
    snapshots = landed(fetched_at=NOW, **changes)
    assert snapshots.select(settle_state(pl.col("fetched_at"), REREAD)).item() == state


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"ended_at": NOW}, "settled"),
        ({"status": "archived", "ended_at": NOW}, "settled"),
        ({"status": None}, "settled"),
    ],
)
def test_without_rereads_a_conversation_is_settled_at_its_end(changes, state):
    snapshots = landed(fetched_at=NOW, **changes)
    assert snapshots.select(settle_state(pl.col("fetched_at"), ())).item() == state


def test_the_list_row_counts_before_the_document():
    """Of a listed conversation the list says when it began and of which agent; else the document does."""
    later = listed(agent_id="agent_b", start_time_at=NOW)
    columns = ("conversation_id", "start_time_at", "agent_id")
    both = decide_refetch(later, landed(status=None, agent_id="agent_a"), now=NOW, reread_days=REREAD)
    alone = decide_refetch(NOTHING_LISTED, landed(status=None, agent_id="agent_a"), now=NOW, reread_days=REREAD)
    assert both.select(columns).rows() == [("conv_a", NOW, "agent_b")]
    assert alone.select(columns).rows() == [("conv_a", NOW - DAY, "agent_a")]


def test_a_conversation_whose_document_was_lost_is_fetched_and_landed_again():
    """What is left says only that the document had not changed: it is damaged, and was set aside."""
    lost = landed(kind="unchanged").with_columns(content_at=pl.lit(None, pl.Datetime("us", "UTC")))
    decided = decide_refetch(listed(), lost, now=NOW, reread_days=REREAD)
    assert decided.select("reason", "content_sha256").rows() == [("new", None)]
