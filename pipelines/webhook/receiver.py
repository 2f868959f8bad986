"""The receiver of webhooks: verify the signature, land what the event says, and only then answer 200.

What a request costs grows with what it has proven: the header of the signature and its time are checked before the body
is read, the signature before the body is parsed. A signed event is answered with 200, even if it is of no use here: for
any other answer the API counts a failure, and after enough of them it switches the webhook off.

A document lands like a fetched one, with credentials masked and personal data hidden as the settings say. It is dated
by the event's own time, so a late webhook never replaces a later snapshot. It has no list row: the next sync fetches
the conversation again and decides what is current.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pipelines.usecases.context import Context
from pipelines.webhook.batch_writer import BatchWriter
from pipelines.webhook.body import Body, BodyReader, RefusedError
from pipelines.webhook.events import Landing, read_event
from pipelines.webhook.limits import Limits
from pipelines.webhook.replay_memory import ReplayMemory
from pipelines.webhook.signature import HEADER, Signature, SignatureError

INLINE_BYTES = 256 * 1024
"""A larger body is parsed in a thread, one at a time: it takes longer than others should wait, and ten times its size
in memory."""
MIN_FREE_BYTES = 64 * 1024 * 1024
"""On the disk, below which the receiver reports that it is not well."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to a sender: its status and text, with the sender's address and the size of its body, for the log."""

    status: int
    message: str
    sender: str = ""
    n_bytes: int = 0


class Receiver:
    """Receives the webhooks of one workspace; ``on_answer`` is called with every answer."""

    def __init__(
        self, context: Context, secrets: Sequence[str], on_answer: Callable[[Answer], None], limits: Limits
    ) -> None:
        self._context = context
        self._secrets = secrets
        self._on_answer = on_answer
        self._bodies = BodyReader(limits)
        self._writer = BatchWriter(context.home)
        self._answered = ReplayMemory()
        self._landings: dict[bytes, asyncio.Task[Answer]] = {}
        self._large_body = asyncio.Lock()

    async def receive(self, request: Request) -> Response:
        """Handle one request of the sender."""
        sender, body = request.client.host if request.client else "", Body(bytearray())
        try:
            now = self._context.clock()
            signature = Signature(self._secrets, request.headers.get(HEADER), now.timestamp())
            async with self._bodies.read(request, signature) as body:
                answer = await self._answer_once(signature, body, now)
        except SignatureError as error:
            answer = Answer(401, str(error))
        except RefusedError as refusal:
            answer = Answer(refusal.status, str(refusal))
        except Exception as error:  # noqa: BLE001 - the log has to name it; the sender sends again
            answer = Answer(500, f"failed: {type(error).__name__}")
        self._on_answer(Answer(answer.status, answer.message, sender, body.n_bytes))
        return JSONResponse({"status": answer.message}, answer.status)

    async def health(self, _request: Request) -> Response:
        """Whether webhooks can be landed, for a proxy or a monitor; it says nothing about what is stored."""
        landing = self._context.home.landing
        is_writable = os.access(landing, os.W_OK) and shutil.disk_usage(landing).free >= MIN_FREE_BYTES
        if is_writable:
            return JSONResponse({"status": "ok"})
        return JSONResponse({"status": "the disk is full or not writable"}, 503)

    async def _answer_once(self, signature: Signature, body: Body, now: datetime) -> Answer:
        """Land a webhook if it is new; a repeat gets the answer of the first, also while that one is landing."""
        digest = signature.verify()
        if digest in self._answered:
            return Answer(200, "already received")
        if body.is_audio:
            return Answer(200, "ignored: a recording; `convohouse audio` downloads recordings")
        landing = self._landings.get(digest)
        if landing is None:
            landing = asyncio.create_task(self._land(digest, signature.expires_at, body, now))
            self._landings[digest] = landing
        # Shielded, as others may wait for it: a sender that leaves ends its own request.
        return await asyncio.shield(landing)

    async def _land(self, digest: bytes, expires_at: float, body: Body, now: datetime) -> Answer:
        try:
            event = await self._read_event(body.content, now)
            if event.rows and not await self._writer.land(event.conversation_id, event.rows):
                return Answer(200, "ignored: the conversation was erased")
            self._answered.add(digest, expires_at, now.timestamp())
            return Answer(200, event.message)
        except RefusedError as refusal:
            return Answer(refusal.status, str(refusal))
        except OSError:
            return Answer(503, "the webhook could not be written; send it again")
        finally:
            del self._landings[digest]

    async def _read_event(self, body: bytearray, now: datetime) -> Landing:
        if len(body) <= INLINE_BYTES:
            return read_event(body, now, self._context.pseudonyms)
        async with self._large_body:
            return await asyncio.to_thread(read_event, body, now, self._context.pseudonyms)


def create_app(
    context: Context,
    secrets: Sequence[str],
    on_answer: Callable[[Answer], None] = lambda _: None,
    limits: Limits | None = None,
) -> Starlette:
    """An ASGI application that receives webhooks at ``/`` and says at ``/health`` whether it can land them."""
    receiver = Receiver(context, secrets, on_answer, limits or Limits())
    return Starlette(
        routes=[
            Route("/", receiver.receive, methods=["POST"]),
            Route("/health", receiver.health, methods=["GET"]),
        ]
    )
