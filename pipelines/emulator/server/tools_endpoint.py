"""What ``GET /v1/convai/tools`` lists: the workspace's tools with their configuration, in the form of 2025.

The statistics of use grow from day to day, and the timeout of a tool changes from day to day.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pipelines.emulator.data.agents import AGENTS
from pipelines.emulator.data.tools import TOOLS, Tool
from pipelines.emulator.generator.system_tools import HUMAN_NUMBER
from pipelines.emulator.generator.transcript import Json

_CHANGING = "book_slot"
_FIRST_DAY = datetime(2024, 11, 1, tzinfo=UTC)
"""When the workspace began."""


def listed_tools(now: datetime) -> list[Json]:
    """Every tool of the workspace at a moment; those of MCP servers are not listed, as at the real API."""
    days = max((now - _FIRST_DAY).days, 0)
    configured_tools = [
        _listed(tool.tool_id, _config(tool, days), tool, days) for tool in TOOLS.values() if _is_listed(tool)
    ]
    system_tools = [
        _listed(f"tool_system{number:04d}k8fs", _system(params), None, days)
        for number, params in enumerate(_system_params())
    ]
    return configured_tools + system_tools


def _is_listed(tool: Tool) -> bool:
    return not tool.kind.endswith("mcp")


def _listed(tool_id: str, config: Json, tool: Tool | None, days: int) -> Json:
    return {
        "id": tool_id,
        "tool_config": config,
        "access_info": {
            "is_creator": tool is None or tool.method == "GET",
            "creator_name": "Robin Demo",
            "creator_email": "robin.demo@example.com",
            "role": "admin" if tool is None else "editor",
        },
        "usage_stats": {
            "total_calls": len(config["name"]) * 17 + days,
            "avg_latency_secs": tool.latency_secs if tool else 0.5,
        },
    }


def _config(tool: Tool, days: int) -> Json:
    common = {
        "type": tool.kind,
        "name": tool.name,
        "description": tool.description,
        "response_timeout_secs": 30 if tool.name == _CHANGING and days % 2 else 20,
        "disable_interruptions": False,
        "force_pre_tool_speech": tool.latency_secs > 1,
        "assignments": _assignments(tool),
        "tool_call_sound": "typing" if tool.latency_secs > 1 else None,
        "tool_call_sound_behavior": "auto",
        "dynamic_variables": {"dynamic_variable_placeholders": {"channel": "phone", "retries": 2, "beta": False}},
        "execution_mode": "immediate",
    }
    if tool.kind == "client":
        return common | {"expects_response": True, "parameters": _body(tool)}
    if tool.kind == "webhook":
        return common | {"api_schema": _api_schema(tool)}
    return common | {
        "tool_version": "1.0.0",
        "api_integration_id": "carrier_tracking",
        "api_integration_connection_id": "conn_8801k8frh4z",
        "api_schema_overrides": _overrides(),
        "base_api_schema": _api_schema(tool),
    }


def _assignments(tool: Tool) -> list[Json]:
    if tool.sets is None:
        return []
    return [{"source": "response", "dynamic_variable": tool.sets, "value_path": f"$.{tool.sets}"}]


def _api_schema(tool: Tool) -> Json:
    is_read = tool.method == "GET"
    is_in_path = "{order}" in tool.url
    headers: dict[str, Any] = {
        name: {"secret_id": "secret_2201k8fq"} if name == "Authorization" else value
        for name, value in tool.headers.items()
    }
    if tool.headers:
        headers["X-Conversation"] = {"variable_name": "system__conversation_id"}
    return {
        "url": tool.endpoint(),
        "method": tool.method,
        "path_params_schema": {"order": _literal("Number of the order")} if is_in_path else {},
        "query_params_schema": (
            {"properties": {name: _literal(name) for name in tool.parameters}, "required": list(tool.parameters)}
            if is_read and not is_in_path
            else None
        ),
        "request_body_schema": None if is_read else _body(tool),
        "request_headers": headers,
        "auth_connection": {"auth_connection_id": "auth_7701k8fq"} if tool.headers else None,
    }


def _body(tool: Tool) -> Json:
    """Schema of the parameters, with an object and an array inside, as real ones have."""
    properties: dict[str, Any] = {name: _literal(name.replace("_", " ")) for name in tool.parameters}
    properties["context"] = {
        "type": "object",
        "description": "Where the request comes from",
        "required": ["channel"],
        "properties": {
            "channel": _literal("Channel", enum=["phone", "chat"]),
            "attempt": _literal("Attempt", "integer"),
        },
    }
    properties["notes"] = {"type": "array", "description": "Remarks of the caller", "items": _literal("A remark")}
    return {
        "type": "object",
        "description": tool.description,
        "required": list(tool.parameters),
        "properties": properties,
    }


def _literal(description: str, kind: str = "string", enum: list[str] | None = None) -> Json:
    return {
        "type": kind,
        "description": description,
        "enum": enum,
        "is_system_provided": False,
        "dynamic_variable": "",
        "constant_value": "",
    }


def _overrides() -> Json:
    literal = {"description": None, "dynamic_variable": "tracking_number", "constant_value": None}
    return {
        "path_params_schema": {"order": literal},
        "query_params_schema": {"properties": {"lang": literal | {"constant_value": "en"}}, "required": ["lang"]},
        "request_body_schema": {
            "description": None,
            "properties": {"options": {"description": "flags", "properties": {"fast": literal}, "required": None}},
            "required": None,
        },
        "request_headers": {"X-Tenant": "demo", "X-Caller": {"variable_name": "system__caller_id"}},
    }


def _system(params: Json) -> Json:
    return {
        "type": "system",
        "name": params["system_tool_type"],
        "description": "",
        "response_timeout_secs": 20,
        "disable_interruptions": False,
        "force_pre_tool_speech": False,
        "assignments": [],
        "tool_call_sound": None,
        "tool_call_sound_behavior": "auto",
        "params": params,
    }


def _system_params() -> list[Json]:
    agent_transfers = [
        {
            "agent_id": agent.agent_id,
            "condition": f"the caller needs {agent.name}",
            "delay_ms": 500,
            "transfer_message": "One moment, I am connecting you.",
            "enable_transferred_agent_first_message": True,
        }
        for agent in AGENTS[:2]
    ]
    destinations = (
        ("conference", {"type": "phone", "phone_number": HUMAN_NUMBER}),
        ("sip_refer", {"type": "sip_uri", "sip_uri": "sip:frontdesk@pbx.example.com"}),
        ("conference", {"type": "phone_dynamic_variable", "phone_number": "{{callback_number}}"}),
        ("sip_refer", {"type": "sip_uri_dynamic_variable", "sip_uri": "{{callback_uri}}"}),
    )
    number_transfers = [
        {
            "transfer_destination": destination,
            "phone_number": destination.get("phone_number"),
            "condition": "the caller asks for a person",
            "transfer_type": kind,
        }
        for kind, destination in destinations
    ]
    return [
        {"system_tool_type": "end_call"},
        {"system_tool_type": "language_detection"},
        {"system_tool_type": "transfer_to_agent", "transfers": agent_transfers},
        {"system_tool_type": "transfer_to_number", "transfers": number_transfers, "enable_client_message": True},
        {"system_tool_type": "skip_turn"},
        {"system_tool_type": "play_keypad_touch_tone"},
        {"system_tool_type": "voicemail_detection", "voicemail_message": "Please call us back about your car."},
    ]
