"""What lands of a response of the price calculator."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from pipelines.extract.llm_price_queries import PriceQuery

AT = datetime(2026, 11, 22, tzinfo=UTC)
TOKEN = "sk_" + "a1b2c3d4" * 5


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (b'{ "llm_prices": [] }', b'{ "llm_prices": [] }'),
        (
            json.dumps({"llm_prices": [], "api_key": TOKEN}, indent=1).encode(),
            b'{"llm_prices":[],"api_key":"***"}',
        ),
    ],
)
def test_a_response_lands_as_it_came_unless_it_has_a_credential(body: bytes, payload: bytes) -> None:
    query = PriceQuery("agent_a", 4000, 2, is_rag_enabled=True, basis="measured")
    assert query.row(AT, body) == {
        "agent_id": "agent_a",
        "asked_at": AT,
        "prompt_length": 4000,
        "number_of_pages": 2,
        "is_rag_enabled": True,
        "prompt_basis": "measured",
        "payload": payload,
    }
