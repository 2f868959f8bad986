"""Tool calls and their results, as transcript entries hold them in the form of 2026."""

from __future__ import annotations

import json
from typing import Any

from pipelines.emulator.data.story import STORY
from pipelines.emulator.data.tools import TOOLS, Tool
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.generator.schedule import DAY_SECS
from pipelines.emulator.generator.transcript import Json, Script

_HOUR_SECS = 3600
_CONNECTION = {
    "integration_id": "carrier_tracking",
    "credential_id": "cred_3301k8frh0x",
    "integration_connection_id": "conn_8801k8frh4z",
}


def use_tool(script: Script, name: str) -> None:
    """Let the agent call one of its tools and read the answer."""
    tool = TOOLS[name]
    call = request(script, tool)
    script.call_tool(call)
    if script.blueprint.scenario == "unanswered":
        call["tool_has_been_called"] = False
        return
    result = answer(script, tool, call["request_id"])
    script.read_result(result, result["tool_latency_secs"])


def request(script: Script, tool: Tool) -> Json:
    """A tool call of ``tool``."""
    parameters = {key: value.format_map(script.variables) for key, value in tool.parameters.items()}
    if tool.kind in ("mcp", "api_integration_mcp"):
        script.features.add("external_mcp_servers")
    return {
        "type": tool.kind,
        "request_id": request_id(script, tool.name),
        "tool_name": tool.name,
        "params_as_json": json.dumps(parameters, ensure_ascii=False),
        "tool_has_been_called": True,
        "tool_details": _details(script, tool, parameters),
        "tool_id": tool.tool_id,
    }


def answer(script: Script, tool: Tool, request_id: str) -> Json:
    """The result of a tool call of ``tool``."""
    latency = tool.latency_secs * script.rng.lognormvariate(0.0, 0.4)
    is_error = script.blueprint.scenario == "tool_error" or happens(script.rng, 0.03)
    message, error_type = tool.error, "tool_execution_error"
    if _times_out(script, tool):
        latency = STORY.evening_timeouts.latency_secs + script.rng.random()
        is_error, message, error_type = True, STORY.evening_timeouts.error, "timeout"
    value = json.dumps(
        {key: value.format_map(script.variables) for key, value in tool.answer.items()}, ensure_ascii=False
    )
    updates = []
    if tool.sets and not is_error:
        script.features.add("tool_dynamic_variable_updates")
        updates = [
            {
                "variable_name": tool.sets,
                "old_value": None if happens(script.rng, 0.7) else "unknown",
                "new_value": tool.answer.get(tool.sets, "{order}").format_map(script.variables),
                "updated_at": script.now() + latency,
                "tool_name": tool.name,
                "tool_request_id": request_id,
            }
        ]
    result = {
        "request_id": request_id,
        "tool_name": tool.name,
        "result_value": message if is_error else value,
        "is_error": is_error,
        "tool_has_been_called": True,
        "tool_latency_secs": latency,
        "dynamic_variable_updates": updates,
        "type": "mcp" if tool.kind == "api_integration_mcp" else tool.kind,
        "tool_id": tool.tool_id,
        "is_blocked": False,
        "error_type": error_type if is_error else None,
        "raw_error_message": message if is_error else None,
    }
    if tool.kind == "api_integration_webhook":
        result |= _CONNECTION
        result["error_type"] = result["error_type"] or ""
        result["raw_error_message"] = result["raw_error_message"] or ""
    return result


def _times_out(script: Script, tool: Tool) -> bool:
    """Whether a tool fails as one of the story does in the evening."""
    evening = STORY.evening_timeouts
    hour = script.blueprint.start % DAY_SECS // _HOUR_SECS
    is_evening = evening.from_hour <= hour <= evening.until_hour
    return tool.name == evening.tool and is_evening and happens(script.rng, evening.share)


def request_id(script: Script, name: str) -> str:
    """An id that no other tool call of the world has."""
    return f"{name}_{script.rng.getrandbits(128):032x}"


def plain_request(script: Script, name: str, parameters: dict[str, Any], *, kind: str = "system") -> Json:
    """A tool call without details: of a system tool, or of another kind that has none."""
    return {
        "type": kind,
        "request_id": request_id(script, name),
        "tool_name": name,
        "params_as_json": json.dumps(parameters, ensure_ascii=False),
        "tool_has_been_called": True,
        "tool_details": None,
        "tool_id": None,
    }


def plain_answer(
    call: Json, value: str, latency_secs: float, *, is_error: bool = False, result: Json | None = None
) -> Json:
    """The result of a ``plain_request``; only some kinds have a ``result`` beside the text."""
    return {
        "request_id": call["request_id"],
        "tool_name": call["tool_name"],
        "result_value": value,
        "is_error": is_error,
        "tool_has_been_called": True,
        "tool_latency_secs": latency_secs,
        "dynamic_variable_updates": [],
        "type": call["type"],
        **({} if result is None else {"result": result}),
        "tool_id": None,
        "is_blocked": False,
        "error_type": None,
        "raw_error_message": None,
    }


def system_answer(call: Json, result: Json, latency_secs: float) -> Json:
    """The result of a system tool."""
    value, is_error = json.dumps(result, ensure_ascii=False), result.get("status") == "error"
    return plain_answer(call, value, latency_secs, is_error=is_error, result=result)


def use_system(script: Script, name: str, parameters: dict[str, Any], result: Json) -> None:
    """Let the agent call a system tool and go on."""
    call = plain_request(script, name, parameters)
    script.call_tool(call)
    latency = 0.5 + script.rng.random() * 0.1
    script.read_result(system_answer(call, result, latency), latency)


def _details(script: Script, tool: Tool, parameters: dict[str, str]) -> Json:
    if tool.kind == "client":
        return {"type": "client", "parameters": json.dumps(parameters, ensure_ascii=False)}
    if tool.kind in ("mcp", "api_integration_mcp"):
        return {
            "type": "mcp",
            "mcp_server_id": "mcpsv_5801k7ahj4n2x9w6",
            "mcp_server_name": "Alder property management",
            "integration_type": "mcp_server" if tool.kind == "mcp" else "api_integration",
            "parameters": parameters,
            "approval_policy": "auto_approve_all",
            "requires_approval": False,
            "mcp_tool_name": tool.name,
            "mcp_tool_description": tool.description,
        }
    is_read = tool.method == "GET"
    is_in_path = "{order}" in tool.url
    webhook = {
        "type": "webhook",
        "method": tool.method,
        "url": tool.endpoint().format_map(script.variables),
        "headers": dict(tool.headers),
        "path_params": {"order": script.variables["order"]} if is_in_path else {},
        "query_params": parameters if is_read and not is_in_path else {},
        "body": None if is_read else json.dumps(parameters, ensure_ascii=False),
    }
    if tool.kind == "api_integration_webhook":
        return {"type": tool.kind, **_CONNECTION, "webhook_details": webhook}
    return webhook
