"""What a call costs, in the reference's form: credits for the call and its models, USD for its models alone.

The arithmetic is the vendor's: ``cost`` = ``call_charge`` + ``llm_charge``; ``llm_price`` = the sum of prices in
``initiated_generation``; ``irreversible_generation`` is a part of it; a developer's discount halves the call's part,
a burst doubles it.
"""

from __future__ import annotations

from random import Random

from pipelines.emulator.data import prices
from pipelines.emulator.generator.blueprint import Head
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.generator.transcript import Json, Script

_CREDITS_PER_SEC = 10
_CREDITS_PER_MESSAGE = 15
_TIERS = ("creator",) * 12 + ("pro",) * 5 + ("starter", "growing_business", "business")


def charge(rng: Random, head: Head, script: Script) -> tuple[Json, int]:
    """The charges of a finished call, and its cost in credits."""
    tier = "free" if head.trait == "free" else _TIERS[int(rng.random() * len(_TIERS))]
    is_burst = head.trait == "burst"
    dev_discount = head.trait == "developer"
    call_charge = _call_credits(head, script)
    if dev_discount:
        call_charge //= 2
    if is_burst:
        call_charge *= 2
    initiated = prices.model_usage(script.initiated)
    llm_price = prices.total_price(initiated)
    llm_charge = max(1, round(llm_price * prices.CREDITS_PER_USD[tier])) if llm_price else 0
    if head.trait == "old_metrics":  # before about July 2025 the parts of the cost were not told
        return {"dev_discount": dev_discount, "is_burst": is_burst, "tier": tier}, call_charge + llm_charge
    is_free = tier == "free" or happens(rng, 0.03)
    charging = {
        "dev_discount": dev_discount,
        "is_burst": is_burst,
        "tier": tier,
        "llm_usage": {
            "irreversible_generation": prices.model_usage(script.irreversible),
            "initiated_generation": initiated,
        },
        "llm_price": llm_price,
        "llm_charge": llm_charge,
        "call_charge": call_charge,
        "free_minutes_consumed": head.duration / 60 if is_free else 0.0,
        "free_llm_dollars_consumed": llm_price if is_free else 0.0,
    }
    return charging, call_charge + llm_charge


def incomplete(charging: Json) -> Json:
    """The charges while a call is open or being processed: what it cost is not known yet."""
    nothing: Json = {"model_usage": {}}
    return {
        "dev_discount": charging["dev_discount"],
        "is_burst": charging["is_burst"],
        "tier": charging["tier"],
        "llm_usage": {"irreversible_generation": nothing, "initiated_generation": nothing},
        "llm_price": None,
        "llm_charge": None,
        "call_charge": None,
        "free_minutes_consumed": 0.0,
        "free_llm_dollars_consumed": 0.0,
    }


def _call_credits(head: Head, script: Script) -> int:
    if script.written:
        return _CREDITS_PER_MESSAGE * script.n_heard
    return _CREDITS_PER_SEC * head.duration
