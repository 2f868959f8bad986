"""The use case of feedback: thumbs are sent to the API, each at most once, and noted with what the API answered.

What was sent is read from the notes in the landing (``warehouse.storage.activity_log``), so a batch that was stopped
goes on where it was. The API sets a thumb and does not add one, so one that is sent twice, as its note was lost in a
kill, does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import send_feedback
from pipelines.api.error_mapping import is_invalid_key
from pipelines.api.rate_limiter import RateLimiter
from pipelines.api.tasks import run_concurrently
from pipelines.errors import ApiError, ApiUnavailableError, CredentialsError, NotFoundError
from pipelines.usecases.context import Context, Progress, no_progress
from pipelines.usecases.feedback_file import FEEDBACK_VALUES
from warehouse.schema.activity import FEEDBACK_SENT
from warehouse.storage import activity_log
from warehouse.storage.home import Home

WORKERS = 8
NOTES_A_FILE = 25
"""Answers that a kill can cost at most; they are asked for again then."""
BREAK_AFTER = 5
"""Conversations in a row without an answer: then the API is taken to be down."""


@dataclass(frozen=True, slots=True)
class FeedbackResult:
    """What came of a batch: ids that were ``sent``, that had been ``before``, and why the API took the others not."""

    sent: tuple[str, ...]
    before: tuple[str, ...]
    failed: dict[str, str]
    is_refused: bool
    """Whether the API or the key refused one; an id that the API does not know is no refusal."""


def unsent_feedback(home: Home, wanted: Mapping[str, str]) -> dict[str, str]:
    """Those of the verdicts (by conversation) that were never sent, or whose sending failed."""
    notes = activity_log.latest_entries(home, FEEDBACK_SENT).unique("conversation_id", keep="last", maintain_order=True)
    told = dict(notes.filter(outcome="sent").select("conversation_id", "feedback").rows())
    return {
        conversation_id: verdict for conversation_id, verdict in wanted.items() if told.get(conversation_id) != verdict
    }


def submit_feedback(
    context: Context,
    wanted: Mapping[str, str],
    *,
    progress: Progress = no_progress,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> FeedbackResult:
    """Send verdicts (by conversation) that were not sent yet, at most ``feedback_per_sec`` a second.

    Raises:
        UsageError: an id cannot be part of a path.
        CredentialsError: the key itself is refused; what was answered before is noted.
        UnreachableError: the API is down; what was answered before is noted.
        HomeError: see ``Context.write_lock``.
        LockedError: see ``Context.write_lock``.
    """
    with context.write_lock("feedback"):
        due = unsent_feedback(context.home, wanted)
        batch = _Batch(context, due, progress)
        try:
            asyncio.run(
                batch.send(RateLimiter(context.settings.feedback_per_sec, monotonic=context.monotonic, sleep=sleep))
            )
        finally:
            batch.note()
            activity_log.refresh_lake(context.home)
    return FeedbackResult(
        tuple(batch.sent), tuple(each for each in wanted if each not in due), batch.failed, batch.is_refused
    )


@dataclass(slots=True)
class _Batch:
    """Verdicts on their way."""

    context: Context
    due: Mapping[str, str]
    progress: Progress
    sent: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    is_refused: bool = False
    notes: list[dict[str, object]] = field(default_factory=list)
    in_a_row: int = 0

    async def send(self, pace: RateLimiter) -> None:
        client = self.context.connect(self.context.settings)
        waiting = iter(self.due.items())
        self.progress("send", 0, len(self.due))
        async with client:
            await run_concurrently(self._work(client, pace, waiting) for _ in range(WORKERS))

    async def _work(self, client: ApiClient, pace: RateLimiter, waiting: Iterator[tuple[str, str]]) -> None:
        for conversation_id, verdict in waiting:
            await pace.acquire()
            try:
                await send_feedback(client, conversation_id, FEEDBACK_VALUES[verdict])
            except ApiError as error:
                self._fail(conversation_id, verdict, error)
            else:
                self.sent.append(conversation_id)
                self.in_a_row = 0
                self._add(conversation_id, verdict, "sent")
            self.progress("send", len(self.sent) + len(self.failed), len(self.due))

    def _fail(self, conversation_id: str, verdict: str, error: ApiError) -> None:
        self.failed[conversation_id] = str(error)
        is_unanswered = isinstance(error, ApiUnavailableError)
        outcome = "not_found" if isinstance(error, NotFoundError) else "failed" if is_unanswered else "refused"
        self.is_refused |= outcome != "not_found"
        self.in_a_row = self.in_a_row + 1 if is_unanswered else 0
        self._add(conversation_id, verdict, outcome, error)
        if (isinstance(error, CredentialsError) and is_invalid_key(error)) or self.in_a_row >= BREAK_AFTER:
            raise error

    def _add(self, conversation_id: str, verdict: str, outcome: str, error: ApiError | None = None) -> None:
        self.notes.append(
            {
                "conversation_id": conversation_id,
                "sent_at": self.context.clock(),
                "feedback": verdict,
                "outcome": outcome,
                "status": error and error.status,
                "error": error and error.message,
            }
        )
        if len(self.notes) >= NOTES_A_FILE:
            self.note()

    def note(self) -> None:
        """Write down what is not written yet."""
        activity_log.append(self.context.home, FEEDBACK_SENT, self.notes, self.context.clock())
        self.notes = []
