"""Routes through a workflow: tool calls of conditions, whose steps nest tool calls and results to any depth."""

from __future__ import annotations

from math import fsum

from pipelines.emulator.data.tools import TOOLS
from pipelines.emulator.generator.system_tools import Event, end_call_event, system_events
from pipelines.emulator.generator.tool_calls import answer, plain_answer, plain_request, request, system_answer
from pipelines.emulator.generator.transcript import Json, Script

_TO_NODE = {"to_agent": "node_01k5gf7handover", "to_node": "node_01k5gf7handover", "branch_info": None}


def play_route(script: Script) -> None:
    """Route through the workflow: a tool call of a condition, whose result lists the steps that were taken."""
    scenario = script.blueprint.scenario
    script.features.add("workflow")
    call = _condition(script, 1)
    script.call_tool(call)
    script.node = "node_01k5gf2qualify"
    steps = [_edge(script, "node_01k5gf2qualify"), _tools_step(script)]
    if scenario == "workflow":
        steps.append(_transfer_step(script))
    if scenario == "workflow_nested":
        inner = _condition(script, 2)
        deepest = [_edge(script, "node_01k5gf7handover"), _tools_step(script), _transfer_step(script)]
        nested = _workflow_answer(inner, deepest)
        steps.append(_nested("node_01k5gf4route", [inner], [nested], is_success=True))
        script.node = "node_01k5gf7handover"
    if scenario == "workflow_endless":
        steps.append({"step_latency_secs": 0.002, "type": "max_iterations_exceeded", "max_iterations": 25})
    result = _workflow_answer(call, steps)
    script.read_result(result, result["tool_latency_secs"])


def _condition(script: Script, number: int) -> Json:
    return plain_request(script, f"notify_condition_{number}_met", {}, kind="workflow")


def _workflow_answer(call: Json, steps: list[Json]) -> Json:
    latency = fsum(step["step_latency_secs"] for step in steps)
    is_error = any(step.get("is_successful") is False for step in steps)
    return plain_answer(call, "Workflow moved on", latency, is_error=is_error, result={"steps": steps})


def _edge(script: Script, target: str) -> Json:
    return {
        "step_latency_secs": 0.0004,
        "type": "edge",
        "edge_id": f"edge_{script.rng.getrandbits(40):010x}",
        "target_node_id": target,
    }


def _tools_step(script: Script) -> Json:
    """A step that calls tools of the agent and of the system, whichever the node holds."""
    requests, results = [], []
    for tool in script.rng.sample(list(TOOLS.values()), 2):
        call = request(script, tool)
        requests.append(call)
        results.append(answer(script, tool, call["request_id"]))
    events = system_events(script) | {"end_call": end_call_event(script)}
    for name in script.rng.sample(sorted(events.keys() - {"transfer_to_agent"}), 3):
        _call_system(script, events[name], requests, results)
    is_success = not any(result["is_error"] for result in results)
    return _nested("node_01k5gf3lookup", requests, results, is_success=is_success)


def _transfer_step(script: Script) -> Json:
    """A transfer inside a workflow: ``to_agent`` is the id of a node, not of an agent."""
    script.features.add("transfer_to_agent")
    requests: list[Json] = []
    results: list[Json] = []
    name, parameters, result = system_events(script)["transfer_to_agent"]
    _call_system(script, (name, parameters, result | _TO_NODE), requests, results)
    return _nested("node_01k5gf6transfer", requests, results, is_success=True)


def _call_system(script: Script, event: Event, requests: list[Json], results: list[Json]) -> None:
    name, parameters, result = event
    call = plain_request(script, name, parameters)
    requests.append(call)
    results.append(system_answer(call, result, 0.01))


def _nested(node: str, requests: list[Json], results: list[Json], *, is_success: bool) -> Json:
    return {
        "step_latency_secs": fsum(result["tool_latency_secs"] for result in results) + 0.001,
        "type": "nested_tools",
        "node_id": node,
        "requests": requests,
        "results": results,
        "is_successful": is_success,
    }
