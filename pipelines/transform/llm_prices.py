"""Answers of the vendor's price calculator become rows: one a language model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from pipelines.transform.lenient_decode import parse
from pipelines.transform.record_tables import RecordTables
from warehouse.schema.reference_data import LLM_PRICES
from warehouse.storage import lake
from warehouse.storage.home import Home
from warehouse.storage.landing_reference_data import latest_price_request_at, price_rows

PRICE = RecordTables(LLM_PRICES)
_ASKED = ("agent_id", "asked_at", "prompt_length", "number_of_pages", "is_rag_enabled", "prompt_basis")


def flatten_prices(answers: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    """Frame of ``llm_prices`` for rows of ``LANDED_PRICES``; an entry that names no model is no price."""
    found: dict[tuple[Any, ...], tuple[Mapping[str, Any], Any]] = {}
    for answer in answers:
        for price in parse(answer["payload"])["llm_prices"]:
            llm = price.get("llm") if isinstance(price, dict) else None
            if isinstance(llm, str) and llm:
                found[answer["agent_id"], answer["asked_at"], llm] = answer, PRICE.read(price)
    own: dict[str, list[Any]] = {name: [answer[name] for answer, _ in found.values()] for name in _ASKED}
    return PRICE.frame([price for _, price in found.values()], own | {"llm": [llm for *_, llm in found]})


def refresh_prices(home: Home) -> None:
    """Write ``llm_prices`` anew from the landing, where there is any."""
    if latest_price_request_at(home) is not None:
        lake.overwrite_table(home, LLM_PRICES, flatten_prices(price_rows(home).iter_rows(named=True)))
