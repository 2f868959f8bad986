"""A socket that listens before its server runs, so that a client can connect at once; and who can reach an address."""

from __future__ import annotations

import errno
import ipaddress
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.errors import UsageError

if TYPE_CHECKING:
    import uvicorn

PROXY_HEADERS = frozenset({"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"})
"""By one of them a proxy says, in lower case, that the request comes from somebody else than the proxy."""

MIN_TOKEN_LENGTH = 16
"""Characters of the token of a page or server; a shorter one could be guessed over the network."""
NOT_AN_ADDRESS = frozenset({errno.EADDRNOTAVAIL, socket.EAI_NONAME, socket.EAI_AGAIN, socket.EAI_FAIL})


def serve(server: uvicorn.Server, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Run a server until Ctrl-C or SIGTERM; ``on_ready`` is called with its URL.

    Raises:
        UsageError: the port is in use or not allowed.
        KeyboardInterrupt: it was stopped.
    """
    if threading.current_thread() is threading.main_thread():
        # uvicorn raises the signal that stopped it again at its end: with the default handler, that would be our end.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    with listening(host, port) as listener:
        on_ready(base_url(listener))
        server.run([listener])


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Yield a listening socket and close it at the end; port 0 picks a free port.

    Raises:
        UsageError: the host is not this machine, or the port is in use or not allowed.
    """
    try:
        listener = socket.create_server((host, port), backlog=256)
    except OSError as error:
        if error.errno in NOT_AN_ADDRESS:
            raise UsageError(f"{host} is not an address of this machine.", "Choose another with --host.") from error
        reason = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used: {error.strerror}"
        raise UsageError(f"Port {port} of {host} {reason}.", "Choose another with --port.") from error
    with listener:
        yield listener


def base_url(listener: socket.socket) -> str:
    """The ``http://`` URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def is_loopback(host: str) -> bool:
    """Whether an address or name can only be this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"


def is_proxied(header_names: Iterable[str]) -> bool:
    """Whether a proxy has sent a request: it is on this machine, and whoever asks it need not be."""
    return not PROXY_HEADERS.isdisjoint(name.lower() for name in header_names)
