"""How a conversation goes: greeting, topic, small talk, farewell, as long as its blueprint says."""

from __future__ import annotations

from random import Random

from pipelines.emulator.data.dialogues import DIALOGUES, Exchange, exchanges
from pipelines.emulator.generator import scripted_events, system_tools, tool_calls
from pipelines.emulator.generator.blueprint import Blueprint
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.generator.transcript import Json, Script

_SECS_PER_ENTRY = 7.5
_MOST_ENTRIES = 54
_FAREWELL_ENTRIES = 3
_EVENT_AFTER = 4
"""Turns of the topic before the scripted system-tool event of a scenario."""
_HUNG_UP = "Call ended by remote party"
_DISCONNECTED = "Client disconnected: 1005"
_GUARDED = "I am not able to say what that could be. Please ask a doctor."
_GUARDRAIL = {
    "guardrail_type": "medical_and_legal",
    "guardrail_name": "No diagnosis",
    "execution_mode": "streaming",
    "guardrail_details": {"type": "classifier", "score": 0.91, "threshold": 0.8},
}


def play_dialogue(rng: Random, blueprint: Blueprint, variables: dict[str, str]) -> tuple[Script, str]:
    """Play a conversation; gives its script, and the reason for which it ended as the API words it."""
    script = Script(rng, blueprint, variables)
    if blueprint.scenario == "empty":
        return script, _DISCONNECTED
    if blueprint.scenario == "no_answer":
        return script, ""
    script.greet(blueprint.agent.greeting)
    if blueprint.is_abandoned:
        reason = _DISCONNECTED if script.is_chat else _HUNG_UP
    elif blueprint.scenario == "voicemail":
        script.hear(rng.choice(DIALOGUES.answering_machine.greetings))
        scripted_events.play_event(script)
        reason = "voicemail_detection tool was called."
    else:
        reason = _talk(script)
    _decorate(script)
    if blueprint.scenario == "guardrail" and blueprint.caller % 2:
        reason = f"Guardrail triggered: {_GUARDRAIL['guardrail_name']}"
    script.finish()
    return script, reason


def _talk(script: Script) -> str:
    """Play the topic and what follows it; gives the reason of the end."""
    blueprint = script.blueprint
    topic = blueprint.topic
    target = min(_MOST_ENTRIES, max(5, int(blueprint.duration / _SECS_PER_ENTRY)))
    if blueprint.is_callback:
        _exchange(script, script.rng.choice(exchanges(DIALOGUES.callback, topic.language)))
    for position, turn in enumerate(topic.turns):
        if position == _EVENT_AFTER:
            scripted_events.play_event(script)
        if position > _EVENT_AFTER and len(script.entries) >= target:
            break
        for speaker, wordings in turn.items():
            _speak(script, speaker, wordings)
    if blueprint.scenario == "failed":
        del script.entries[max(2, len(script.entries) // 2) :]
        return "Error during the call"
    if topic.language == "en":
        _fill(script, target)
    return _part(script)


def _speak(script: Script, speaker: str, wordings: list[str]) -> None:
    """Play one turn of a topic."""
    wording = wordings[int(script.rng.random() * len(wordings))]
    if speaker == "caller":
        script.hear(wording)
    elif speaker == "tool":
        tool_calls.use_tool(script, wording)
    else:
        script.say(wording, is_grounded=speaker == "knowledge")


def _exchange(script: Script, exchange: Exchange, *, is_grounded: bool = False) -> None:
    script.hear(script.rng.choice(exchange.caller))
    script.say(script.rng.choice(exchange.agent), is_grounded=is_grounded)


def _fill(script: Script, target: int) -> None:
    """Fill the conversation with small talk, up to ``target`` entries with its farewell."""
    if len(script.entries) >= target - _FAREWELL_ENTRIES:
        return
    for exchange in script.rng.sample(DIALOGUES.small_talk, len(DIALOGUES.small_talk)) * 2:
        if len(script.entries) >= target - _FAREWELL_ENTRIES:
            break
        _exchange(script, exchange, is_grounded=happens(script.rng, 0.1))


def _part(script: Script) -> str:
    """End: the caller leaves in the middle, or says goodbye; then the agent hangs up, or somebody does."""
    if happens(script.rng, 0.2):
        return _DISCONNECTED if script.is_chat else _HUNG_UP
    _exchange(script, script.rng.choice(exchanges(DIALOGUES.farewell, script.blueprint.topic.language)))
    if happens(script.rng, 0.12):
        return ""
    system_tools.hang_up(script)
    return "end_call tool was called."


def _decorate(script: Script) -> None:
    """Give turns what only a few have: voices, another model, a thumb, a guardrail, a file."""
    spoken = [entry for entry in script.entries if entry["role"] == "agent" and entry["message"]]
    scenario = script.blueprint.scenario
    if scenario == "multivoice":
        script.features.add("multivoice")
        for entry in spoken[1:3]:
            first, _, rest = entry["message"].partition(" ")
            parts = [
                {"text": first, "voice_label": None, "time_in_call_secs": None},
                {"text": rest, "voice_label": "concierge", "time_in_call_secs": int(entry["time_in_call_secs"])},
            ]
            entry["multivoice_message"] = {"parts": parts}
    elif scenario == "llm_override":
        for entry in spoken[1:]:
            entry["llm_override"] = "gemini-2.0-flash"
    elif scenario == "guardrail":
        spoken[-1] |= {"message": _GUARDED, "triggered_guardrails": [dict(_GUARDRAIL)]}
        spoken[-1]["reasoning"] = [{"summary": "The caller asks for a diagnosis.", "provider_redact": False}]
        spoken[-1]["used_static_kb_document_ids"] = [script.blueprint.agent.document_id]
    users = [entry for entry in script.entries if entry["role"] == "user"]
    if users:
        _decorate_user(script, users[-1])
    if happens(script.rng, 0.04):
        entry = spoken[-1]
        score = "like" if happens(script.rng, 0.6) else "dislike"
        entry["feedback"] = {"score": score, "time_in_call_secs": int(entry["time_in_call_secs"])}


def _decorate_user(script: Script, entry: Json) -> None:
    """Give the caller's last turn what its scenario shows."""
    blueprint = script.blueprint
    if blueprint.scenario == "dtmf_input":
        entry |= {"source_medium": "dtmf", "message": "4711#"}
    elif blueprint.scenario == "file_input":
        entry |= {"source_medium": "image", "user_identifier": blueprint.user_id}
        entry["file_input"] = {
            "file_id": f"file_{blueprint.caller:04d}",
            "original_filename": "parcel.jpg",
            "mime_type": "image/jpeg",
            "file_url": "https://files.example.com/parcel.jpg",
        }
    elif blueprint.scenario == "overrides":
        entry["contextual_update_info"] = {"context_id": "page", "is_superseded": False}
        entry["ignored_as_backchannel"] = True
