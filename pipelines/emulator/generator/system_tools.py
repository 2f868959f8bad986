"""Rare turns of a call: system tools that do more than hang up, and routes through a workflow."""

from __future__ import annotations

from typing import Any

from pipelines.emulator.data.agents import AGENTS
from pipelines.emulator.data.tools import TOOLS
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.generator.tool_calls import (
    answer,
    request,
    request_id,
    system_answer,
    system_request,
    use_system,
)
from pipelines.emulator.generator.transcript import Json, Script

_TRANSFERS = {"transfer_to_agent", "transfer_to_agent_error"}
_TO_NUMBERS = {"transfer_to_number_twilio", "transfer_to_number_sip", "transfer_to_number_error"}
_HUMAN = "+15550100900"


def system_episodes(script: Script) -> dict[str, tuple[str, Json, Json]]:
    """For each trait that is a system tool: the tool's name, its parameters and its result."""
    agent = script.head.agent
    other = AGENTS[(AGENTS.index(agent) + 1) % len(AGENTS)]
    name = script.slots["name"]
    reason = f"{name} asked for it"

    def success(kind: str, **rest: Any) -> Json:
        return {"result_type": kind, "status": "success", **rest}

    def error(kind: str, **rest: Any) -> Json:
        return {"result_type": kind, "status": "error", **rest}

    return {
        "language_detection": (
            "language_detection",
            {"reason": "the caller speaks German", "language": "de"},
            success("language_detection_success", reason="the caller speaks German", language="de"),
        ),
        "transfer_to_agent": (
            "transfer_to_agent",
            {"reason": reason, "agent_number": 0},
            success(
                "transfer_to_agent_success",
                from_agent=agent.agent_id,
                to_agent=other.agent_id,
                condition="the caller asks about something that another line deals with",
                delay_ms=500,
                transfer_message="One moment, I am connecting you.",
                enable_transferred_agent_first_message=True,
            ),
        ),
        "transfer_to_agent_error": (
            "transfer_to_agent",
            {"reason": reason, "agent_number": 7},
            error(
                "transfer_to_agent_error", from_agent=agent.agent_id, error="No transfer with number 7 is configured"
            ),
        ),
        "transfer_to_number_twilio": (
            "transfer_to_number",
            {"reason": reason, "transfer_number": _HUMAN},
            success(
                "transfer_to_number_twilio_success",
                transfer_number=_HUMAN,
                reason=reason,
                client_message="Please hold while I connect you to a colleague.",
                agent_message=f"{name} is on the line about {script.slots['day']}.",
                conference_name=f"transfer_{script.rng.getrandbits(48):012x}",
                note="warm transfer",
            ),
        ),
        "transfer_to_number_sip": (
            "transfer_to_number",
            {"reason": reason, "transfer_number": "sip:frontdesk@pbx.example.com"},
            success(
                "transfer_to_number_sip_success",
                transfer_number="sip:frontdesk@pbx.example.com",
                reason=reason,
                note="refer accepted",
            ),
        ),
        "transfer_to_number_error": (
            "transfer_to_number",
            {"reason": reason, "transfer_number": _HUMAN},
            error("transfer_to_number_error", error="The number did not answer", details="no-answer after 25 s"),
        ),
        "skip_turn": (
            "skip_turn",
            {"reason": "the caller asked for a moment"},
            success("skip_turn_success", reason="the caller asked for a moment"),
        ),
        "play_dtmf": (
            "play_keypad_touch_tone",
            {"dtmf_tones": "1w2#", "reason": "menu of the switchboard"},
            success("play_dtmf_success", dtmf_tones="1w2#", reason="menu of the switchboard"),
        ),
        "play_dtmf_error": (
            "play_keypad_touch_tone",
            {"dtmf_tones": "9x"},
            error("play_dtmf_error", error="Invalid DTMF tones", details="'x' is not a tone"),
        ),
        "voicemail": (
            "voicemail_detection",
            {"reason": "an answering machine answered"},
            success(
                "voicemail_detection_success",
                voicemail_message="Please call us back about your car.",
                reason="an answering machine answered",
            ),
        ),
        "end_call": (
            "end_call",
            {"reason": f"{name} said goodbye", "system__message_to_speak": "Goodbye!"},
            success(
                "end_call_success",
                reason=f"{name} said goodbye",
                message="Goodbye!" if happens(script.rng, 0.5) else None,
            ),
        ),
        "testing": (
            "transfer_to_agent",
            {"reason": "dry run"},
            success("testing_tool_result", reason="the tool was not called: this is a test"),
        ),
    }


