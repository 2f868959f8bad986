"""The use case of the recordings: MP3 files beside the lake, each whole or not there, and fetched once.

A recording streams into a temporary file, is looked at, synced and renamed in. What is there is not fetched again, so a
run that was stopped goes on where it was; a file whose note was lost in a kill is noted anew, without the API.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import get_audio
from pipelines.api.responses import check_mp3
from pipelines.api.tasks import run_concurrently
from pipelines.errors import ApiError, ApiUnavailableError, CredentialsError
from pipelines.usecases.context import Context, Progress, no_progress
from warehouse.schema.activity import AUDIO_FILES
from warehouse.storage import activity_log, audio
from warehouse.storage.audio import AudioSelection

WORKERS = 4
NOTES_A_FILE = 100
"""A kill costs these notes, and no recording: they are made again from the files."""
BREAK_AFTER = 5
"""Recordings in a row without an answer: then the API is taken to be down."""
ABSENT = frozenset({404, 422})


@dataclass(slots=True)
class DownloadResult:
    """What came of a run: files that were saved, that had been there, that the API has not; why others failed.

    ``n_left`` had no room within the budget; ``total_bytes`` is what all recordings take now.
    """

    n_saved: int = 0
    n_before: int = 0
    n_missing: int = 0
    n_left: int = 0
    total_bytes: int = 0
    failed: dict[str, str] = field(default_factory=dict)


def download_audio(
    context: Context, choice: AudioSelection, *, budget_bytes: int, progress: Progress = no_progress
) -> DownloadResult:
    """Save the recordings of the chosen calls, as long as all recordings take no more than the budget.

    Raises:
        CredentialsError: the key is refused, or lacks the scope.
        UnreachableError: the API is down; what was saved before stays.
        HomeError: see ``Context.write_lock``.
        LockedError: see ``Context.write_lock``.
        OSError: the disk is full.
    """
    with context.write_lock("audio"):
        audio.remove_partial_downloads(context.home)
        found = audio.select_conversations(context.home, choice)
        run = _Download(context, budget_bytes, progress, n_wanted=found.height)
        run.done.total_bytes = audio.total_bytes(context.home)
        try:
            asyncio.run(run.all(found.iter_rows(named=True)))
        finally:
            run.note()
            activity_log.refresh_lake(context.home)
    return run.done


@dataclass(slots=True)
class _Download:
    """Recordings on their way."""

    context: Context
    budget_bytes: int
    progress: Progress
    n_wanted: int
    done: DownloadResult = field(default_factory=DownloadResult)
    notes: list[dict[str, object]] = field(default_factory=list)
    n_looked_at: int = 0
    in_a_row: int = 0

    async def all(self, rows: Iterator[dict[str, Any]]) -> None:
        client = self.context.connect(self.context.settings)
        self.progress("audio", 0, self.n_wanted)
        async with client:
            await run_concurrently(self._work(client, rows) for _ in range(WORKERS))

    async def _work(self, client: ApiClient, rows: Iterator[dict[str, Any]]) -> None:
        for row in rows:
            await self._one(client, row)
            self.n_looked_at += 1
            self.progress("audio", self.n_looked_at, self.n_wanted)

    async def _one(self, client: ApiClient, row: Mapping[str, Any]) -> None:
        target = audio.recording_file(self.context.home, row["start_date"], row["conversation_id"])
        if target.exists():
            self.done.n_before += 1
            if not row["is_logged"]:
                self._add(row, "saved", await asyncio.to_thread(_facts, target, self.context.home.root))
            return
        if self.done.total_bytes >= self.budget_bytes:
            self.done.n_left += 1
            return
        try:
            await self._save(client, row, target)
        except ApiError as error:
            self._fail(row, error)
        else:
            self.in_a_row = 0

    async def _save(self, client: ApiClient, row: Mapping[str, Any], target: Path) -> None:
        temporary = self.context.home.temporary / f"{uuid.uuid4().hex}.mp3"
        try:
            with temporary.open("w+b") as file:
                await get_audio(client, row["conversation_id"], file)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            size = temporary.stat().st_size
            if self.done.total_bytes + size > self.budget_bytes:
                self.done.n_left += 1
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        self.done.total_bytes += size
        self.done.n_saved += 1
        self._add(row, "saved", await asyncio.to_thread(_facts, target, self.context.home.root))

    def _fail(self, row: Mapping[str, Any], error: ApiError) -> None:
        if isinstance(error, CredentialsError):
            raise error
        if error.status in ABSENT:
            self.done.n_missing += 1
            self._add(row, "missing", {"reason": error.message})
            return
        self.done.failed[row["conversation_id"]] = str(error)
        self.in_a_row = self.in_a_row + 1 if isinstance(error, ApiUnavailableError) else 0
        if self.in_a_row >= BREAK_AFTER:
            raise error

    def _add(self, row: Mapping[str, Any], outcome: str, facts: Mapping[str, object]) -> None:
        known = {"conversation_id": row["conversation_id"], "start_date": row["start_date"]}
        self.notes.append({**known, "fetched_at": self.context.clock(), "outcome": outcome, **facts})
        if len(self.notes) >= NOTES_A_FILE:
            self.note()

    def note(self) -> None:
        """Write down what is not written yet."""
        activity_log.append(self.context.home, AUDIO_FILES, self.notes, self.context.clock())
        self.notes = []


def _facts(file: Path, root: Path) -> dict[str, object]:
    """Path, size and hash of a recording.

    Raises:
        ValueError: somebody put another thing in its place.
    """
    with file.open("rb") as content:
        check_mp3(content)
        content.seek(0)
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    return {"path": str(file.relative_to(root)), "file_bytes": file.stat().st_size, "sha256": sha256}
