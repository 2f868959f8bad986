"""A small valid MP3: frames of silence."""

from __future__ import annotations

from collections.abc import AsyncIterator

MEDIA_TYPE = "audio/mpeg"
_HEADER = b"\xff\xfb\x10\xc4"  # MPEG-1 layer III, 32 kbit/s, 44.1 kHz, mono
_FRAME_BYTES = 104  # 144 * 32,000 / 44,100: side information and data all zero decode to silence
_FRAMES_PER_SEC = 38
_MOST_FRAMES = 400
_PIECE_BYTES = 8192


def silence(secs: int) -> bytes:
    """Silence of about ``secs`` seconds, ten at most: enough for what a client does with a recording."""
    frame = _HEADER.ljust(_FRAME_BYTES, b"\0")
    return frame * max(1, min(_MOST_FRAMES, secs * _FRAMES_PER_SEC))


async def chunks(sound: bytes) -> AsyncIterator[bytes]:
    """``sound`` in pieces."""
    for begin in range(0, len(sound), _PIECE_BYTES):
        yield sound[begin : begin + _PIECE_BYTES]
