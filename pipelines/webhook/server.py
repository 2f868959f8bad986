"""Serves the receiver on a socket until it is stopped."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from pipelines.listener import base_url, listening

SHUTDOWN_TIMEOUT_SECS = 10
MAX_CONNECTIONS = 512
"""A sender beyond these gets a 503 and tries again."""


def serve(app: Starlette, host: str, port: int, *, on_ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve until Ctrl-C or SIGTERM, then finish the open requests; ``on_ready`` is called with the URL.

    Raises:
        UsageError: the port is in use or not allowed.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        limit_concurrency=MAX_CONNECTIONS,
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_SECS,
    )
    with listening(host, port) as listener:
        on_ready(base_url(listener))
        uvicorn.Server(config).run([listener])
