"""Feedback: send likes and dislikes to the API, each at most once, and log what the API answered.

What was sent is read from the activity log, so a batch that was interrupted continues where it stopped. Setting
feedback at the API is idempotent, so one that is sent twice, because a kill lost its log entry, does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from pipelines.api.client import ApiClient
from pipelines.api.endpoints import send_feedback
from pipelines.api.error_mapping import is_invalid_key
from pipelines.api.rate_limiter import RateLimiter
from pipelines.errors import ApiError, ApiUnavailableError, NotFoundError
from pipelines.usecases.batch_runner import BatchRunner
from pipelines.usecases.context import Context, Progress, no_progress
from pipelines.usecases.feedback_file import FEEDBACK_VALUES
from warehouse.schema.activity import FEEDBACK_SENT
from warehouse.storage import activity_log
from warehouse.storage.home import Home

WORKERS = 8
ENTRIES_PER_FILE = 25
"""A kill loses fewer entries than this; their feedback is sent again then."""


@dataclass(frozen=True, slots=True)
class FeedbackResult:
    """The ids that were sent now and in earlier runs, and the error of each that failed."""

    sent: tuple[str, ...]
    sent_before: tuple[str, ...]
    failed: dict[str, str]
    is_refused: bool
    """Whether the API or the key rejected any; a conversation that the API does not know does not count."""


def unsent_feedback(home: Home, feedback: Mapping[str, str]) -> dict[str, str]:
    """The part of ``feedback`` (by conversation id) that was never sent, or failed."""
    entries = activity_log.latest_entries(home, FEEDBACK_SENT)
    latest = entries.unique("conversation_id", keep="last", maintain_order=True)
    sent = dict(latest.filter(outcome="sent").select("conversation_id", "feedback").rows())
    return {conversation_id: value for conversation_id, value in feedback.items() if sent.get(conversation_id) != value}


def submit_feedback(
    context: Context,
    feedback: Mapping[str, str],
    *,
    progress: Progress = no_progress,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> FeedbackResult:
    """Send the feedback (by conversation id) that is not sent yet, at most ``feedback_per_sec`` a second.

    Raises:
        UsageError: an id cannot be part of a path.
        CredentialsError: the key itself is rejected; all responses before are logged.
        ApiUnavailableError: the API is down; all responses before are logged.
        HomeError: see ``Context.write_lock``.
        LockedError: see ``Context.write_lock``.
    """
    with context.api_lock("feedback"):
        unsent = unsent_feedback(context.home, feedback)
        runner = BatchRunner(
            context,
            FEEDBACK_SENT,
            stage="send",
            n_workers=WORKERS,
            entries_per_file=ENTRIES_PER_FILE,
            progress=progress,
        )
        rate = RateLimiter(context.settings.feedback_per_sec, monotonic=context.monotonic, sleep=sleep)
        sender = _Sender(context, runner, rate)
        runner.run(unsent.items(), len(unsent), sender.send)
    sent_before = tuple(conversation_id for conversation_id in feedback if conversation_id not in unsent)
    return FeedbackResult(tuple(sender.sent), sent_before, sender.failed, sender.is_refused)


@dataclass(slots=True)
class _Sender:
    """Sends the feedback on one conversation, and collects the outcomes of the batch."""

    context: Context
    runner: BatchRunner
    rate: RateLimiter
    sent: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    is_refused: bool = False

    async def send(self, client: ApiClient, item: tuple[str, str]) -> None:
        conversation_id, value = item
        await self.rate.acquire()
        try:
            await send_feedback(client, conversation_id, FEEDBACK_VALUES[value])
        except ApiError as error:
            self._fail(conversation_id, value, error)
        else:
            self.sent.append(conversation_id)
            self.runner.breaker.on_response()
            self._log(conversation_id, value, "sent")

    def _fail(self, conversation_id: str, value: str, error: ApiError) -> None:
        self.failed[conversation_id] = str(error)
        match error:
            case NotFoundError():
                outcome = "not_found"
            case ApiUnavailableError():
                outcome = "failed"
            case _:
                outcome = "refused"
        self.is_refused |= outcome != "not_found"
        self._log(conversation_id, value, outcome, error)
        if is_invalid_key(error):
            raise error
        self.runner.breaker.on_error(error)

    def _log(self, conversation_id: str, value: str, outcome: str, error: ApiError | None = None) -> None:
        self.runner.log(
            {
                "conversation_id": conversation_id,
                "sent_at": self.context.clock(),
                "feedback": value,
                "outcome": outcome,
                "status": error and error.status,
                "error": error and error.message,
            }
        )
