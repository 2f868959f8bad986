"""Builds without the descriptions that a test does not look at: writing them takes as long as a few models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from warehouse.build.materialize import write_comments


@contextmanager
def without_comments(schema: str = "") -> Iterator[None]:
    """Builds in this process describe no relation, or none of one schema."""

    def write_others(connection: Any, comments: Any) -> None:
        write_comments(connection, [comment for comment in comments if not comment.key.startswith(schema)])

    with pytest.MonkeyPatch.context() as patch:
        for module in ("warehouse.build.runner", "warehouse.build.materialize"):
            patch.setattr(f"{module}.write_comments", write_others)
        yield
