"""A socket that listens before its server runs, so that a client can connect at once."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.errors import UsageError


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a listening socket and close it at the end; port 0 picks a free port.

    Raises:
        UsageError: the port is in use or not allowed.
    """
    try:
        listener = socket.create_server((host, port), backlog=256)
    except OSError as error:
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise UsageError(f"Port {port} of {host} {reason}.", "Choose another with --port.") from error
    with listener:
        yield listener


def base_url(listener: socket.socket) -> str:
    """The ``http://`` URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"
