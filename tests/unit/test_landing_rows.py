"""What a fetched document lands as: when the conversation ended."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from pipelines.extract.landing_rows import snapshot_row

FETCHED_AT = datetime(2026, 11, 20, 2, tzinfo=UTC)
PLAN_ROW = {"conversation_id": "conv_1", "agent_id": "agent_1", "fingerprint": None, "content_sha256": None}


def landed(started_at, duration):
    metadata = {"start_time_unix_secs": started_at.timestamp(), "call_duration_secs": duration}
    body = json.dumps({"conversation_id": "conv_1", "status": "done", "metadata": metadata}).encode()
    return snapshot_row(PLAN_ROW, body, FETCHED_AT)


@pytest.mark.parametrize(
    ("duration", "secs"),
    [(90, 90), (1.5, 1.5), ("90", 90), (0, 0), (None, 0), (-90, 0), (1e300, 0), (10**400, 0), (10**9, 0), ([], 0)],
)
def test_a_conversation_ends_after_its_duration_if_it_can_have_lasted_so_long(duration, secs):
    started_at = FETCHED_AT - timedelta(hours=1)
    assert landed(started_at, duration)["ended_at"] - started_at == timedelta(seconds=secs)
