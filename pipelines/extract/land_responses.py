"""Land a batch of responses as snapshots; runs in a thread or in a worker process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.extract.landing_rows import deleted_row, snapshot_row
from pipelines.privacy.messages import hide_message
from pipelines.privacy.pseudonyms import Pseudonymizer
from warehouse.storage import landing
from warehouse.storage.home import Home


@dataclass(frozen=True, slots=True)
class Response:
    """The response for a row of ``plan_fetches``: the body of the document, or None for a 404."""

    plan_row: Mapping[str, Any]
    body: bytes | None
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class LandResult:
    """What was landed of a batch.

    ``snapshots`` has the key columns of ``LANDED_DOCUMENTS`` and ``has_payload``; ``unreadable`` are the errors of the
    quarantined conversations, by id.
    """

    snapshots: pl.DataFrame
    unreadable: dict[str, str]


def land_responses(
    home: Home, responses: Sequence[Response], pseudonyms: Pseudonymizer | None = None, sequence: int | None = None
) -> LandResult:
    """Land responses; a document that is nested too deep to read goes to quarantine, and the others are landed.

    ``sequence`` is as for ``landing.land_documents``.
    """
    rows: list[dict[str, object]] = []
    unreadable: dict[str, str] = {}
    for response in responses:
        if response.body is None:
            rows.append(deleted_row(response.plan_row, response.fetched_at))
            continue
        try:
            rows.append(snapshot_row(response.plan_row, response.body, response.fetched_at, pseudonyms))
        except RecursionError as error:
            conversation_id = response.plan_row["conversation_id"]
            unreadable[conversation_id] = str(error)
            quarantine(home, conversation_id, error, response.fetched_at)
    has_payload = pl.col("payload").is_not_null().alias("has_payload")
    # Without the payloads: the result can come from another process, and documents are expensive to send.
    return LandResult(
        landing.land_documents(home, rows, sequence).select(*landing.DOCUMENT_COLUMNS, has_payload), unreadable
    )


def quarantine(home: Home, conversation_id: str, error: Exception, at: datetime) -> None:
    """Land a quarantine entry: the response for a conversation was not a readable document."""
    reason = {"fetched_at": at, "reason": "unreadable", "error": hide_message(str(error))}
    landing.land_quarantine(home, {"conversation_id": conversation_id, **reason})
