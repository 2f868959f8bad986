"""The receiver on a real socket."""

from __future__ import annotations

from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from pipelines.listener import base_url, listening

SHUTDOWN_TIMEOUT_SECS = 10
MAX_CONNECTIONS = 512
"""Beyond these a sender gets a 503, and tries again."""


def serve(app: Starlette, host: str, port: int, *, on_ready: Callable[[str], None] = lambda _: None) -> None:
    """Serve until Ctrl-C or SIGTERM, and then end what is begun; ``ready`` is called with the URL once it listens.

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
