"""Responses of the vendor's price calculator become rows, one per language model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from pipelines.transform.lenient_decode import parse_json
from pipelines.transform.record_tables import RecordTable
from warehouse.schema.reference_data import LLM_PRICES
from warehouse.storage import lake
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import latest_price_request_at, price_rows

PRICE_TABLE = RecordTable(LLM_PRICES)
_QUERY_COLUMNS = ("agent_id", "asked_at", "prompt_length", "number_of_pages", "is_rag_enabled", "prompt_basis")


def flatten_prices(responses: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Frame of ``llm_prices`` for rows of ``LANDED_PRICES``; entries that name no model are left out.

    If a response names a model twice, its last entry counts.
    """
    prices: dict[tuple[Any, ...], tuple[Mapping[str, Any], Any]] = {}
    for response in responses:
        for price in parse_json(response["payload"])["llm_prices"]:
            if (llm := _model_of(price)) is not None:
                prices[response["agent_id"], response["asked_at"], llm] = response, PRICE_TABLE.read(price)
    query_columns: dict[str, list[Any]] = {
        name: [response[name] for response, _ in prices.values()] for name in _QUERY_COLUMNS
    }
    return PRICE_TABLE.frame(
        [price for _, price in prices.values()], query_columns | {"llm": [key[-1] for key in prices]}
    )


def count_without_model(payload: bytes) -> int:
    """Entries of a response that ``flatten_prices`` leaves out."""
    return sum(_model_of(price) is None for price in parse_json(payload)["llm_prices"])


def refresh_prices(home: Home) -> None:
    """Rebuild ``llm_prices`` from the landing, unless no prices were ever landed."""
    if latest_price_request_at(home) is not None:
        lake.overwrite_table(home, LLM_PRICES, flatten_prices(price_rows(home).iter_rows(named=True)))


def _model_of(price: Any) -> str | None:
    llm = price.get("llm") if isinstance(price, dict) else None
    return llm if isinstance(llm, str) and llm else None
