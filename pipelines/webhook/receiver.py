"""The receiver of post-call webhooks: verify the signature, land the document, and only then answer 200.

A document lands like a fetched one, with credentials masked and personal data hidden as the settings say. It is dated
by the event's own time, so a late webhook never replaces a later snapshot. It has no list row: the next sync fetches
the conversation again and decides what is current.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines.api.responses import check_conversation
from pipelines.extract.landing_rows import snapshot_row
from pipelines.transform.canonical_json import dump, load
from pipelines.usecases.context import Context
from pipelines.webhook.batch_writer import BatchWriter
from pipelines.webhook.signature import HEADER, TOLERANCE_SECS, SignatureError, verify

MAX_BODY_BYTES = 16 * 1024 * 1024
"""A document takes 20 kB to 1 MB."""
BODY_TIMEOUT_SECS = 20.0
TRANSCRIPT_EVENT = "post_call_transcription"


@dataclass(frozen=True, slots=True)
class Answer:
    """The HTTP status and the text of a response to the sender."""

    status: int
    message: str


class RefusedError(Exception):
    """A webhook is refused; ``answer`` says why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, message)


class Receiver:
    """Receives the webhooks of one workspace; ``on_answer`` is called with every answer."""

    def __init__(self, context: Context, secret: str, on_answer: Callable[[Answer], None]) -> None:
        self._context = context
        self._secret = secret
        self._on_answer = on_answer
        self._writer = BatchWriter(context.home)
        self._expiry_by_digest: dict[str, float] = {}

    async def receive(self, request: Request) -> Response:
        """Handle one request of the sender."""
        try:
            answer = await self._answer(request)
        except RefusedError as refusal:
            answer = refusal.answer
        self._on_answer(answer)
        return JSONResponse({"status": answer.message}, answer.status)

    async def _answer(self, request: Request) -> Answer:
        body = await _body(request)
        now = self._context.clock()
        try:
            digest = verify(self._secret, request.headers.get(HEADER), body, now.timestamp())
        except SignatureError as error:
            raise RefusedError(401, str(error)) from None
        # Remembered before it is landed: of two copies that arrive at the same time, only one may land.
        self._remember(digest, now.timestamp())
        try:
            return await self._land(body, now)
        except OSError:
            del self._expiry_by_digest[digest]  # it did not land, so the sender's next attempt is no replay
            raise RefusedError(503, "the conversation could not be written; send it again") from None

    def _remember(self, digest: str, now: float) -> None:
        """Remember a webhook for as long as its signature can be valid.

        Raises:
            RefusedError: it was received before.
        """
        self._expiry_by_digest = {key: expiry for key, expiry in self._expiry_by_digest.items() if expiry > now}
        if digest in self._expiry_by_digest:
            raise RefusedError(409, "this webhook was already received")
        # A signature is valid from TOLERANCE_SECS before its time to TOLERANCE_SECS after it.
        self._expiry_by_digest[digest] = now + 2 * TOLERANCE_SECS

    async def _land(self, body: bytes, now: datetime) -> Answer:
        event = _event(body)
        if event.get("type") != TRANSCRIPT_EVENT:
            return Answer(200, f"ignored: {str(event.get('type'))[:40]!r} is not {TRANSCRIPT_EVENT}")
        document = event.get("data")
        conversation_id = document.get("conversation_id") if isinstance(document, dict) else None
        if not isinstance(conversation_id, str):
            raise RefusedError(422, "the event has no conversation")
        raw = dump(document)
        list_row = {"conversation_id": conversation_id, "agent_id": None, "fingerprint": None, "content_sha256": None}
        try:
            check_conversation(raw, conversation_id)
            row = snapshot_row(list_row, raw, _event_time(event, now), self._context.pseudonyms)
        except (ValueError, RecursionError, OverflowError, OSError):
            raise RefusedError(422, "the conversation has no valid start time") from None
        # In a thread, because it reads files: the event loop goes on with the other webhooks.
        if await asyncio.to_thread(self._writer.is_erased, conversation_id):
            return Answer(200, "ignored: the conversation was erased")
        await self._writer.land(row)
        return Answer(200, f"landed {conversation_id}")


def create_app(context: Context, secret: str, on_answer: Callable[[Answer], None] = lambda _: None) -> Starlette:
    """An ASGI application that receives webhooks at ``/``."""
    return Starlette(routes=[Route("/", Receiver(context, secret, on_answer).receive, methods=["POST"])])


async def _body(request: Request) -> bytes:
    """Read the body up to ``MAX_BODY_BYTES``, whatever length its header declares.

    Raises:
        RefusedError: it is too large, too slow, or incomplete.
    """
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECS):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY_BYTES:
                    raise RefusedError(413, "the body is too large")
                parts.append(part)
    except TimeoutError:
        raise RefusedError(408, "the body did not arrive in time") from None
    except ClientDisconnect:
        raise RefusedError(400, "the body is incomplete") from None
    return b"".join(parts)


def _event(body: bytes) -> dict[str, Any]:
    try:
        event = load(body)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise RefusedError(422, "the body is not a JSON object")
    return event


def _event_time(event: dict[str, Any], now: datetime) -> datetime:
    """The event's own time; ``now`` if it has none or one in the future."""
    at = event.get("event_timestamp")
    if isinstance(at, int | float) and 1 < at < now.timestamp():
        return datetime.fromtimestamp(at, UTC)
    return now
