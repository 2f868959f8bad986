"""Small builds. In this process they describe no relation: it takes as long as a few models, and few tests look at it.

That holds from the start to the end of the process, so that no test depends on which others run beside it. A test of
descriptions builds within ``with_comments``; commands in processes of their own write them as ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from warehouse.build import incremental, materialize, runner, state
from warehouse.build.comments import write_comments
from warehouse.models import data_quality
from warehouse.schema.conversations import CONVERSATIONS, WARNINGS
from warehouse.schema.operations import DELETIONS
from warehouse.storage import lake

_described: list[tuple[str, ...]] = []
"""Beginnings of the names of relations that are described now, for each context that is open."""


def hide_comments() -> None:
    """Describe relations only within ``with_comments``; for the start of the process."""
    runner.write_comments = _write_described


def _write_described(connection: Any, comments: Any) -> None:
    names = tuple(name for described in _described for name in described)
    shown = [comment for comment in comments if comment.key.startswith(names)]
    if shown:
        write_comments(connection, shown)


@contextmanager
def with_comments(*schemas: str) -> Iterator[None]:
    """Builds describe the relations of these schemas, or all; for a build, never around a fixture's ``yield``."""
    _described.append(schemas or ("",))
    try:
        yield
    finally:
        _described.pop()


def keep_few_tables(patch: pytest.MonkeyPatch) -> None:
    """Builds see a lake of three tables: of each other one, a view and two checks would be most of a small build."""
    for module in (incremental, materialize, state, data_quality, lake):
        patch.setattr(module, "TABLES", (CONVERSATIONS, WARNINGS, DELETIONS))
