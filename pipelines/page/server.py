"""Serves the page on a socket until it is stopped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from functools import partial

import uvicorn
from starlette.applications import Starlette

from pipelines.head_deadline import HeadDeadlineProtocol
from pipelines.listener import base_url, listening

MAX_CONNECTIONS = 100
"""Open at once; a request beyond them gets a 503, and from twice as many on a connection is closed at once."""
HEAD_SECS = 10.0
"""From the connection, or from the response before, until the head of a request is complete."""
KEEP_ALIVE_SECS = 5
STOP_SECS = 5


def create_server(app: Starlette) -> uvicorn.Server:
    """A server of the application; it stops once its ``should_exit`` is set."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=partial(  # type: ignore[arg-type]  # uvicorn calls it; a factory does as well
                HeadDeadlineProtocol, head_secs=HEAD_SECS, max_connections=2 * MAX_CONNECTIONS
            ),
            log_config=None,
            log_level="critical",
            access_log=False,  # an address holds ids and words that were searched for
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=KEEP_ALIVE_SECS,
            timeout_graceful_shutdown=STOP_SECS,
        )
    )


def serve(app: Starlette, host: str, port: int, *, on_ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve until Ctrl-C or SIGTERM; ``on_ready`` is called with the URL.

    Raises:
        UsageError: the port is in use or not allowed.
        KeyboardInterrupt: it was stopped.
    """
    if threading.current_thread() is threading.main_thread():
        # uvicorn raises the signal that stopped it again at its end: with the default handler, that would be our end.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    with listening(host, port) as listener:
        on_ready(base_url(listener))
        create_server(app).run([listener])
