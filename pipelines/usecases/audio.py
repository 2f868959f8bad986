"""Audio: download recordings as MP3 files beside the lake, each complete or absent, and each only once.

A recording is streamed into a temporary file, checked, synced to disk and renamed to its place. Existing files are not
downloaded again, so a run that was interrupted continues where it stopped. A file whose log entry was lost in a kill is
logged again, without a request.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import get_audio
from pipelines.api.mp3 import check_mp3
from pipelines.errors import ApiError, TooLargeError
from pipelines.usecases.batch_runner import BatchRunner
from pipelines.usecases.context import Context, Progress, no_progress
from pipelines.usecases.workspace_lookup import require_same_workspace
from warehouse.schema.activity import AUDIO_FILES
from warehouse.storage import audio
from warehouse.storage.audio import AudioSelection

WORKERS = 4
ENTRIES_PER_FILE = 100
"""A kill loses fewer entries than this, and no recording: the next run logs the files again."""
NO_RECORDING_STATUSES = frozenset({404, 422})
"""How the API answers for a conversation without a recording."""


@dataclass(slots=True)
class DownloadResult:
    """Counts of a run: saved, existing before, missing at the API, left out; ``failed`` has the error by id.

    ``n_left`` are the recordings beyond the budget; ``total_bytes`` is the size of all recordings on disk.
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
    """Download the recordings of the chosen conversations, while all recordings take no more than the budget.

    Raises:
        CredentialsError: the key is rejected, or lacks the scope.
        ForeignWorkspaceError: the API is that of another workspace.
        ApiUnavailableError: the API is down; what was saved before stays.
        HomeError: see ``Context.write_lock``.
        LockedError: see ``Context.write_lock``.
        OSError: the disk is full.
    """
    with context.write_lock("audio"):
        audio.remove_partial_downloads(context.home)
        rows = audio.select_conversations(context.home, choice)
        if not rows.is_empty():
            require_same_workspace(context)
        runner = BatchRunner(
            context,
            AUDIO_FILES,
            stage="audio",
            n_workers=WORKERS,
            entries_per_file=ENTRIES_PER_FILE,
            progress=progress,
        )
        result = DownloadResult(total_bytes=audio.total_bytes(context.home))
        downloader = _Downloader(context, runner, budget_bytes, result)
        runner.run(rows.iter_rows(named=True), rows.height, downloader.download)
    return result


@dataclass(slots=True)
class _Downloader:
    """Downloads one recording, and counts the outcomes of the batch in ``result``."""

    context: Context
    runner: BatchRunner
    budget_bytes: int
    result: DownloadResult

    async def download(self, client: ApiClient, row: Mapping[str, Any]) -> None:
        """``row`` is one of ``warehouse.storage.audio.select_conversations``."""
        target = audio.recording_file(self.context.home, row["start_date"], row["conversation_id"])
        n_bytes = target.stat().st_size if target.exists() else None
        if n_bytes is not None and row["saved_bytes"] in (None, n_bytes):  # of another size, somebody has changed it
            self.result.n_before += 1
            if row["saved_bytes"] is None:
                await self._log_saved(row, target)
            return
        if self.result.total_bytes >= self.budget_bytes:
            self.result.n_left += 1
            return
        try:
            await self._save(client, row, target, replaced_bytes=n_bytes or 0)
        except TooLargeError:
            self.result.n_left += 1
        except ApiError as error:
            self._fail(row, error)
        else:
            self.runner.breaker.on_response()

    async def _save(self, client: ApiClient, row: Mapping[str, Any], target: Path, *, replaced_bytes: int) -> None:
        temporary = self.context.home.temporary / f"{uuid.uuid4().hex}.mp3"
        try:
            with temporary.open("w+b") as file:
                max_bytes = self.budget_bytes - self.result.total_bytes + replaced_bytes
                await get_audio(client, row["conversation_id"], file, max_bytes=max_bytes)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            size = temporary.stat().st_size - replaced_bytes
            # The size is known only now, and other workers may have used up the budget meanwhile.
            if self.result.total_bytes + size > self.budget_bytes:
                self.result.n_left += 1
                return
            target.parent.mkdir(parents=True, exist_ok=True)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        self.result.total_bytes += size
        self.result.n_saved += 1
        await self._log_saved(row, target)

    def _fail(self, row: Mapping[str, Any], error: ApiError) -> None:
        if error.status in NO_RECORDING_STATUSES:
            self.result.n_missing += 1
            self._log_not_found(row, error)
            return
        self.result.failed[row["conversation_id"]] = str(error)
        self.runner.breaker.on_error(error)

    def _log_not_found(self, row: Mapping[str, Any], error: ApiError) -> None:
        """A first refusal may be a temporary fault: after a second, later one the recording is not requested again."""
        first_at = row["not_found_at"]
        if first_at is None:
            self._log(row, "not_found", {"reason": error.message})
        elif self.context.clock() - first_at >= self.context.settings.confirm_after:
            self._log(row, "missing", {"reason": error.message})

    async def _log_saved(self, row: Mapping[str, Any], file: Path) -> None:
        self._log(row, "saved", await asyncio.to_thread(_file_columns, file, self.context.home.root))

    def _log(self, row: Mapping[str, Any], outcome: str, columns: Mapping[str, object]) -> None:
        keys = {"conversation_id": row["conversation_id"], "start_date": row["start_date"]}
        self.runner.log({**keys, "fetched_at": self.context.clock(), "outcome": outcome, **columns})


def _file_columns(file: Path, root: Path) -> dict[str, object]:
    """Path below ``root``, size and SHA-256 of a recording.

    Raises:
        ValueError: it is not an MP3: somebody replaced the file.
    """
    with file.open("rb") as content:
        check_mp3(content)
        content.seek(0)
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    return {"path": str(file.relative_to(root)), "file_bytes": file.stat().st_size, "sha256": sha256}
