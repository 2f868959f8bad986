"""What one sender, and all senders together, can make the receiver hold: bytes, seconds and connections."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a receiver.

    A document takes 20 kB to 1 MB, a recording that was seen in a webhook 18 MB. The API sends from a data centre, or a
    proxy sends what it has collected, so a sender that is slower than these times is none of the two.
    """

    body_bytes: int = 32 * 1024 * 1024
    """One body, whatever its header declares."""
    buffered_bytes: int = 128 * 1024 * 1024
    """All bodies that are being received or landed; who comes on top gets a 503 and sends again."""
    head_bytes: int = 16 * 1024
    """The request line with all headers."""
    head_secs: float = 10.0
    """From the connection, or from the response before, until the head of a request is complete."""
    idle_secs: float = 10.0
    """Between two parts of a body."""
    body_secs: float = 60.0
    """For a complete body."""
    connections: int = 512
    """Open at once; a request beyond them gets a 503, and from twice as many on a connection is closed at once."""
    stop_secs: float = 20.0
    """For the open requests when the receiver is stopped."""
