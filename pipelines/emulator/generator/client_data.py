"""What the caller's side sent when the conversation began: overrides and dynamic variables, in the form of 2026."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from pipelines.emulator.generator.blueprint import Blueprint
from pipelines.emulator.generator.transcript import Json, Script


def initiation_data(blueprint: Blueprint, script: Script, metadata: Json) -> Json:
    """The ``conversation_initiation_client_data``; few conversations override the agent's configuration."""
    has_overrides = blueprint.scenario == "overrides"
    variables = script.variables
    is_fourth = blueprint.caller % 4 == 0
    return {
        "conversation_config_override": _overrides(variables) if has_overrides else _no_overrides(),
        "custom_llm_extra_body": {"temperature_boost": 0.1, "tags": ["vip", variables["city"]]}
        if has_overrides
        else {},
        "user_id": blueprint.user_id,
        "source_info": {
            "source": metadata["conversation_initiation_source"] if metadata["text_only"] else None,
            "version": metadata["conversation_initiation_source_version"],
        },
        "branch_id": blueprint.branch_id if is_fourth else None,
        "environment": "production" if is_fourth else None,
        "starting_workflow_node_id": "node_01k5gf1start" if blueprint.scenario.startswith("workflow") else None,
        "procedure_ids": ["proc_7701kd3verify"] if blueprint.scenario == "procedure" else None,
        "dynamic_variables": _dynamic_variables(blueprint, script, metadata),
        "tool_mock_config": {
            "mocking_strategy": "none",
            "fallback_strategy": "raise_error",
            "mocked_tool_names": [],
        },
    }


def _no_overrides() -> Json:
    return {"asr": None, "turn": None, "tts": None, "conversation": None, "agent": None}


def _overrides(variables: dict[str, str]) -> Json:
    return {
        "asr": {"keywords": ["Alder"]},
        "turn": {"soft_timeout_config": {"message": "Are you still there?"}},
        "tts": {"voice_id": "pNInz6obpgDQGcFmaJgB", "stability": 0.45, "speed": 1.05, "similarity_boost": 0.8},
        "conversation": {"text_only": False},
        "agent": {
            "first_message": f"Welcome back, {variables['first']}!",
            "language": "en",
            "prompt": {
                "prompt": f"The caller is {variables['name']} from {variables['city']}.",
                "llm": "gpt-4.1-mini",
                "native_mcp_server_ids": ["mcpsv_5801k7ahj4n2x9w6"],
            },
        },
    }


def _dynamic_variables(blueprint: Blueprint, script: Script, metadata: Json) -> dict[str, Any]:
    """The caller's variables and the system's; their values may be any JSON."""
    spoken = [entry for entry in script.entries if entry["message"]]
    phone = metadata["phone_call"] or {}
    is_outbound = phone.get("direction") == "outbound"
    end = datetime.fromtimestamp(blueprint.end, UTC)
    variables: dict[str, Any] = {
        "customer_name": script.variables["name"],
        "visits": blueprint.caller % 9,
        "loyalty_score": blueprint.caller / 900,
        "is_member": blueprint.caller % 3 == 0,
        "campaign": None,
        "system__agent_id": blueprint.agent.agent_id,
        "system__current_agent_id": blueprint.agent.agent_id,
        "system__conversation_id": blueprint.conversation_id,
        "system__caller_id": phone.get("agent_number" if is_outbound else "external_number"),
        "system__called_number": phone.get("external_number" if is_outbound else "agent_number"),
        "system__call_sid": phone.get("call_sid"),
        "system__call_duration_secs": blueprint.duration,
        "system__time_utc": end.isoformat(),
        "system__time": f"{end:%A, %H:%M %d %B %Y}",
        "system__timezone": blueprint.agent.timezone,
        "system__is_text_only": metadata["text_only"],
    }
    if blueprint.scenario == "genesys":
        # no phone_call: only the system says who calls, in the contact center's notation
        number = blueprint.phone
        variables["system__caller_id"] = f"{number[:2]} {number[2:5]} {number[5:8]}-{number[8:]}"
        variables["system__called_number"] = blueprint.agent.number
    variables["system__agent_turns"] = sum(entry["role"] == "agent" for entry in spoken)
    if blueprint.scenario in ("odd_values", "overrides"):
        order = {"id": blueprint.caller, "paid": True}
        variables["open_orders"] = [order, order | {"id": blueprint.caller + 1, "paid": False}]
    if blueprint.caller % 3 == 0:
        entries = [{"role": entry["role"], "message": entry["message"]} for entry in spoken]
        history = {"x-elevenlabs-history": True, "entries": entries}
        variables["system__conversation_history"] = json.dumps(history, ensure_ascii=False)
    return variables
