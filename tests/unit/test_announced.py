"""Which conversations webhooks announced, by the latest event of each and what is landed since."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pipelines.extract.announced import announced_conversations
from warehouse.schema.activity import INITIATION_FAILURE, WEBHOOK_EVENTS
from warehouse.storage import activity_log, landing
from warehouse.storage.home import Home

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_the_latest_event_counts_until_a_later_snapshot_lands(tmp_path):
    home = Home(tmp_path / "home").open()

    def announce(name, minutes, kind="post_call_transcription", agent_id="agent_a"):
        row = {"conversation_id": name, "event_type": kind, "agent_id": agent_id}
        activity_log.append(home, WEBHOOK_EVENTS, [row | {"event_at": AT + minutes * MINUTE, "received_at": AT}])

    def land(name):
        times = {"start_date": AT.date(), "start_time_at": AT, "fetched_at": AT}
        landing.land_documents(home, [{"conversation_id": name, "kind": "document", "content_sha256": "00"} | times])

    announce("read since", 0)
    announce("not read", 5)
    land("read since")
    land("changed since")
    announce("changed since", 1)
    announce("changed since", 3, "post_call_transcription_otel", "agent_b")
    announce("changed since", 2, "other")  # received last: the order is that of the landing, not of the event's time
    announce("not reached", 0, INITIATION_FAILURE)
    assert sorted(announced_conversations(home).rows(named=True), key=lambda row: row["conversation_id"]) == [
        {
            "conversation_id": "changed since",
            "agent_id": "agent_a",
            "start_time_at": AT + 2 * MINUTE,
            "is_landed": True,
        },
        {"conversation_id": "not read", "agent_id": "agent_a", "start_time_at": AT + 5 * MINUTE, "is_landed": False},
    ]
