"""What a conversation costs, in the form of 2026: credits and USD, for the platform's part and for its models.

The arithmetic is the vendor's: ``cost`` = ``call_charge`` + ``llm_charge``; ``llm_price`` = the sum of prices in
``initiated_generation``; ``irreversible_generation`` is a part of it; a developer's discount halves ``call_charge``, a
burst doubles it. ``platform_charge`` repeats it: its categories sum up to it in credits, and to ``platform_price`` in
USD; so ``cost_fiat`` = ``llm_price`` + ``platform_price``.
"""

from __future__ import annotations

from math import fsum
from random import Random

from pipelines.emulator.data import prices
from pipelines.emulator.data.prices import PRICES
from pipelines.emulator.generator.blueprint import Blueprint
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.generator.transcript import SECS_PER_CHARACTER, TTS_MODEL, Json, Script

_TIERS = ("creator",) * 12 + ("pro",) * 5 + ("starter", "growing_business", "business")


def charge(rng: Random, blueprint: Blueprint, script: Script) -> tuple[Json | None, int]:
    """The charges of a finished conversation, and its cost in credits; an unanswered one has no charges."""
    if blueprint.scenario == "no_answer":
        return None, 0
    tier = "free" if blueprint.scenario == "free" else _TIERS[int(rng.random() * len(_TIERS))]
    is_burst = blueprint.scenario == "burst"
    has_dev_discount = blueprint.scenario == "developer"
    call_charge = _call_credits(blueprint, script)
    if has_dev_discount:
        call_charge //= 2
    if is_burst:
        call_charge *= 2
    initiated = prices.model_usage(script.initiated, script.price_factors)
    llm_price = prices.total_price(initiated)
    llm_charge = max(1, round(llm_price * PRICES.credits_per_usd[tier])) if llm_price else 0
    is_free = tier == "free" or happens(rng, 0.03)
    usage = _categories(blueprint, script, call_charge, is_burst=is_burst)
    charging = {
        "dev_discount": has_dev_discount,
        "is_burst": is_burst,
        "tier": tier,
        "llm_usage": {
            "irreversible_generation": prices.model_usage(script.irreversible, script.price_factors),
            "initiated_generation": initiated,
        },
        "llm_price": llm_price,
        "llm_charge": llm_charge,
        "call_charge": call_charge,
        "free_minutes_consumed": blueprint.duration / 60 if is_free else 0.0,
        "free_llm_dollars_consumed": llm_price if is_free else 0.0,
        "platform_charge": call_charge,
        "platform_usage": {"category_usage": usage},
        "platform_price": fsum(category["price"] for category in usage.values()),
        "tts_usage": _tts_usage(blueprint, script),
        "asr_usage": {
            "asr_model": "scribe_realtime",
            "total_transcription_calls": 0 if script.is_chat else script.n_heard,
            "total_audio_input_seconds": 0.0 if script.is_chat else round(script.heard_secs, 3),
        },
        "analysis": _analysis(blueprint),
        "voice_surcharge_charge": blueprint.duration if blueprint.has_shared_voice and not script.is_chat else 0,
    }
    return charging, call_charge + llm_charge


def incomplete(charging: Json | None) -> Json | None:
    """The charges while a conversation is open or being processed: what it cost is not known yet."""
    if charging is None:
        return None
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


def _call_credits(blueprint: Blueprint, script: Script) -> int:
    if script.is_chat:
        return PRICES.credits_per_message * script.n_heard
    return PRICES.credits_per_sec * blueprint.duration


def _categories(blueprint: Blueprint, script: Script, charged: int, *, is_burst: bool) -> Json:
    """The platform's part by category; they sum up to ``charged`` credits."""
    if not charged:
        return {}
    if script.is_chat:
        return {"text_message": _category(charged, script.n_heard)}
    caller, duration = blueprint.caller, blueprint.duration
    parts = {
        "silence": charged // 40 if caller % 2 else 0,
        "burst": charged // 2 if is_burst else 0,
        "asr": charged // 8,
        "reception": charged // 50 if caller % 12 == 0 else 0,
        "other": charged // 60 if caller % 15 == 0 else 0,
    }
    voice = _category(charged - sum(parts.values()), duration)
    secs = {"silence": round(duration * (5 + caller % 10) / 100)}
    return {"voice": voice, **{name: _category(part, secs.get(name, duration)) for name, part in parts.items() if part}}


def _category(charge: int, quantity: float) -> Json:
    return {"credits": charge, "price": round(charge * PRICES.usd_per_credit, 6), "quantity": quantity}


def _tts_usage(blueprint: Blueprint, script: Script) -> Json:
    characters = 0 if script.is_chat else script.spoken_characters
    secs = round(characters * SECS_PER_CHARACTER, 4)
    voice_id = blueprint.agent.voice_id
    voices = [{"voice_id": voice_id, "audio_output_seconds": secs}] if characters else []
    if blueprint.scenario == "multivoice" and voices:
        voices = [
            {"voice_id": voice_id, "audio_output_seconds": round(secs * 0.75, 4)},
            {"voice_id": "pNInz6obpgDQGcFmaJgB", "audio_output_seconds": round(secs * 0.25, 4)},
        ]
    return {
        "primary_tts_model": TTS_MODEL,
        "total_audio_output_seconds": secs,
        "total_characters": characters,
        "per_voice_usage": voices,
    }


def _analysis(blueprint: Blueprint) -> Json | None:
    """The cost of judging the conversation, reported for some; it is not part of the conversation's cost."""
    if blueprint.caller % 4:
        return None
    by_feature = {"price_per_feature": {"evaluation": 0.0006}, "charge_per_feature": {"evaluation": 3}}
    run = {"price": 0.0006, "charge": 3, **by_feature}
    return {"total": {**run, "runs": 1}, "last_run": run}
