"""What the API said of wanted conversations becomes landed readings; a process beside the reading one can do this."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.extract.landing_rows import deleted_row, snapshot_row
from pipelines.privacy.pseudonyms import Pseudonymizer
from warehouse.storage import landing
from warehouse.storage.home import Home


@dataclass(frozen=True, slots=True)
class Response:
    """What came of a wanted conversation (a row of ``settle.decide``): its document, or None for a 404."""

    plan_row: Mapping[str, Any]
    body: bytes | None
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class LandResult:
    """What was landed of some answers.

    ``readings`` have the columns of ``LANDED_DOCUMENTS`` but the payload, and ``has_payload``; ``unreadable`` are
    conversations whose document is set aside, and why.
    """

    snapshots: pl.DataFrame
    unreadable: dict[str, str]


def land_responses(home: Home, answers: Sequence[Response], pseudonyms: Pseudonymizer | None = None) -> LandResult:
    """Land answers; a document that cannot be read is set aside in quarantine, and the others are landed."""
    rows: list[dict[str, object]] = []
    unreadable: dict[str, str] = {}
    for answer in answers:
        if answer.body is None:
            rows.append(deleted_row(answer.plan_row, answer.fetched_at))
            continue
        try:
            rows.append(snapshot_row(answer.plan_row, answer.body, answer.fetched_at, pseudonyms))
        except RecursionError as error:
            conversation_id = answer.plan_row["conversation_id"]
            unreadable[conversation_id] = str(error)
            quarantine(home, conversation_id, error, answer.fetched_at)
    has_payload = pl.col("payload").is_not_null().alias("has_payload")
    return LandResult(landing.land_documents(home, rows).select(*landing.KEYS, has_payload), unreadable)


def quarantine(home: Home, conversation_id: str, error: Exception, at: datetime) -> None:
    """Note in quarantine that the answer to a conversation was no document."""
    reason = {"fetched_at": at, "reason": "unreadable", "error": str(error)}
    landing.land_quarantine(home, {"conversation_id": conversation_id, **reason})
