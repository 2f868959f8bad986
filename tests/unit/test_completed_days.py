"""Which days can be flattened while others are still being fetched."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from pipelines.extract import completed_days
from pipelines.extract.completed_days import CompletedDays
from pipelines.extract.land_responses import Response

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 2)


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(completed_days, "DOCUMENTS_PER_TASK", 1)


def plan_row(name, start=NOON, reason="new"):
    return {"conversation_id": name, "start_time_at": start, "reason": reason}


def on_landed(completed_days, *rows):
    """The days that are returned for landed snapshots: (plan row, kind, start date of the document)."""
    responses = [Response(row, b"", NOON) for row, _, _ in rows]
    snapshots = pl.DataFrame(
        [{"conversation_id": row["conversation_id"], "kind": kind, "start_date": day} for row, kind, day in rows]
    )
    days = completed_days.on_landed(responses, snapshots)
    return sorted((day["start_date"][0], sorted(day["conversation_id"])) for day in days)


def test_a_day_is_returned_once_when_its_last_conversation_is_landed():
    a, b, c = plan_row("a"), plan_row("b"), plan_row("c", NOON + timedelta(days=1))
    days = CompletedDays(pl.DataFrame([a, b, c]), ())
    assert on_landed(days, (a, "document", FIRST)) == []
    assert on_landed(days, (c, "document", SECOND)) == [(SECOND, ["c"])]
    assert on_landed(days, (b, "document", FIRST)) == [(FIRST, ["a", "b"])]


def test_only_first_documents_that_started_on_their_listed_day_count():
    start = [plan_row("here"), plan_row("gone"), plan_row("moved"), plan_row("again", reason="due")]
    days = CompletedDays(pl.DataFrame(start), ())
    kinds = [("document", FIRST), ("gone", FIRST), ("document", SECOND), ("document", FIRST)]
    rows = [(row, kind, day) for row, (kind, day) in zip(start, kinds, strict=True)]
    assert on_landed(days, *rows) == [(FIRST, ["here"])]


def test_too_few_documents_wait_for_more(monkeypatch):
    monkeypatch.setattr(completed_days, "DOCUMENTS_PER_TASK", 2)
    a, b = plan_row("a"), plan_row("b", NOON + timedelta(days=1))
    days = CompletedDays(pl.DataFrame([a, b]), ())
    assert on_landed(days, (a, "document", FIRST)) == []
    assert on_landed(days, (b, "document", SECOND)) == [(FIRST, ["a"]), (SECOND, ["b"])]


def test_a_day_of_another_zone_is_that_of_utc():
    """Days are UTC days, whatever time zone the time of a list row has."""
    a = plan_row("a", datetime.fromisoformat("2026-11-01T23:30:00-05:00"))
    days = CompletedDays(pl.DataFrame([a | {"start_time_at": a["start_time_at"].astimezone(UTC)}]), ())
    assert on_landed(days, (a, "document", SECOND)) == [(SECOND, ["a"])]


def test_a_run_is_split_into_four_tasks_at_least(monkeypatch):
    monkeypatch.setattr(completed_days, "DOCUMENTS_PER_TASK", 100)
    monkeypatch.setattr(completed_days, "MIN_DOCUMENTS_PER_TASK", 1)
    rows = [plan_row(str(number), NOON + number * timedelta(days=1)) for number in range(8)]
    days = CompletedDays(pl.DataFrame(rows), ())
    landed = [on_landed(days, (row, "document", row["start_time_at"].date())) for row in rows]
    assert [len(completed) for completed in landed] == [0, 2] * 4
