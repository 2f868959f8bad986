"""A server of uvicorn that slow clients cannot hold: its protocol has a deadline for the head of each request.

uvicorn answers requests and closes idle connections. What it does not do is added here: a connection that sends no
complete head of a request in time is closed, whatever it sends, and so is one that keeps sending after its response.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Literal

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

KEEP_ALIVE_SECS = 5
"""Between two requests on a connection."""


def limited_server(
    app: ASGIApp,
    *,
    connections: int,
    head_secs: float,
    stop_secs: int,
    head_bytes: int | None = None,
    lifespan: Literal["on", "off"] = "off",
) -> uvicorn.Server:
    """A server of an application, with limits; it stops once its ``should_exit`` is set.

    Args:
        app: The application.
        connections: Open at once; a request beyond them gets a 503, and from twice as many on a connection is closed.
        head_secs: From the connection, or from the response before, until the head of a request is complete.
        stop_secs: For the open requests when it is stopped.
        head_bytes: The request line with all headers; by default as uvicorn limits them.
        lifespan: Whether the application has to be started and stopped.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=partial(  # type: ignore[arg-type]  # uvicorn calls it; a factory does as well
                HeadDeadlineProtocol, head_secs=head_secs, max_connections=2 * connections
            ),
            log_config=None,
            log_level="critical",
            access_log=False,  # an address holds ids and words that were searched for
            server_header=False,
            proxy_headers=False,  # nothing depends on who a proxy says that the sender is
            lifespan=lifespan,
            ws="none",
            limit_concurrency=connections,
            h11_max_incomplete_event_size=head_bytes,
            timeout_keep_alive=KEEP_ALIVE_SECS,
            timeout_graceful_shutdown=stop_secs,
        )
    )


# ruff: noqa: D102 -- methods of uvicorn's class
class HeadDeadlineProtocol(H11Protocol):
    """Closes a connection ``head_secs`` after its start or its last response, if no head of a request is complete.

    Beyond ``max_connections``, a connection is closed at once.
    """

    def __init__(self, *arguments: Any, head_secs: float, max_connections: int, **named_arguments: Any) -> None:
        super().__init__(*arguments, **named_arguments)
        self._head_secs = head_secs
        self._max_connections = max_connections
        self._head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_deadline()
        if len(self.connections) > self._max_connections:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._clear_deadline()  # a request is being answered; timeouts of its body are the application's

    def on_response_complete(self) -> None:
        # Set before the next request, which may have arrived already. It also ends a body that nobody reads any more:
        # uvicorn drops its bytes, and closing at once could keep the response from the sender.
        self._set_deadline()
        super().on_response_complete()

    def _set_deadline(self) -> None:
        self._clear_deadline()
        self._head_deadline = self.loop.call_later(self._head_secs, self.transport.abort)

    def _clear_deadline(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None
