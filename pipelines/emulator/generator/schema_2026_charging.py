"""The charges that today's form adds: the platform's part by category, and what speech was made and heard.

The platform's part is the call's part told in another way: ``platform_charge`` equals ``call_charge``, the categories
sum up to it in credits, and to ``platform_price`` in USD; so ``cost_fiat`` = ``llm_price`` + ``platform_price``.
"""

from __future__ import annotations

from pipelines.emulator.generator.blueprint import Head
from pipelines.emulator.generator.transcript import Json, Script

_USD_PER_CREDIT = 0.0002
_SPEECH_SECS_PER_CHARACTER = 0.062


def extend(charging: Json, head: Head, script: Script) -> None:
    """Add today's keys to the charges of a finished call."""
    usage = _categories(charging, head, script)
    charging |= {
        "platform_charge": charging["call_charge"],
        "platform_usage": {"category_usage": usage},
        "platform_price": sum(category["price"] for category in usage.values()),
        "tts_usage": _speech(head, script),
        "asr_usage": {
            "asr_model": "scribe_realtime",
            "total_transcription_calls": 0 if script.written else script.n_heard,
            "total_audio_input_seconds": 0.0 if script.written else round(script.heard_secs, 3),
        },
        "analysis": _analysis(head),
        "voice_surcharge_charge": 0,
    }


def _categories(charging: Json, head: Head, script: Script) -> Json:
    charged = charging["call_charge"]
    if not charged:
        return {}
    if script.written:
        return {"text_message": _category(charged, script.n_heard)}
    burst = charged // 2 if charging["is_burst"] else 0
    silence = charged // 40 if head.caller % 2 else 0
    recognition = charged // 8
    reception = charged // 50 if head.caller % 12 == 0 else 0
    other = charged // 60 if head.caller % 15 == 0 else 0
    parts = {"silence": silence, "burst": burst, "asr": recognition, "reception": reception, "other": other}
    voice = _category(charged - sum(parts.values()), head.duration)
    return {"voice": voice, **{name: _category(part, head.duration) for name, part in parts.items() if part}}


def _category(share: int, quantity: float) -> Json:
    return {"credits": share, "price": round(share * _USD_PER_CREDIT, 6), "quantity": quantity}


def _speech(head: Head, script: Script) -> Json:
    characters = 0 if script.written else script.spoken_characters
    secs = round(characters * _SPEECH_SECS_PER_CHARACTER, 4)
    voices = [{"voice_id": head.agent.voice_id, "audio_output_seconds": secs}] if characters else []
    if head.trait == "multivoice" and voices:
        voices = [
            {"voice_id": head.agent.voice_id, "audio_output_seconds": round(secs * 0.75, 4)},
            {"voice_id": "pNInz6obpgDQGcFmaJgB", "audio_output_seconds": round(secs * 0.25, 4)},
        ]
    return {
        "primary_tts_model": "eleven_flash_v2_5",
        "total_audio_output_seconds": secs,
        "total_characters": characters,
        "per_voice_usage": voices,
    }


def _analysis(head: Head) -> Json | None:
    """The cost of judging the call, told for some calls; it is no part of the call's cost."""
    if head.caller % 4:
        return None
    by_feature = {"price_per_feature": {"evaluation": 0.0006}, "charge_per_feature": {"evaluation": 3}}
    run = {"price": 0.0006, "charge": 3, **by_feature}
    return {"total": {**run, "runs": 1}, "last_run": run}
