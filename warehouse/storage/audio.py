"""The recordings: MP3 files below ``audio/``, by day, and which calls are to have one."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from urllib.parse import quote

import polars as pl

from warehouse.schema.activity import AUDIO_FILES
from warehouse.schema.conversations import CONVERSATIONS
from warehouse.storage import activity_log, lake
from warehouse.storage.home import Home

LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Choice:
    """Which calls to choose, of those that have a recording; None means all.

    ``sample`` is how many of them, drawn by the hash of the id, so that the same are drawn again.
    """

    since: datetime | None = None
    until: datetime | None = None
    agent_id: str | None = None
    sample: int | None = None


def folder(home: Home) -> Path:
    """Where the recordings of all workspaces stand."""
    return home.root / "audio"


def file_of(home: Home, day: date, conversation_id: str) -> Path:
    """The recording of a conversation; an id that is no file name is percent-encoded, so that it stays one name."""
    name = quote(conversation_id, safe="")
    if len(name) > LONGEST_NAME:
        name = hashlib.sha256(name.encode()).hexdigest()
    return folder(home) / f"start_date={day.isoformat()}" / f"{name}.mp3"


def wanted(home: Home, choice: Choice) -> pl.DataFrame:
    """The chosen calls, oldest first, but for those that are known to have no recording.

    Returns:
        conversation_id, start_date, is_noted (whether the saved recording is).
    """
    columns = ("conversation_id", "start_date", "start_time_at", "agent_id", "has_audio", "is_deleted")
    calls = lake.read(home, CONVERSATIONS, columns)
    calls = calls.filter(pl.col("has_audio"), ~pl.col("is_deleted").fill_null(value=False))
    if choice.since is not None:
        calls = calls.filter(pl.col("start_time_at") >= choice.since)
    if choice.until is not None:
        calls = calls.filter(pl.col("start_time_at") < choice.until)
    if choice.agent_id is not None:
        calls = calls.filter(agent_id=choice.agent_id)
    if choice.sample is not None:
        drawn = sorted(
            calls["conversation_id"], key=lambda each: hashlib.sha256(each.encode(errors="replace")).digest()
        )
        calls = calls.filter(pl.col("conversation_id").is_in(drawn[: choice.sample]))
    notes = activity_log.latest_entries(home, AUDIO_FILES).select("conversation_id", "outcome")
    known = calls.sort("start_time_at", "conversation_id").join(notes, "conversation_id", "left", maintain_order="left")
    known = known.with_columns(is_noted=(pl.col("outcome") == "saved").fill_null(value=False))
    return known.filter(pl.col("outcome").ne_missing("missing")).select("conversation_id", "start_date", "is_noted")


def total_bytes(home: Home) -> int:
    """What all recordings take."""
    return sum(file.stat().st_size for file in folder(home).rglob("*.mp3"))


def sweep(home: Home) -> None:
    """Remove what a killed run left half-fetched; for the one writer alone."""
    for file in home.temporary.glob("*.mp3"):
        file.unlink(missing_ok=True)


def forget(home: Home, ids: Collection[str]) -> dict[str, int]:
    """Remove recordings, whatever day they stand under, and their notes; says how many of each conversation went."""
    names = {file_of(home, date.min, conversation_id).name: conversation_id for conversation_id in ids}
    removed: dict[str, int] = {}
    for file in folder(home).glob("start_date=*/*.mp3"):
        if file.name in names:
            file.unlink(missing_ok=True)
            removed[names[file.name]] = removed.get(names[file.name], 0) + 1
    activity_log.delete_entries(home, (AUDIO_FILES,), ids)
    return removed
