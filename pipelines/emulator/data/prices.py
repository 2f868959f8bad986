"""What language models cost, in USD, and what credits are worth: the rates from which every charge is computed."""

from __future__ import annotations

from typing import Any

TOKEN_KINDS = ("input", "input_cache_read", "input_cache_write", "output_total")

# USD a million tokens, by token kind.
MODEL_RATES: dict[str, tuple[float, float, float, float]] = {
    "gemini-2.5-flash": (0.15, 0.0375, 0.0, 0.60),
    "gemini-2.5-flash-lite": (0.10, 0.025, 0.0, 0.40),
    "gemini-2.0-flash": (0.10, 0.025, 0.0, 0.40),
    "gpt-4o": (2.50, 1.25, 0.0, 10.0),
    "gpt-4o-mini": (0.15, 0.075, 0.0, 0.60),
    "gpt-4.1": (2.0, 0.50, 0.0, 8.0),
    "gpt-4.1-mini": (0.40, 0.10, 0.0, 1.60),
    "gpt-4.1-nano": (0.10, 0.025, 0.0, 0.40),
    "gpt-5-mini": (0.25, 0.025, 0.0, 2.0),
    "claude-sonnet-4-5": (3.0, 0.30, 3.75, 15.0),
    "claude-haiku-4-5": (1.0, 0.10, 1.25, 5.0),
    "claude-3-haiku": (0.25, 0.03, 0.30, 1.25),
    "qwen3-30b-a3b": (0.12, 0.0, 0.0, 0.50),
}

CREDITS_PER_USD = {
    "free": 6000,
    "starter": 6000,
    "creator": 4545,
    "pro": 5050,
    "growing_business": 6060,
    "business": 8333,
}

Usage = dict[str, list[int]]
"""Tokens by model: one number for each of ``TOKEN_KINDS``."""


def add(usage: Usage, model: str, tokens: tuple[int, int, int, int]) -> None:
    """Add a generation's tokens to ``usage``."""
    sums = usage.get(model)
    if sums is None:
        usage[model] = list(tokens)
        return
    for kind, number in enumerate(tokens):
        sums[kind] += number


def model_usage(usage: Usage) -> dict[str, Any]:
    """``usage`` as the API writes it: tokens and their price in USD by model and token kind."""
    return {"model_usage": {model: priced(model, tokens) for model, tokens in usage.items()}}


def priced(model: str, tokens: list[int] | tuple[int, int, int, int]) -> dict[str, dict[str, float]]:
    """A generation's tokens with their price in USD, by token kind."""
    fresh, read, write, out = tokens
    rates = MODEL_RATES[model]
    return {
        "input": {"tokens": fresh, "price": fresh * rates[0] / 1e6},
        "input_cache_read": {"tokens": read, "price": read * rates[1] / 1e6},
        "input_cache_write": {"tokens": write, "price": write * rates[2] / 1e6},
        "output_total": {"tokens": out, "price": out * rates[3] / 1e6},
    }


def total_price(block: dict[str, Any]) -> float:
    """The sum of all prices of a ``{"model_usage": …}`` block, in USD."""
    return float(sum(kind["price"] for kinds in block["model_usage"].values() for kind in kinds.values()))


def price_per_minute(model: str, prompt_length: int, pages: int, *, rag: bool) -> float:
    """The calculator's estimate in USD a minute: five turns, with the prompt and the knowledge base read each time."""
    knowledge = 1500 if rag else 500 * pages
    rates = MODEL_RATES[model]
    return round(5 * ((prompt_length / 4 + knowledge + 400) * rates[0] + 60 * rates[3]) / 1e6, 8)
