"""Whether an MP3 is complete: its frames are followed from the first to the end of the file.

Each frame of MPEG layer III says in its header how long it is, so a recording that was cut short ends inside one. What
follows the frames (tags, padding) is not looked at.
"""

from __future__ import annotations

import os
from typing import BinaryIO

_ID3_BYTES = 10
_HEADER_BYTES = 4
_VERSION_1, _LAYER_3 = 3, 1
_KBITS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates by the header's index; those of MPEG-1, and those of MPEG-2 and 2.5."""
_SAMPLE_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
"""Samples per second by version and the header's index."""


def check_mp3(file: BinaryIO) -> None:
    """Check that a file is an MP3 whose last frame is complete.

    Raises:
        ValueError: it starts neither with an ID3 tag nor with a frame, or it ends inside one.
    """
    n_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(_ID3_BYTES)
    is_frame = head[:1] == b"\xff" and head[1:2] != b"" and head[1] & 0xE6 == 0xE2  # noqa: PLR2004 - 11 bits set, layer III
    if head[:3] != b"ID3" and not is_frame:
        message = "it is not an MP3" if head else "it is empty"
        raise ValueError(message)
    position = 0 if is_frame else _tag_bytes(head)
    while position < n_bytes:
        file.seek(position)
        header = file.read(_HEADER_BYTES)
        size = _frame_bytes(header)
        if not size and not (len(header) < _HEADER_BYTES and header[:1] == b"\xff"):
            return
        position += size or _HEADER_BYTES
    if position != n_bytes:
        message = "it is cut short"
        raise ValueError(message)


def _tag_bytes(head: bytes) -> int:
    """Length of the ID3 tag: its size has seven bits a byte, without the header and the footer."""
    size = int.from_bytes(head[6:10])
    content_bytes = sum((size >> 8 * place & 0x7F) << 7 * place for place in range(4))
    has_footer = len(head) == _ID3_BYTES and head[5] & 0x10
    return content_bytes + _ID3_BYTES * (2 if has_footer else 1)


def _frame_bytes(header: bytes) -> int:
    """Length of the frame with this header; 0 if it is none, or does not say it."""
    if len(header) < _HEADER_BYTES or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:  # noqa: PLR2004 - the 11 bits
        return 0
    version, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    kbits_index, rate_index = header[2] >> 4, header[2] >> 2 & 3
    rates = _SAMPLE_RATES.get(version, ())
    kbits = _KBITS[version == _VERSION_1]
    if layer != _LAYER_3 or rate_index >= len(rates) or kbits_index >= len(kbits) or not kbits_index:
        return 0
    samples_by_8 = 144 if version == _VERSION_1 else 72
    return samples_by_8 * kbits[kbits_index] * 1000 // rates[rate_index] + (header[2] >> 1 & 1)
