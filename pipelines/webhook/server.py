"""Serves the receiver on a socket until it is stopped."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from functools import partial

import uvicorn
from starlette.applications import Starlette

from pipelines.head_deadline import HeadDeadlineProtocol
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
            http=partial(  # type: ignore[arg-type]  # uvicorn calls it; a factory does as well
                HeadDeadlineProtocol, head_secs=limits.head_secs, max_connections=2 * limits.connections
            ),
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
