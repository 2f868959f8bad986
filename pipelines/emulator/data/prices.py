"""What language models cost, in USD, and what credits are worth (``prices.toml``)."""

from __future__ import annotations

from math import fsum
from typing import Any

from pipelines.emulator.data.data_files import Record, read

TOKEN_KINDS = ("input", "input_cache_read", "input_cache_write", "output_total")
Usage = dict[str, list[int]]
"""Tokens by model: one number for each of ``TOKEN_KINDS``."""
Rates = tuple[float, float, float, float]
"""USD a million tokens: one rate for each of ``TOKEN_KINDS``."""


class ModelRates(Record, frozen=True):
    """What a model costs, in USD a million tokens."""

    input: float
    cache_read: float
    cache_write: float
    output: float


class Prices(Record, frozen=True):
    """All of ``prices.toml``."""

    credits_per_sec: int
    credits_per_message: int
    usd_per_credit: float
    credits_per_usd: dict[str, int]
    models: dict[str, ModelRates]


PRICES = read("prices.toml", Prices)
MODEL_RATES: dict[str, Rates] = {
    name: (model.input, model.cache_read, model.cache_write, model.output) for name, model in PRICES.models.items()
}


def add(usage: Usage, model: str, tokens: tuple[int, int, int, int]) -> None:
    """Add a generation's tokens to ``usage``."""
    sums = usage.get(model)
    if sums is None:
        usage[model] = list(tokens)
        return
    for kind, number in enumerate(tokens):
        sums[kind] += number


def model_usage(usage: Usage, factors: dict[str, float]) -> dict[str, Any]:
    """``usage`` as the API writes it: tokens and their price in USD by model and token kind.

    ``factors`` are what each model's price is multiplied by; 1 where a model is not named.
    """
    return {"model_usage": {model: priced(model, tokens, factors) for model, tokens in usage.items()}}


def priced(
    model: str, tokens: list[int] | tuple[int, int, int, int], factors: dict[str, float]
) -> dict[str, dict[str, float]]:
    """A generation's tokens with their price in USD, by token kind."""
    fresh, cache_read, cache_write, output = tokens
    rates = MODEL_RATES[model]
    per_token = factors.get(model, 1.0) / 1e6
    return {
        "input": {"tokens": fresh, "price": fresh * rates[0] * per_token},
        "input_cache_read": {"tokens": cache_read, "price": cache_read * rates[1] * per_token},
        "input_cache_write": {"tokens": cache_write, "price": cache_write * rates[2] * per_token},
        "output_total": {"tokens": output, "price": output * rates[3] * per_token},
    }


def total_price(block: dict[str, Any]) -> float:
    """The sum of all prices of a ``{"model_usage": …}`` block, in USD."""
    return fsum(kind["price"] for kinds in block["model_usage"].values() for kind in kinds.values())


def price_per_minute(model: str, prompt_length: int, pages: int, factors: dict[str, float], *, is_rag: bool) -> float:
    """The calculator's estimate in USD a minute: five turns, with the prompt and the knowledge base read each time."""
    knowledge = 1500 if is_rag else 500 * pages
    rates = MODEL_RATES[model]
    usd = 5 * ((prompt_length / 4 + knowledge + 400) * rates[0] + 60 * rates[3]) / 1e6
    return round(usd * factors.get(model, 1.0), 8)
