"""Land a batch of responses as snapshots; runs in a thread or in a worker process.

A document that cannot be landed is quarantined by its id, and the others of the batch are landed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from pipelines.extract.landing_rows import check_start, deleted_row, snapshot_row
from pipelines.privacy.messages import describe_error
from pipelines.privacy.pseudonyms import Pseudonymizer
from warehouse.schema.operations import UNREADABLE
from warehouse.storage import landing, quarantine
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
    """Land responses; those that cannot be landed go to quarantine. ``sequence`` is as for ``landing.land_documents``.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    rows, errors = _snapshot_rows(responses, pseudonyms)
    fetched_at = {response.plan_row["conversation_id"]: response.fetched_at for response in responses}
    for conversation_id, error in errors.items():
        quarantine.add(home, conversation_id, at=fetched_at[conversation_id], reason=UNREADABLE, error=error)
    has_payload = pl.col("payload").is_not_null().alias("has_payload")
    # Without the payloads: the result can come from another process, and documents are expensive to send.
    snapshots = landing.land_documents(home, rows, sequence).select(*landing.DOCUMENT_COLUMNS, has_payload)
    return LandResult(snapshots, errors)


def _snapshot_rows(
    responses: Sequence[Response], pseudonyms: Pseudonymizer | None
) -> tuple[list[dict[str, object]], dict[str, str]]:
    """Rows of ``LANDED_DOCUMENTS``, and by id why there is none."""
    rows: list[dict[str, object]] = []
    errors: dict[str, str] = {}
    for response in responses:
        try:
            rows.append(_snapshot_row(response, pseudonyms))
        except Exception as error:  # noqa: BLE001 - whatever is wrong with this document, the others are landed
            errors[response.plan_row["conversation_id"]] = f"the document cannot be landed: {describe_error(error)}"
    return rows, errors


def _snapshot_row(response: Response, pseudonyms: Pseudonymizer | None) -> dict[str, object]:
    if response.body is None:
        return deleted_row(response.plan_row, response.fetched_at)
    row = snapshot_row(response.plan_row, response.body, response.fetched_at, pseudonyms)
    check_start(row, response.fetched_at)
    for value in row.values():
        if isinstance(value, str):
            value.encode()  # raises for a lone surrogate, which no column can hold
    return row
