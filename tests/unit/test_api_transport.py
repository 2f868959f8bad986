"""Of which addresses of the API everybody on the way can read the requests."""

from __future__ import annotations

import pytest

from pipelines.api.transport import is_readable_on_the_way


@pytest.mark.parametrize(
    ("base_url", "is_readable"),
    [
        ("https://api.elevenlabs.io", False),
        ("http://api.elevenlabs.io", True),
        ("HTTP://gateway.internal:8080/elevenlabs", True),
        ("http://127.0.0.1:8767", False),
        ("http://localhost:8767", False),
        ("http://[::1]:8767", False),
    ],
)
def test_only_plain_http_to_another_machine_can_be_read_on_the_way(base_url: str, *, is_readable: bool) -> None:
    assert is_readable_on_the_way(base_url) is is_readable
