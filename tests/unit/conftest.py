"""What the tests of whole rows use."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.helpers.sample_documents import detail

FRONT = {"conversation_id": "conv_a", "start_date": date(2025, 9, 5)}


@pytest.fixture
def rows(flat) -> Callable[..., list[dict[str, Any]]]:
    """Rows of a table for a least document with the given keys, without the two columns that every row has."""

    def of(table: str, **document: Any) -> list[dict[str, Any]]:
        table_rows = flat(detail(**document))[table]
        assert all(row.items() >= FRONT.items() for row in table_rows)
        return [{name: value for name, value in row.items() if name not in FRONT} for row in table_rows]

    return of
