"""A socket that listens before its server runs, so that a request may be sent at once."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.errors import UsageError


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket; port 0 takes a free one.

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
    """The URL under which a listening socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"
