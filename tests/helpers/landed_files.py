"""What tests land: snapshots of documents, files to merge; and a merge that dies between two of its steps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from warehouse.schema.landing import LANDED_LISTINGS
from warehouse.storage import landing, landing_files, landing_merge, parquet
from warehouse.storage.home import Home

START = datetime(2026, 11, 20, tzinfo=UTC)


class KilledError(BaseException):
    """In place of a kill: nothing catches it, and no step after it runs."""


def snapshot_of(document: Mapping[str, Any], at: datetime, kind: str = "document", **changes: object) -> dict[str, Any]:
    """A row of ``LANDED_DOCUMENTS`` for a document that was fetched at a time; other kinds land without its text."""
    start, payload = datetime.fromtimestamp(document["metadata"]["start_time_unix_secs"], UTC), json.dumps(document)
    row = {
        "conversation_id": document["conversation_id"],
        "start_date": start.date(),
        "start_time_at": start,
        "ended_at": start,
        "status": document["status"],
        "kind": kind,
        "fetched_at": at,
        "content_sha256": hashlib.sha256(payload.encode()).hexdigest(),
        "payload": payload.encode() if kind == "document" else None,
    }
    return row | changes


def land_rows(home: Home, at: datetime, contents: dict[str, str]) -> None:
    """A listing that shows some conversations, each with a content."""
    rows = [
        {
            "conversation_id": conversation_id,
            "start_date": START.date(),
            "start_time_at": START,
            "agent_name": content,
            "fingerprint": content,
            "listed_at": at,
            "payload": content.encode(),
        }
        for conversation_id, content in contents.items()
    ]
    landing.land_listing(home, landing.Listing(at, None, at), parquet.frame(LANDED_LISTINGS, rows))


def land_snapshot(home: Home, conversation_id: str, number: int, kind: str = "document") -> None:
    """A snapshot in a file of its own, as a webhook lands it."""
    row = {
        "conversation_id": conversation_id,
        "start_date": START.date(),
        "start_time_at": START,
        "status": "done",
        "kind": kind,
        "fetched_at": START + timedelta(minutes=number),
        "content_sha256": f"sha {number}",
        "n_texts": number,
        "payload": f"words of {conversation_id}".encode() if kind == "document" else None,
    }
    landing.land_documents(home, [row])


def landed(home: Home) -> tuple[list[tuple], list[tuple], list[landing.Listing], list[tuple]]:
    """What readers see of the landing: list rows, snapshots, listings, documents."""
    list_rows = landing.latest_list_rows(home, (*landing.LIST_ROW_COLUMNS, "first_seen_at"))
    snapshots = landing.snapshots(home)
    documents = pl.concat(landing.payloads(home, [START.date()], snapshots["conversation_id"].unique()))
    return (
        list_rows.sort("conversation_id").rows(),
        snapshots.sort("conversation_id", "fetched_at").rows(),
        landing.listings(home),
        documents.sort("conversation_id").rows(),
    )


def merge_and_die(home: Home, monkeypatch, step: int) -> bool:
    """Merge until the step of that number, from 1, of the renames and removals; whether there was such a step."""
    steps = iter(range(1, step))

    def dying(real):
        def call(path, *arguments, **named):
            if path.suffix in {".parquet", ".json"} and path.parent != home.temporary and not _is_next(steps):
                raise KilledError
            return real(path, *arguments, **named)

        return call

    def dying_rename(path, target, real=Path.replace):
        if not _is_next(steps):
            raise KilledError
        return real(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", dying(Path.unlink))
        patch.setattr(Path, "replace", dying_rename)
        try:
            landing_merge.merge(home)
        except KilledError:
            return True
    return False


def _is_next(steps) -> bool:
    return next(steps, None) is not None


def n_files(home: Home) -> int:
    """Files of the landing, without the records of merges."""
    return len(list(home.landing.rglob("*.parquet")))


def n_records(home: Home) -> int:
    """Records of merges that are not finished."""
    return len(list(landing_files.merge_records(home).glob("*")))
