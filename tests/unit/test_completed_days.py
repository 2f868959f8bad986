"""Which days can be flattened while others are still being read."""

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


def wanted(name, start=NOON, reason="new"):
    return {"conversation_id": name, "start_time_at": start, "reason": reason}


def landed(expected, *rows):
    """Give out what comes of some readings: (wanted row, kind, day that the document says)."""
    answers = [Response(row, b"", NOON) for row, _, _ in rows]
    readings = pl.DataFrame(
        [{"conversation_id": row["conversation_id"], "kind": kind, "start_date": day} for row, kind, day in rows]
    )
    days = expected.on_landed(answers, readings)
    return sorted((day["start_date"][0], sorted(day["conversation_id"])) for day in days)


def test_a_day_is_given_out_once_when_its_last_call_is_landed():
    a, b, c = wanted("a"), wanted("b"), wanted("c", NOON + timedelta(days=1))
    days = CompletedDays(pl.DataFrame([a, b, c]), ())
    assert landed(days, (a, "document", FIRST)) == []
    assert landed(days, (c, "document", SECOND)) == [(SECOND, ["c"])]
    assert landed(days, (b, "document", FIRST)) == [(FIRST, ["a", "b"])]


def test_only_first_documents_that_stand_in_their_listed_day_are():
    start = [wanted("here"), wanted("gone"), wanted("moved"), wanted("again", reason="due")]
    days = CompletedDays(pl.DataFrame(start), ())
    kinds = [("document", FIRST), ("gone", FIRST), ("document", SECOND), ("document", FIRST)]
    rows = [(row, kind, day) for row, (kind, day) in zip(start, kinds, strict=True)]
    assert landed(days, *rows) == [(FIRST, ["here"])]


def test_few_wait_for_more(monkeypatch):
    monkeypatch.setattr(completed_days, "DOCUMENTS_PER_TASK", 2)
    a, b = wanted("a"), wanted("b", NOON + timedelta(days=1))
    days = CompletedDays(pl.DataFrame([a, b]), ())
    assert landed(days, (a, "document", FIRST)) == []
    assert landed(days, (b, "document", SECOND)) == [(FIRST, ["a"]), (SECOND, ["b"])]


def test_a_day_of_another_zone_is_that_of_utc():
    """The clock of a list row is UTC; the day is too, whatever zone a row's time was given in."""
    a = wanted("a", datetime.fromisoformat("2026-11-01T23:30:00-05:00"))
    days = CompletedDays(pl.DataFrame([a | {"start_time_at": a["start_time_at"].astimezone(UTC)}]), ())
    assert landed(days, (a, "document", SECOND)) == [(SECOND, ["a"])]
