"""Between the API and its clients: trace headers on every response, and the faults that were configured."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from datetime import datetime
from email.utils import formatdate
from http import HTTPStatus
from random import Random

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.clock import utc_now
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.server.faults import Faults

RESET = "convohouse.reset"
"""ASGI extension of ``pipelines.emulator.server.serve``: a function that resets the connection at once."""

_LIST_PATH = "/v1/convai/conversations"
_HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>gateway</body></html>"
_TITLES = {
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Temporarily Unavailable",
    504: "504 Gateway Time-out",
}


class FaultMiddleware:
    """ASGI middleware; requests are numbered from 0 in the order in which they arrive.

    Faults of list pages (repeated rows and cursors) are left to the endpoint, which finds them in the request's state.
    """

    def __init__(self, app: ASGIApp, faults: Faults, clock: Callable[[], datetime] = utc_now) -> None:
        self._app = app
        self._faults = faults
        self._clock = clock
        self._numbers = itertools.count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with its fault if it meets one."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        number = next(self._numbers)
        is_list = scope["path"] == _LIST_PATH and "cursor=" in scope["query_string"].decode()
        fault, rng = self._faults.decide(number, is_list=is_list)
        trace_id = f"{number:016x}"
        scope["state"] = scope.get("state", {}) | {"trace_id": trace_id, "fault": fault}

        async def traced(message: Message) -> None:
            if message["type"] == "http.response.start":
                trace = [(b"x-trace-id", trace_id.encode()), (b"x-region", b"us-central1")]
                message = {**message, "headers": [*message["headers"], *trace]}
            await send(message)

        if fault == "too_many_requests":
            await _too_many(rng, trace_id, self._clock())(scope, receive, traced)
        elif fault == "server_error":
            await _server_error(rng)(scope, receive, traced)
        elif fault == "garbage":
            await Response(_HTML.format("Just a moment..."), media_type="text/html")(scope, receive, traced)
        elif fault in ("reset", "truncate"):
            await self._break(fault, rng, scope, receive, traced)
        else:
            if fault == "slow":
                await asyncio.sleep(0.3 + rng.random())
            await self._app(scope, receive, traced)

    async def _break(self, fault: str, rng: Random, scope: Scope, receive: Receive, send: Send) -> None:
        """Drop the connection before or in the middle of the answer, or send a body that is cut.

        Ending without the promised bytes makes uvicorn close the connection after what was sent.
        """
        reset = scope.get("extensions", {}).get(RESET)
        if fault == "reset" and happens(rng, 0.5):
            _reset(reset)
            return
        start, body = await _collect(self._app, scope, receive)
        cut = body[: len(body) // 2]
        if fault == "truncate" and happens(rng, 0.5):
            await Response(cut, start["status"], media_type="application/json")(scope, receive, send)
            return
        headers = [header for header in start["headers"] if header[0] != b"content-length"]
        length = (b"content-length", str(len(body) + 1).encode())
        await send({**start, "headers": [*headers, length]})
        await send({"type": "http.response.body", "body": cut, "more_body": True})
        if fault == "reset":
            _reset(reset)


def _too_many(rng: Random, trace_id: str, now: datetime) -> Response:
    """429 in one of two bodies; Retry-After in seconds, as a date, or not at all.

    The date is by the real clock, as the answer's own Date header is, even where the world's clock does not move.
    """
    code = rng.choice(("rate_limit_exceeded", "too_many_concurrent_requests", "system_busy"))
    detail = {"status": code, "message": "Too many requests, please try again later."}
    if happens(rng, 0.5):
        detail |= {"type": "rate_limit_error", "code": code, "request_id": trace_id}
    wait = rng.choice((None, "1", formatdate(now.timestamp() + 1, usegmt=True)))
    return JSONResponse({"detail": detail}, 429, {"retry-after": wait} if wait else None)


def _server_error(rng: Random) -> Response:
    """500 as JSON text now and then, else a gateway's HTML."""
    status = rng.choice(tuple(_TITLES))
    if status == HTTPStatus.INTERNAL_SERVER_ERROR and happens(rng, 0.5):
        return JSONResponse({"detail": "Internal Server Error"}, status)
    return Response(_HTML.format(_TITLES[status]), status, media_type="text/html")


def _reset(reset: Callable[[], None] | None) -> None:
    if reset is None:
        raise ConnectionResetError("the emulator drops this connection")
    reset()


async def _collect(app: ASGIApp, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
    """The whole answer of ``app``: its first message and its body."""
    messages: list[Message] = []

    async def keep(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, keep)
    return messages[0], b"".join(message.get("body", b"") for message in messages[1:])
