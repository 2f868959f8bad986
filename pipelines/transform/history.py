"""The history of documents that land again only when they have changed: tools, agents, branches."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

_TICK = timedelta(microseconds=1)  # the unit of our times


def changed_paths(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """JSON paths at which two documents differ; a list counts as one value."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old.keys() | new.keys():
            yield from changed_paths(old.get(key), new.get(key), f"{path}.{key}".removeprefix("."))
    elif old != new:
        yield path


def valid_from(listed_at: datetime, previous: datetime | None) -> datetime:
    """When a version begins: after the previous one, also if the clock went back in between."""
    return listed_at if previous is None else max(listed_at, previous + _TICK)
