"""What the tests of commands and whole syncs share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.small_builds import without_comments


@pytest.fixture(autouse=True, scope="module")
def _no_comments() -> Iterator[None]:
    """No test here reads the descriptions in the warehouse; those of builds do."""
    with without_comments():
        yield
