"""Serves the receiver on a socket until it is stopped."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from pipelines import listener
from pipelines.head_deadline import limited_server
from pipelines.webhook.limits import Limits


def serve(app: Starlette, host: str, port: int, *, on_ready: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM, then finish the open requests; ``on_ready`` is called with the URL.

    Raises:
        UsageError: the port is in use or not allowed.
        KeyboardInterrupt: it was stopped; all requests are answered, except those that took too long.
    """
    listener.serve(create_server(app, Limits()), host, port, on_ready)


def create_server(app: Starlette, limits: Limits) -> uvicorn.Server:
    """A server that keeps to the limits; it stops once its ``should_exit`` is set."""
    return limited_server(
        app,
        connections=limits.connections,
        head_secs=limits.head_secs,
        head_bytes=limits.head_bytes,
        stop_secs=int(limits.stop_secs),
    )
