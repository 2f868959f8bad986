"""What the caller's side sent when the call began: overrides and dynamic variables, in the reference's form."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pipelines.emulator.generator.blueprint import Head
from pipelines.emulator.generator.transcript import Json


def initiation_data(head: Head, metadata: Json, slots: dict[str, str]) -> Json:
    """The ``conversation_initiation_client_data`` of a call; few calls override the agent's configuration."""
    overrides = head.trait == "overrides"
    return {
        "conversation_config_override": _overrides(slots) if overrides else _no_overrides(),
        "custom_llm_extra_body": {"temperature_boost": 0.1, "tags": ["vip", slots["city"]]} if overrides else {},
        "user_id": head.user_id,
        "source_info": {
            "source": metadata["conversation_initiation_source"] if metadata["text_only"] else None,
            "version": metadata["conversation_initiation_source_version"],
        },
        "dynamic_variables": _variables(head, metadata, slots),
    }


def _no_overrides() -> Json:
    return {"turn": None, "tts": None, "conversation": None, "agent": None}


def _overrides(slots: dict[str, str]) -> Json:
    return {
        "turn": {"soft_timeout_config": {"message": "Are you still there?"}},
        "tts": {"voice_id": "pNInz6obpgDQGcFmaJgB", "stability": 0.45, "speed": 1.05, "similarity_boost": 0.8},
        "conversation": {"text_only": False},
        "agent": {
            "first_message": f"Welcome back, {slots['first']}!",
            "language": "en",
            "prompt": {
                "prompt": f"The caller is {slots['name']} from {slots['city']}.",
                "llm": "gpt-4.1-mini",
                "native_mcp_server_ids": ["mcpsv_5801k7ahj4n2x9w6"],
            },
        },
    }


def _variables(head: Head, metadata: Json, slots: dict[str, str]) -> dict[str, Any]:
    phone = metadata["phone_call"] or {}
    outbound = phone.get("direction") == "outbound"
    end = datetime.fromtimestamp(head.end, UTC)
    return {
        "customer_name": slots["name"],
        "visits": head.caller % 9,
        "loyalty_score": head.caller / 900,
        "is_member": head.caller % 3 == 0,
        "campaign": None,
        "system__agent_id": head.agent.agent_id,
        "system__current_agent_id": head.agent.agent_id,
        "system__conversation_id": head.conversation_id,
        "system__caller_id": phone.get("agent_number" if outbound else "external_number"),
        "system__called_number": phone.get("external_number" if outbound else "agent_number"),
        "system__call_sid": phone.get("call_sid"),
        "system__call_duration_secs": head.duration,
        "system__time_utc": end.isoformat(),
        "system__time": f"{end:%A, %H:%M %d %B %Y}",
        "system__timezone": head.agent.timezone,
        "system__is_text_only": metadata["text_only"],
    }
