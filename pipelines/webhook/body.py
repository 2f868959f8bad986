"""Reads the body of a request by stream: within the limits, with its signature computed on the way.

A recording is not kept: the receiver only has to know that it is one, and that the API signed it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request

from pipelines.webhook.limits import Limits
from pipelines.webhook.signature import Signature

_AUDIO_HEAD = re.compile(rb'\s*\{\s*"type"\s*:\s*"\w*audio\w*"')
"""The beginning of an event with a recording. Only as the first key: further on, it could be a part of a document."""
_HEAD_BYTES = 256
"""Bytes of a body that are looked at for ``_AUDIO_HEAD``."""


class RefusedError(Exception):
    """A request is refused with a status; the text says why and quotes nothing of the request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(slots=True)
class Body:
    """A body that was received in full; of an event with a recording, only the beginning is kept."""

    content: bytearray
    n_bytes: int = 0
    is_audio: bool = False


class BodyReader:
    """Reads the bodies of all requests, and counts the bytes that they hold together."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._buffered_bytes = 0

    @asynccontextmanager
    async def read(self, request: Request, signature: Signature) -> AsyncIterator[Body]:
        """Give the body of a request; its bytes count as held until the end of the block.

        Raises:
            RefusedError: it is too large, too slow or incomplete, or there is no room for it.
        """
        if _declared_length(request) > self._limits.body_bytes:  # refused before a byte of it is read
            raise RefusedError(413, "the body is too large")
        body = Body(bytearray())
        try:
            await self._receive(request, signature, body)
            yield body
        finally:
            self._buffered_bytes -= len(body.content)

    async def _receive(self, request: Request, signature: Signature, body: Body) -> None:
        now = asyncio.get_running_loop().time
        end = now() + self._limits.body_secs
        try:
            async with asyncio.timeout_at(min(end, now() + self._limits.idle_secs)) as deadline:
                async for part in request.stream():
                    deadline.reschedule(min(end, now() + self._limits.idle_secs))
                    signature.update(part)
                    self._keep(body, part)
        except TimeoutError:
            raise RefusedError(408, "the body did not arrive in time") from None
        except ClientDisconnect:
            raise RefusedError(400, "the body is incomplete") from None

    def _keep(self, body: Body, part: bytes) -> None:
        body.n_bytes += len(part)
        if body.n_bytes > self._limits.body_bytes:
            raise RefusedError(413, "the body is too large")
        if body.is_audio:
            return
        if self._buffered_bytes + len(part) > self._limits.buffered_bytes:
            raise RefusedError(503, "too many bodies at once; send it again")
        n_held = len(body.content)
        body.content += part
        body.is_audio = _AUDIO_HEAD.match(body.content[:_HEAD_BYTES]) is not None
        if body.is_audio:
            del body.content[_HEAD_BYTES:]
        self._buffered_bytes += len(body.content) - n_held


def _declared_length(request: Request) -> int:
    length = request.headers.get("content-length", "0")
    return int(length) if length.isdecimal() else 0
