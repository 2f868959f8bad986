"""Serves the page on a socket until it is stopped."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from pipelines import listener
from pipelines.head_deadline import limited_server

MAX_CONNECTIONS = 100
HEAD_SECS = 10.0
STOP_SECS = 5


def create_server(app: Starlette) -> uvicorn.Server:
    """A server of the application; it stops once its ``should_exit`` is set."""
    return limited_server(app, connections=MAX_CONNECTIONS, head_secs=HEAD_SECS, stop_secs=STOP_SECS)


def serve(app: Starlette, host: str, port: int, *, on_ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; ``on_ready`` is called with the URL.

    Raises:
        UsageError: the port is in use or not allowed.
        KeyboardInterrupt: it was stopped.
    """
    listener.serve(create_server(app), host, port, on_ready)