def play(script: Script) -> None:
    """Play the episode of the call's trait, if it has one."""
    trait = script.head.trait
    if trait.startswith("workflow"):
        _route(script, trait)
        return
    episode = system_episodes(script).get(trait)
    if episode is None:
        return
    if trait in _TRANSFERS:
        script.features.add("transfer_to_agent")
    elif trait in _TO_NUMBERS:
        script.features.add("transfer_to_number")
    use_system(script, *episode)


def hang_up(script: Script) -> None:
    """End the call with the ``end_call`` tool."""
    use_system(script, *system_episodes(script)["end_call"])


def _route(script: Script, trait: str) -> None:
    """A route through the workflow: a call of a condition, whose result tells the steps that were taken."""
    script.features.add("workflow")
    call = _condition(script, 1)
    script.think(call)
    script.node = "node_01k5gf2qualify"
    steps = [_edge(script, "node_01k5gf2qualify"), _tools_step(script)]
    if trait == "workflow":
        steps.append(_transfer_step(script))
    if trait == "workflow_nested":
        inner = _condition(script, 2)
        deepest = [_edge(script, "node_01k5gf7handover"), _tools_step(script), _transfer_step(script)]
        nested = _workflow_answer(inner, deepest)
        steps.append(_nested("node_01k5gf4route", [inner], [nested], ok=True))
        script.node = "node_01k5gf7handover"
    if trait == "workflow_endless":
        steps.append({"step_latency_secs": 0.002, "type": "max_iterations_exceeded", "max_iterations": 25})
    result = _workflow_answer(call, steps)
    script.learn(result, result["tool_latency_secs"])


def _condition(script: Script, number: int) -> Json:
    name = f"notify_condition_{number}_met"
    return {
        "type": "workflow",
        "request_id": request_id(script, name),
        "tool_name": name,
        "params_as_json": "{}",
        "tool_has_been_called": True,
        "tool_details": None,
    }


def _workflow_answer(call: Json, steps: list[Json]) -> Json:
    return {
        "request_id": call["request_id"],
        "tool_name": call["tool_name"],
        "result_value": "Workflow moved on",
        "is_error": any(step.get("is_successful") is False for step in steps),
        "tool_has_been_called": True,
        "tool_latency_secs": sum(step["step_latency_secs"] for step in steps),
        "dynamic_variable_updates": [],
        "type": "workflow",
        "result": {"steps": steps},
    }


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
    episodes = system_episodes(script)
    for trait in script.rng.sample(sorted(episodes.keys() - {"transfer_to_agent"}), 3):
        _call_system(script, episodes[trait], requests, results)
    ok = not any(result["is_error"] for result in results)
    return _nested("node_01k5gf3lookup", requests, results, ok=ok)


def _transfer_step(script: Script) -> Json:
    """A transfer inside a workflow: ``to_agent`` is the id of a node, not of an agent."""
    script.features.add("transfer_to_agent")
    requests: list[Json] = []
    results: list[Json] = []
    name, parameters, result = system_episodes(script)["transfer_to_agent"]
    _call_system(script, (name, parameters, result | {"to_agent": "node_01k5gf7handover"}), requests, results)
    return _nested("node_01k5gf6transfer", requests, results, ok=True)


def _call_system(script: Script, episode: tuple[str, Json, Json], requests: list[Json], results: list[Json]) -> None:
    name, parameters, result = episode
    call = system_request(script, name, parameters)
    requests.append(call)
    results.append(system_answer(script, call, result, 0.01))


def _nested(node: str, requests: list[Json], results: list[Json], *, ok: bool) -> Json:
    return {
        "step_latency_secs": sum(result["tool_latency_secs"] for result in results) + 0.001,
        "type": "nested_tools",
        "node_id": node,
        "requests": requests,
        "results": results,
        "is_successful": ok,
    }
