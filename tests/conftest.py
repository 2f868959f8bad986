"""What every kind of test uses: a recorded payload by name, and the rows of a document in one call."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pipelines.flatten.frames import Reading, flatten
from tests.documents import READ_AT, RECORDED, id_of


@pytest.fixture
def recorded() -> Callable[[str], bytes]:
    """A recorded payload by name, as bytes."""
    return lambda name: (RECORDED / f"{name}.json").read_bytes()


@pytest.fixture
def flat() -> Callable[..., dict[str, list[dict[str, Any]]]]:
    """Flatten documents (bytes or plain JSON): the rows of every table, without their nulls."""

    def rows(*documents: Any) -> dict[str, list[dict[str, Any]]]:
        payloads = [each if isinstance(each, bytes) else json.dumps(each).encode() for each in documents]
        made = flatten(Reading(id_of(each), each, "sha", READ_AT, READ_AT, "settled") for each in payloads)
        assert made.refused == {}
        return {
            name: [{key: value for key, value in row.items() if value is not None} for row in frame.to_dicts()]
            for name, frame in made.frames.items()
        }

    return rows
