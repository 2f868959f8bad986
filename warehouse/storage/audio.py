"""The recordings: MP3 files below ``audio/``, by day, and the selection of conversations to download."""

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

MAX_NAME_LENGTH = 200
"""Longest file name, without its ending, that is written as it is: file systems allow 255 bytes."""


@dataclass(frozen=True, slots=True)
class AudioSelection:
    """Which of the conversations with a recording to select; None means all.

    ``sample`` is their number. They are drawn by the hash of the id, so that a repeat draws the same.
    """

    since: datetime | None = None
    until: datetime | None = None
    agent_id: str | None = None
    sample: int | None = None


def audio_folder(home: Home) -> Path:
    """Folder of the recordings of all workspaces."""
    return home.root / "audio"


def recording_file(home: Home, day: date, conversation_id: str) -> Path:
    """Path of a recording; the id is percent-encoded, so that no id leads to another folder, and hashed if too long."""
    name = quote(conversation_id, safe="")
    if len(name) > MAX_NAME_LENGTH:
        name = hashlib.sha256(name.encode()).hexdigest()
    return audio_folder(home) / f"start_date={day.isoformat()}" / f"{name}.mp3"


def select_conversations(home: Home, selection: AudioSelection) -> pl.DataFrame:
    """The selected conversations, oldest first, except those that the activity log says have no recording.

    Returns:
        conversation_id, start_date, saved_bytes (the size of the recording where the activity log has it as saved, else
        null), not_found_at (when a request first found none, null if none did since it was saved).
    """
    columns = ("conversation_id", "start_date", "start_time_at", "agent_id", "has_audio", "is_deleted")
    conversations = lake.read(home, CONVERSATIONS, columns)
    conversations = conversations.filter(pl.col("has_audio"), ~pl.col("is_deleted").fill_null(value=False))
    if selection.since is not None:
        conversations = conversations.filter(pl.col("start_time_at") >= selection.since)
    if selection.until is not None:
        conversations = conversations.filter(pl.col("start_time_at") < selection.until)
    if selection.agent_id is not None:
        conversations = conversations.filter(agent_id=selection.agent_id)
    if selection.sample is not None:
        sample = sorted(conversations["conversation_id"], key=_id_hash)[: selection.sample]
        conversations = conversations.filter(pl.col("conversation_id").is_in(sample))
    entries = activity_log.latest_entries(home, AUDIO_FILES)
    entries = entries.select("conversation_id", "outcome", "fetched_at", "file_bytes")
    return (
        conversations.sort("start_time_at", "conversation_id")
        .join(entries, "conversation_id", "left", maintain_order="left")
        .filter(pl.col("outcome").ne_missing("missing"))
        .select(
            "conversation_id",
            "start_date",
            saved_bytes=pl.when(outcome="saved").then("file_bytes"),
            not_found_at=pl.when(outcome="not_found").then("fetched_at"),
        )
    )


def _id_hash(conversation_id: str) -> bytes:
    return hashlib.sha256(conversation_id.encode(errors="replace")).digest()  # an id may hold a lone surrogate


def total_bytes(home: Home) -> int:
    """Size of all recordings."""
    return sum(file.stat().st_size for file in audio_folder(home).rglob("*.mp3"))


def remove_partial_downloads(home: Home) -> None:
    """Remove downloads that a killed run left unfinished; needs the write lock."""
    for file in home.temporary.glob("*.mp3"):
        file.unlink(missing_ok=True)


def delete_recordings(home: Home, ids: Collection[str]) -> dict[str, int]:
    """Delete the recordings of conversations, on whatever day they are filed, and their log entries.

    Returns:
        The number of deleted files, by conversation; those without any are left out.
    """
    id_by_file_name = {recording_file(home, date.min, conversation_id).name: conversation_id for conversation_id in ids}
    removed: dict[str, int] = {}
    for file in audio_folder(home).glob("start_date=*/*.mp3"):
        conversation_id = id_by_file_name.get(file.name)
        if conversation_id is not None:
            file.unlink(missing_ok=True)
            removed[conversation_id] = removed.get(conversation_id, 0) + 1
    activity_log.delete_entries(home, (AUDIO_FILES,), ids)
    return removed
