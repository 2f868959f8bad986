"""Calls of the agent's own tools and their results, as transcript entries hold them in the reference's form."""

from __future__ import annotations

import json
from typing import Any

from pipelines.emulator.data.tools import TOOLS, Tool
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.generator.transcript import Json, Script


def use(script: Script, name: str) -> None:
    """Let the agent call one of its tools and read the answer."""
    tool = TOOLS[name]
    call = request(script, tool)
    script.think(call)
    if script.head.trait == "unanswered":
        call["tool_has_been_called"] = False
        return
    result = answer(script, tool, call["request_id"])
    script.learn(result, result["tool_latency_secs"])


def request(script: Script, tool: Tool) -> Json:
    """A call of ``tool``."""
    parameters = {key: value.format_map(script.slots) for key, value in tool.parameters.items()}
    if tool.kind in ("mcp", "api_integration_mcp"):
        script.features.add("external_mcp_servers")
    return {
        "type": tool.kind,
        "request_id": request_id(script, tool.name),
        "tool_name": tool.name,
        "params_as_json": json.dumps(parameters, ensure_ascii=False),
        "tool_has_been_called": True,
        "tool_details": _details(script, tool, parameters),
    }


def answer(script: Script, tool: Tool, request_id: str) -> Json:
    """The result of a call of ``tool``."""
    latency = tool.latency_secs * script.rng.lognormvariate(0.0, 0.4)
    is_error = script.head.trait == "tool_error" or happens(script.rng, 0.03)
    value = json.dumps({key: value.format_map(script.slots) for key, value in tool.answer.items()}, ensure_ascii=False)
    updates = []
    if tool.sets and not is_error:
        script.features.add("tool_dynamic_variable_updates")
        updates = [
            {
                "variable_name": tool.sets,
                "old_value": None if happens(script.rng, 0.7) else "unknown",
                "new_value": tool.answer.get(tool.sets, "{order}").format_map(script.slots),
                "updated_at": script.now() + latency,
                "tool_name": tool.name,
                "tool_request_id": request_id,
            }
        ]
    return {
        "request_id": request_id,
        "tool_name": tool.name,
        "result_value": tool.error if is_error else value,
        "is_error": is_error,
        "tool_has_been_called": True,
        "tool_latency_secs": latency,
        "dynamic_variable_updates": updates,
        "type": "mcp" if tool.kind == "api_integration_mcp" else tool.kind,
    }


def request_id(script: Script, name: str) -> str:
    """An id that no other call of the world has."""
    return f"{name}_{script.rng.getrandbits(128):032x}"


def system_request(script: Script, name: str, parameters: dict[str, Any]) -> Json:
    """A call of a system tool, which has no details."""
    return {
        "type": "system",
        "request_id": request_id(script, name),
        "tool_name": name,
        "params_as_json": json.dumps(parameters, ensure_ascii=False),
        "tool_has_been_called": True,
        "tool_details": None,
    }


def system_answer(script: Script, call: Json, result: Json, latency_secs: float) -> Json:
    """The result of a system tool; in old payloads it has only its text, no ``result`` object."""
    answered = {
        "request_id": call["request_id"],
        "tool_name": call["tool_name"],
        "result_value": json.dumps(result, ensure_ascii=False),
        "is_error": result.get("status") == "error",
        "tool_has_been_called": True,
        "tool_latency_secs": latency_secs,
        "dynamic_variable_updates": [],
        "type": "system",
        "result": result,
    }
    if script.head.trait == "old_results":
        del answered["result"], answered["dynamic_variable_updates"]
    return answered


def use_system(script: Script, name: str, parameters: dict[str, Any], result: Json) -> None:
    """Let the agent call a system tool and go on."""
    call = system_request(script, name, parameters)
    script.think(call)
    latency = 0.5 + script.rng.random() * 0.1
    script.learn(system_answer(script, call, result, latency), latency)


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
    reads = tool.method == "GET"
    in_path = "{order}" in tool.url
    return {
        "type": "webhook",
        "method": tool.method,
        "url": tool.endpoint().format_map(script.slots),
        "headers": dict(tool.headers),
        "path_params": {"order": script.slots["order"]} if in_path else {},
        "query_params": parameters if reads and not in_path else {},
        "body": None if reads else json.dumps(parameters, ensure_ascii=False),
    }
