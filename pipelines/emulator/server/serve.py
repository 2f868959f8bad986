"""The emulator on a real socket: in a thread for tests and the demo, in the foreground for the command."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from pipelines.emulator.server.fault_middleware import RESET
from pipelines.listener import base_url, listening

_HOST = "127.0.0.1"
_STOP_SECS = 10.0


@contextmanager
def running(app: Starlette) -> Iterator[str]:
    """Serve ``app`` from a thread on a free port and give its base URL.

    The socket listens before the thread starts, so a request may be sent at once.
    """
    with listening(_HOST, 0) as listener:
        server = _server(app)
        thread = threading.Thread(target=server.run, args=([listener],), name="emulator", daemon=True)
        thread.start()
        try:
            yield base_url(listener)
        finally:
            server.should_exit = True
            thread.join(_STOP_SECS)


def serve_forever(app: Starlette, *, port: int, ready: Callable[[str], None]) -> None:
    """Serve ``app`` until Ctrl-C or SIGTERM; ``ready`` is called with the base URL once the socket listens.

    Raises:
        UsageError: the port is in use or not allowed.
    """
    with listening(_HOST, port) as listener:
        ready(base_url(listener))
        _server(app).run([listener])


def _server(app: Starlette) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=_protocol,  # type: ignore[arg-type]  # uvicorn calls it; a factory does as well as a class
        log_config=None,
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=2,
    )
    return uvicorn.Server(config)


def _protocol(**arguments: Any) -> asyncio.Protocol:
    """Uvicorn's HTTP protocol, whose requests can reset their connection: the emulator's faults need that."""
    protocol: Any = AutoHTTPProtocol(**arguments)
    app = protocol.app

    async def with_reset(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("extensions", {})[RESET] = lambda: _reset(protocol.transport)
        await app(scope, receive, send)

    protocol.app = with_reset
    return protocol  # type: ignore[no-any-return]  # an asyncio.Protocol of uvicorn's choice


def _reset(transport: asyncio.Transport) -> None:
    """Close with RST, as a broken line does, not with an orderly end."""
    connection = transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
