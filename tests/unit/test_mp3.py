"""A recording ends after a complete frame, or it was cut short."""

from __future__ import annotations

import io

import pytest

from pipelines.api.mp3 import check_mp3
from pipelines.emulator.server.audio import silence

TAG = b"ID3\x04\x00\x00\x00\x00\x01\x02" + bytes(130)
"""Its size has seven bits a byte."""


def frame(header: bytes, n_bytes: int) -> bytes:
    return header.ljust(n_bytes, b"\0")


RECORDINGS = {
    "plain": (silence(3), 104),
    "tag before": (TAG + silence(1), 104),
    "padded frame of 128 kbit/s": (frame(b"\xff\xfb\x90\x64", 417) + frame(b"\xff\xfb\x92\x64", 418), 418),
    "24 kHz": (frame(b"\xff\xf3\x44\xc4", 96) * 3, 96),
    "12 kHz": (frame(b"\xff\xe3\x44\xc4", 192) * 3, 192),
}


@pytest.mark.parametrize(("content", "frame_bytes"), RECORDINGS.values(), ids=RECORDINGS.keys())
def test_a_complete_recording_passes_and_one_cut_in_its_last_frame_does_not(content: bytes, frame_bytes: int) -> None:
    check_mp3(io.BytesIO(content))
    check_mp3(io.BytesIO(content + b"TAG".ljust(128, b"\0")))
    for n_missing in (1, 2, 50, frame_bytes - 3, frame_bytes - 1):
        with pytest.raises(ValueError, match="cut short"):
            check_mp3(io.BytesIO(content[:-n_missing]))


def test_a_cut_tag_is_cut_short() -> None:
    for cut in (TAG[:8], TAG[:-1]):
        with pytest.raises(ValueError, match="cut short"):
            check_mp3(io.BytesIO(cut))
