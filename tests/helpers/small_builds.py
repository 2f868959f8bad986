"""Builds without the descriptions that a test does not look at: writing them takes as long as a few models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from warehouse.build import materialize, runner
from warehouse.build.materialize import write_comments

_hidden: list[str] = []
"""Beginnings of the names of relations that are not described now; contexts may end in any order."""


def _write_others(connection: Any, comments: Any) -> None:
    write_comments(connection, [comment for comment in comments if not comment.key.startswith(tuple(_hidden))])


@contextmanager
def without_comments(schema: str = "") -> Iterator[None]:
    """Builds in this process describe no relation, or none of one schema."""
    for module in (runner, materialize):
        module.write_comments = _write_others
    _hidden.append(schema)
    try:
        yield
    finally:
        _hidden.remove(schema)
