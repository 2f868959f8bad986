"""A conversation that was redacted is still listed by the API; its list row lands without content."""

from __future__ import annotations

from datetime import UTC, datetime

from pipelines.extract.deletion_policy import landable
from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.storage import landing, parquet
from warehouse.storage.home import Home

AT = datetime(2026, 11, 1, tzinfo=UTC)
ROW = {"start_date": AT.date(), "start_time_at": AT}


def test_the_list_row_of_a_redacted_conversation_lands_empty(tmp_path):
    home = Home(tmp_path / "home").open()
    redacted = ROW | {"conversation_id": "conv_a", "kind": "gone", "fetched_at": AT, "is_redacted": True}
    landing.land_documents(home, [redacted])
    payload = b'{"transcript_summary": "Ada called"}'
    listed = [
        ROW | {"conversation_id": name, "status": "done", "fingerprint": "f", "listed_at": AT, "payload": payload}
        for name in ("conv_a", "conv_b")
    ]
    rows = landable(home, parquet.frame(LANDED_LISTINGS, listed))
    assert dict(rows.select("conversation_id", "payload").rows()) == {"conv_a": b"{}", "conv_b": payload}
