"""An error as one text: where a library's message has no end, it gets one before the hint."""

from __future__ import annotations

import pytest

from warehouse.errors import ConvohouseError


@pytest.mark.parametrize(
    ("message", "hint", "text"),
    [
        ("It failed.", "Run again.", "It failed. Run again."),
        ("It failed: no space left on device", "Make room.", "It failed: no space left on device. Make room."),
        ("Is the server running?", "Start it.", "Is the server running? Start it."),
        ("It failed", "", "It failed"),
    ],
)
def test_message_and_hint_are_sentences(message: str, hint: str, text: str) -> None:
    assert str(ConvohouseError(message, hint)) == text
