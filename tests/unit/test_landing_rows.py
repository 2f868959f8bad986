"""What a list row and a fetched document land as, and when the conversation ended."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from pipelines.api.responses import ListRow
from pipelines.extract.landing_rows import deleted_row, list_row, snapshot_row
from pipelines.transform.canonical_json import fingerprint

FETCHED_AT = datetime(2026, 11, 20, 2, tzinfo=UTC)
THIRTY_DAYS = 30 * 86_400
PLAN_ROW = {"conversation_id": "conv_1", "agent_id": "agent_1", "fingerprint": None, "content_sha256": None}


def landed(started_at, duration):
    metadata = {"start_time_unix_secs": started_at.timestamp(), "call_duration_secs": duration}
    body = json.dumps({"conversation_id": "conv_1", "status": "done", "metadata": metadata}).encode()
    return snapshot_row(PLAN_ROW, body, FETCHED_AT)


@pytest.mark.parametrize(
    ("duration", "secs"),
    [
        (90, 90),
        (1.5, 1.5),
        ("90", 90),
        (0, 0),
        (None, 0),
        (-90, 0),
        (1e300, 0),
        (10**400, 0),
        (10**9, 0),
        ([], 0),
        (THIRTY_DAYS, THIRTY_DAYS),
        (THIRTY_DAYS + 1, 0),
    ],
)
def test_a_conversation_ends_after_its_duration_if_it_can_have_lasted_so_long(duration, secs):
    started_at = FETCHED_AT - timedelta(hours=1)
    assert landed(started_at, duration)["ended_at"] - started_at == timedelta(seconds=secs)


START = datetime(2026, 11, 19, 23, 59, 59, tzinfo=UTC)
DOCUMENT = {
    "conversation_id": "conv_1",
    "agent_id": "agent_2",
    "status": "done",
    "metadata": {"start_time_unix_secs": START.timestamp() + 0.9, "call_duration_secs": 2},
    "transcript": [{"message": "Hi"}, {"message": ""}, {"message": None}, None],
}
EMPTIED = {"transcript": [{"message": None}]}


@pytest.mark.parametrize(
    ("changes", "plan", "expected"),
    [
        ({}, {}, {}),
        ({}, {"shown_texts": 5}, {}),
        ({"status": 7, "agent_id": 7}, {}, {"status": None, "agent_id": "agent_1"}),
        ({}, {"content_sha256": fingerprint(DOCUMENT)}, {"kind": "unchanged", "payload": None}),
        (EMPTIED, {"shown_texts": 1}, {"kind": "blanked", "n_texts": 0}),
        (EMPTIED, {"shown_texts": 0}, {"n_texts": 0}),
        (EMPTIED, {"shown_texts": None}, {"n_texts": 0}),
        (EMPTIED | {"status": "in-progress"}, {"shown_texts": 1}, {"status": "in-progress", "n_texts": 0}),
        ({"transcript": None}, {}, {"n_texts": 0}),
    ],
)
def test_the_row_of_a_document(changes, plan, expected):
    document = DOCUMENT | changes
    body = json.dumps(document, indent=1).encode()
    whole = {
        "conversation_id": "conv_1",
        "start_date": START.date(),
        "start_time_at": START,
        "ended_at": START + timedelta(seconds=2),
        "agent_id": "agent_2",
        "status": "done",
        "kind": "document",
        "list_fingerprint": "listed",
        "fetched_at": FETCHED_AT,
        "content_sha256": fingerprint(document),
        "n_texts": 1,
        "payload": body,
    }
    assert snapshot_row(PLAN_ROW | {"fingerprint": "listed"} | plan, body, FETCHED_AT) == whole | expected


def test_the_row_of_a_deletion_is_of_the_day_in_utc():
    began_at = datetime(2026, 11, 20, 0, 30, tzinfo=timezone(timedelta(hours=1)))
    plan_row = PLAN_ROW | {"start_time_at": began_at, "fingerprint": "listed", "content_sha256": "sha"}
    assert deleted_row(plan_row, FETCHED_AT) == {
        "conversation_id": "conv_1",
        "start_date": START.date(),
        "start_time_at": began_at,
        "agent_id": "agent_1",
        "kind": "gone",
        "list_fingerprint": "listed",
        "fetched_at": FETCHED_AT,
        "content_sha256": "sha",
        "payload": None,
    }


@pytest.mark.parametrize(("name", "agent_name"), [("Ann", "Ann"), (7, None), (None, None)])
@pytest.mark.parametrize(
    ("count", "message_count"), [(12, 12), (0, 0), (True, None), ("12", None), (-1, None), (10**30, None), (None, None)]
)
def test_the_row_of_a_list_row(name, agent_name, count, message_count):
    document = {"agent_name": name, "message_count": count}
    raw = json.dumps(document, indent=1).encode()
    row = ListRow(
        conversation_id="conv_1",
        start_time_unix_secs=int(START.timestamp()),
        status="done",
        agent_id="agent_1",
        raw=raw,
    )
    assert list_row(row, FETCHED_AT) == {
        "conversation_id": "conv_1",
        "start_date": START.date(),
        "start_time_at": START,
        "agent_id": "agent_1",
        "agent_name": agent_name,
        "status": "done",
        "message_count": message_count,
        "fingerprint": fingerprint(document),
        "listed_at": FETCHED_AT,
        "payload": raw,
    }
