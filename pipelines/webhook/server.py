"""Serves the receiver on a socket until it is stopped.

uvicorn answers requests and closes idle connections. What it does not do is added here: a connection that sends no
complete head of a request in time is closed, whatever it sends, and so is one that goes on sending after its response.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from pipelines.listener import base_url, listening
from pipelines.webhook.limits import Limits

KEEP_ALIVE_SECS = 5
"""Between two requests on a connection."""


def serve(
    app: Starlette,
    host: str,
    port: int,
    *,
    on_ready: Callable[[str], None] = lambda _: None,
    limits: Limits | None = None,
) -> None:
    """Serve until Ctrl-C or SIGTERM, then finish the open requests; ``on_ready`` is called with the URL.

    Raises:
        UsageError: the port is in use or not allowed.
        KeyboardInterrupt: it was stopped; all requests are answered, except those that took too long.
    """
    if threading.current_thread() is threading.main_thread():
        # uvicorn raises the signal that stopped it again at its end: with the default handler, that would be our end.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    with listening(host, port) as listener:
        on_ready(base_url(listener))
        create_server(app, limits or Limits()).run([listener])


def create_server(app: Starlette, limits: Limits) -> uvicorn.Server:
    """A server that keeps to the limits; it stops once its ``should_exit`` is set."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=partial(_Protocol, limits=limits),  # type: ignore[arg-type]  # uvicorn calls it; a factory does as well
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,  # nothing depends on who a proxy says that the sender is
            lifespan="off",
            ws="none",
            limit_concurrency=limits.connections,
            h11_max_incomplete_event_size=limits.head_bytes,
            timeout_keep_alive=KEEP_ALIVE_SECS,
            timeout_graceful_shutdown=int(limits.stop_secs),
        )
    )


class _Protocol(H11Protocol):
    """uvicorn's protocol of one connection, with a deadline for the head of each request."""

    def __init__(self, *arguments: Any, limits: Limits, **named_arguments: Any) -> None:
        super().__init__(*arguments, **named_arguments)
        self._limits = limits
        self._head_deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_deadline()
        if len(self.connections) > 2 * self._limits.connections:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._clear_deadline()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self._clear_deadline()  # a request is being answered; the receiver has the time-outs of its body

    def on_response_complete(self) -> None:
        # Set before the next request, which may have arrived already. It also ends a body that nobody reads any more:
        # uvicorn drops its bytes, and closing at once could keep the response from the sender.
        self._set_deadline()
        super().on_response_complete()

    def _set_deadline(self) -> None:
        self._clear_deadline()
        self._head_deadline = self.loop.call_later(self._limits.head_secs, self.transport.abort)

    def _clear_deadline(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None
