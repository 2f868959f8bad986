"""Scripted system-tool events of scenarios: the system tools of the spec of 2025."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pipelines.emulator.data.agents import AGENTS
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.generator.tool_calls import use_system
from pipelines.emulator.generator.transcript import Json, Script

Event = tuple[str, Json, Json]
"""A tool's name, its parameters and its result."""
HUMAN_NUMBER = "+15550100900"
"""Where a caller who asks for a person is transferred to."""
_MAIN_BRANCH = {"branch_reason": "defaulting_to_main", "branch_id": "agtbrch_main"}


def success(kind: str, **rest: Any) -> Json:
    """The result of a system tool that did its work."""
    return {"result_type": kind, "status": "success", **rest}


def error(kind: str, **rest: Any) -> Json:
    """The result of a system tool that did not."""
    return {"result_type": kind, "status": "error", **rest}


def system_events(script: Script) -> dict[str, Event]:
    """For each scenario that is a system tool: what it does."""
    agent = script.blueprint.agent
    other = AGENTS[(AGENTS.index(agent) + 1) % len(AGENTS)]
    name = script.variables["name"]
    reason = f"{name} asked for it"

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
                to_node=None,
                branch_info=_MAIN_BRANCH,
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
            {"reason": reason, "transfer_number": HUMAN_NUMBER},
            success(
                "transfer_to_number_twilio_success",
                transfer_number=HUMAN_NUMBER,
                reason=reason,
                client_message="Please hold while I connect you to a colleague.",
                agent_message=f"{name} is on the line about {script.variables['day']}.",
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
            {"reason": reason, "transfer_number": HUMAN_NUMBER},
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
        "testing": (
            "transfer_to_agent",
            {"reason": "dry run"},
            success("testing_tool_result", reason="the tool was not called: this is a test"),
        ),
    }


def end_call_event(script: Script) -> Event:
    """Hang up, with a last sentence now and then."""
    reason = f"{script.variables['first']} said goodbye"
    message = "Goodbye!" if happens(script.rng, 0.5) else None
    parameters = {"reason": reason, "system__message_to_speak": "Goodbye!"}
    return "end_call", parameters, success("end_call_success", reason=reason, message=message)


def hang_up(script: Script) -> None:
    """End the conversation with the ``end_call`` tool."""
    use_system(script, *end_call_event(script))


def use_events(script: Script, events: Iterable[Event]) -> None:
    """Let the agent use system tools one after the other; a transfer counts as a feature."""
    for tool_name, parameters, result in events:
        if result["result_type"].startswith("transfer_to_"):
            script.features.add(tool_name)
        use_system(script, tool_name, parameters, result)
