"""The receiver of post-call webhooks: verify, land, and only then say yes.

A document lands as a fetched one does, masked and without people where the settings say so, dated by when the event
happened, so that it never takes the place of a later reading. It names no list row: the next sync reads the
conversation again and has the last word.
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
from pipelines.extract.landing_rows import read_row
from pipelines.transform.canonical_json import dump, load
from pipelines.usecases.context import Context
from pipelines.webhook.batch_writer import BatchWriter
from pipelines.webhook.signature import HEADER, TOLERANCE_SECS, SignatureError, verify

MAX_BODY_BYTES = 16 * 1024 * 1024
"""A transcript takes 20 kB to 1 MB."""
BODY_TIMEOUT_SECS = 20.0
TRANSCRIPT = "post_call_transcription"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender is told."""

    status: int
    message: str


class RefusedError(Exception):
    """A webhook is not taken."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, message)


class Receiver:
    """Receives the webhooks of one workspace; ``told`` hears of each what was answered."""

    def __init__(self, context: Context, secret: str, told: Callable[[Answer], None]) -> None:
        self._context = context
        self._secret = secret
        self._told = told
        self._lander = BatchWriter(context.home)
        self._seen: dict[str, float] = {}

    async def receive(self, request: Request) -> Response:
        """Answer a webhook."""
        try:
            answer = await self._answer(request)
        except RefusedError as refusal:
            answer = refusal.answer
        self._told(answer)
        return JSONResponse({"status": answer.message}, answer.status)

    async def _answer(self, request: Request) -> Answer:
        body = await _body(request)
        now = self._context.clock()
        try:
            mark = verify(self._secret, request.headers.get(HEADER), body, now.timestamp())
        except SignatureError as error:
            raise RefusedError(401, str(error)) from None
        self._remember(mark, now.timestamp())
        try:
            return await self._landed(body, now)
        except OSError:
            del self._seen[mark]  # nothing landed: the sender may try again
            raise RefusedError(503, "it could not be written: send it again") from None

    def _remember(self, mark: str, now: float) -> None:
        """Note a webhook for as long as its signature holds.

        Raises:
            RefusedError: it came before.
        """
        self._seen = {each: until for each, until in self._seen.items() if until > now}
        if mark in self._seen:
            raise RefusedError(409, "it came before")
        self._seen[mark] = now + 2 * TOLERANCE_SECS

    async def _landed(self, body: bytes, now: datetime) -> Answer:
        event = _event(body)
        if event.get("type") != TRANSCRIPT:
            return Answer(200, f"not kept: {str(event.get('type'))[:40]!r} is no {TRANSCRIPT}")
        document = event.get("data")
        conversation_id = document.get("conversation_id") if isinstance(document, dict) else None
        if not isinstance(conversation_id, str):
            raise RefusedError(422, "there is no conversation in it")
        raw = dump(document)
        wanted = {"conversation_id": conversation_id, "agent_id": None, "fingerprint": None, "content_sha256": None}
        try:
            check_conversation(raw, conversation_id)
            row = read_row(wanted, raw, _moment(event, now), self._context.pseudonyms)
        except (ValueError, RecursionError, OverflowError, OSError):
            raise RefusedError(422, "the conversation has no start that can be read") from None
        if await asyncio.to_thread(self._lander.is_erased, conversation_id):
            return Answer(200, "not kept: the conversation was erased")
        await self._lander.land(row)
        return Answer(200, f"landed {conversation_id}")


def create_app(context: Context, secret: str, on_answer: Callable[[Answer], None] = lambda _: None) -> Starlette:
    """An application that takes webhooks at ``/``."""
    return Starlette(routes=[Route("/", Receiver(context, secret, on_answer).receive, methods=["POST"])])


async def _body(request: Request) -> bytes:
    """The whole body.

    Raises:
        RefusedError: it is too long, whatever its header says of it, too slow, or was cut short.
    """
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_TIMEOUT_SECS):
            async for part in request.stream():
                size += len(part)
                if size > MAX_BODY_BYTES:
                    raise RefusedError(413, "it is too long")
                parts.append(part)
    except TimeoutError:
        raise RefusedError(408, "it did not come in time") from None
    except ClientDisconnect:
        raise RefusedError(400, "it was cut short") from None
    return b"".join(parts)


def _event(body: bytes) -> dict[str, Any]:
    try:
        event = load(body)
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        raise RefusedError(422, "it is no JSON object")
    return event


def _moment(event: dict[str, Any], now: datetime) -> datetime:
    """When the event happened, as it says; now, where it says nothing or a time to come."""
    at = event.get("event_timestamp")
    if isinstance(at, int | float) and 1 < at < now.timestamp():
        return datetime.fromtimestamp(at, UTC)
    return now
