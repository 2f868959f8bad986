"""The recorded payloads, and the least that a document is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RECORDED = Path(__file__).parents[1] / "fixtures" / "recorded"
READ_AT = datetime(2026, 11, 1, tzinfo=UTC)
STARTED = 1_757_088_912


def recorded_documents() -> list[str]:
    """Names of the recorded payloads that are one conversation each."""
    return sorted(file.stem for file in RECORDED.glob("*.json") if not file.stem.startswith("list_page"))


def detail(**changes: Any) -> dict[str, Any]:
    """A document with no more than it must have, and the given keys."""
    least = {"conversation_id": "conv_a", "agent_id": "agent_a", "status": "done", "transcript": []}
    return least | {"metadata": {"start_time_unix_secs": STARTED}} | changes


def id_of(payload: bytes) -> str:
    """Id of the conversation, in a webhook's body too."""
    document = json.loads(payload)
    return str((document if "conversation_id" in document else document["data"])["conversation_id"])
