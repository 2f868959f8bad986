"""Completeness by day, worked out by hand: what is listed is somewhere, or missing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

NEXT_DAY = date(2026, 11, 3)


def listed(rows: Any, conversation_id: str, **row: object) -> None:
    defaults = {"start_time_at": rows.noon, "fingerprint": "f", "first_seen_at": rows.noon, "last_seen_at": rows.noon}
    rows.add("conversation_list", **({"conversation_id": conversation_id} | defaults | row))


def run(rows: Any, run_id: str, outcome: str, hours: int, workspace: str = "main", *, lists_all: bool = True) -> None:
    of_it = {"run_id": run_id, "workspace": workspace, "outcome": outcome, "elapsed_secs": 1.0}
    listed_at = rows.noon + timedelta(hours=hours - 1) if outcome == "complete" and lists_all else None
    times = {"started_at": rows.noon, "ended_at": rows.noon + timedelta(hours=hours), "last_full_listing_at": listed_at}
    rows.whole("sync_runs", **times, **of_it)


def test_sync_health(rows: Any) -> None:
    for number, conversation_id in enumerate(("c1", "c2", "c3", "gone", "aside", "lost")):
        listed(rows, conversation_id, last_seen_at=rows.noon - timedelta(hours=number))
    listed(rows, "c4", start_date=NEXT_DAY, last_seen_at=rows.noon + timedelta(hours=9))
    rows.call("c1")
    rows.call("c2", status="in-progress", settle_state="open")
    rows.call("c3", settle_state="settling", is_deleted=True)
    rows.call("c4", start_date=NEXT_DAY)
    for conversation_id in ("c3", "gone"):
        rows.add(
            "deletions", conversation_id=conversation_id, noticed_at=rows.noon, evidence="not_found", reason="deleted"
        )
    rows.whole("quarantine", conversation_id="aside", fetched_at=rows.noon, reason="unreadable", error="cut")
    for path in ("metadata.new", "new"):
        seen = {"first_seen_at": rows.noon, "last_seen_at": rows.noon, "example_id": "c1"}
        rows.whole(
            "unknown_fields_daily",
            start_date=rows.day,
            path=path,
            value="",
            kind="key",
            n_rows=2,
            n_conversations=1,
            **seen,
        )
    run(rows, "earlier", "complete", -1)
    run(rows, "first", "complete", 1)
    run(rows, "second", "complete", 5, lists_all=False)
    run(rows, "third", "incomplete", 7)

    first_day, next_day = rows.model("metrics.sync_health")

    assert first_day == {
        "workspace": "main",
        "start_date": rows.day,
        "n_listed": 6,
        "n_detailed": 4,
        "n_flattened": 3,
        "n_in_mart": 3,
        "n_open": 1,
        "n_settling": 1,
        "n_settled": 1,
        "n_deleted": 2,
        "n_quarantined": 1,
        "n_unknown_fields": 2,
        "n_missing": 1,
        "last_listed_at": rows.noon,
        "last_full_listing_at": rows.noon,
        "last_complete_run_at": rows.noon + timedelta(hours=5),
    }
    assert [next_day[name] for name in ("start_date", "n_listed", "n_settled", "n_unknown_fields", "n_missing")] == [
        NEXT_DAY,
        1,
        1,
        0,
        0,
    ]
    assert next_day["last_listed_at"] == rows.noon + timedelta(hours=9)


def test_the_day_of_a_conversation_is_that_of_its_document(rows: Any) -> None:
    """The list may say another day, and so may a deletion that was noticed before there was a document."""
    for conversation_id in ("moved", "gone", "aside"):
        listed(rows, conversation_id, start_date=NEXT_DAY, last_seen_at=rows.noon + timedelta(hours=13))
    rows.call("moved", settle_state="settling")
    rows.call("gone", is_deleted=True)
    for conversation_id, day in (("gone", NEXT_DAY), ("never_listed", rows.day)):
        rows.add(
            "deletions",
            conversation_id=conversation_id,
            start_date=day,
            noticed_at=rows.noon,
            evidence="not_found",
            reason="deleted",
        )
    rows.whole("quarantine", conversation_id="aside", fetched_at=rows.noon, reason="unreadable", error="cut")
    columns = ("n_listed", "n_detailed", "n_flattened", "n_in_mart", "n_settling", "n_settled", "n_deleted")
    columns = ("start_date", *columns, "n_quarantined", "n_missing")
    assert rows.values("metrics.sync_health", *columns) == [
        (rows.day, 2, 3, 2, 2, 1, 1, 2, 0, 0),
        (NEXT_DAY, 1, 0, 0, 0, 0, 0, 0, 1, 0),
    ]


def test_sync_health_by_workspace(rows: Any) -> None:
    listed(rows, "c1")
    listed(rows, "c2", workspace="second")
    listed(rows, "c3", workspace="third")
    rows.call("c1")
    run(rows, "first", "complete", 1)
    run(rows, "first", "complete", 3, "second")
    run(rows, "first", "failed", 5, "third")
    columns = ("workspace", "n_listed", "n_missing", "last_full_listing_at", "last_complete_run_at")
    assert rows.values("metrics.sync_health", *columns) == [
        ("main", 1, 0, rows.noon, rows.noon + timedelta(hours=1)),
        ("second", 1, 1, rows.noon + timedelta(hours=2), rows.noon + timedelta(hours=3)),
        ("third", 1, 1, None, None),
    ]


def test_sync_health_of_nothing(rows: Any) -> None:
    assert rows.model("metrics.sync_health") == []
