"""How a call goes: greeting, topic, small talk, farewell, as long as its head says."""

from __future__ import annotations

from random import Random

from pipelines.emulator.data import dialogues
from pipelines.emulator.data.dialogues import Topic
from pipelines.emulator.generator import system_tools, system_tools_2026, tool_calls
from pipelines.emulator.generator.blueprint import Head
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.generator.transcript import Script

_SECS_PER_ENTRY = 7.5
_MOST_ENTRIES = 54
_FAREWELL_ENTRIES = 3
_EPISODE_AFTER = 4
_MACHINE = "You have reached the mailbox of {name}. Please leave a message after the tone."


def converse(rng: Random, head: Head, slots: dict[str, str], topic: Topic) -> tuple[Script, str]:
    """Play a call; gives its script, and the reason for which it ended as the API words it."""
    written = head.agent.channel == "chat"
    script = Script(rng, head, slots, written=written)
    if head.trait == "empty":
        return script, "Client disconnected: 1005"
    script.greet(head.agent.greeting)
    if head.abandoned:
        reason = "Client disconnected: 1005" if written else "Call ended by remote party"
    elif head.trait == "voicemail":
        script.hear(_MACHINE)
        system_tools.play(script)
        reason = "voicemail_detection tool was called."
    else:
        reason = _talk(script, topic)
    _decorate(script)
    _fit(script)
    return script, reason


def _talk(script: Script, topic: Topic) -> str:
    """Play the topic and what follows it; gives the reason of the end."""
    target = min(_MOST_ENTRIES, max(5, int(script.head.duration / _SECS_PER_ENTRY)))
    for position, (mark, text) in enumerate(topic.lines):
        if position == _EPISODE_AFTER:
            system_tools.play(script)
            system_tools_2026.play(script)
        if position > _EPISODE_AFTER and len(script.entries) >= target:
            break
        _speak(script, mark, text)
    if script.head.trait == "failed":
        del script.entries[max(2, len(script.entries) // 2) :]
        return "Error during the call"
    if topic.language == "en":
        _chat(script, target)
    return _part(script, topic)


def _speak(script: Script, mark: str, text: str) -> None:
    """Play a line of a script."""
    if mark == ">":
        script.hear(text)
    elif mark == "!":
        tool_calls.use(script, text)
    else:
        script.say(text, grounded=mark == "?")


def _chat(script: Script, target: int) -> None:
    """Fill the call with small talk, up to ``target`` entries with its farewell."""
    pairs = script.rng.sample(dialogues.SMALL_TALK, len(dialogues.SMALL_TALK)) * 2
    for question, reply in pairs:
        if len(script.entries) >= target - _FAREWELL_ENTRIES:
            break
        script.hear(question)
        script.say(reply, grounded=happens(script.rng, 0.1))


def _part(script: Script, topic: Topic) -> str:
    """End the call: the caller leaves in the middle, or says goodbye; then the agent hangs up, or somebody does."""
    if happens(script.rng, 0.2):
        return "Client disconnected: 1005" if script.written else "Call ended by remote party"
    goodbye, answer = script.rng.choice(dialogues.FAREWELLS[topic.language])
    script.hear(goodbye)
    script.say(answer)
    if happens(script.rng, 0.12):
        return ""
    system_tools.hang_up(script)
    return "end_call tool was called."


def _decorate(script: Script) -> None:
    """Give turns what only a few have: voices, another model, a thumb."""
    spoken = [entry for entry in script.entries if entry["role"] == "agent" and entry["message"]]
    trait = script.head.trait
    if trait == "multivoice":
        script.features.add("multivoice")
        for entry in spoken[1:3]:
            first, _, rest = entry["message"].partition(" ")
            parts = [
                {"text": first, "voice_label": None, "time_in_call_secs": None},
                {"text": rest, "voice_label": "concierge", "time_in_call_secs": int(entry["time_in_call_secs"])},
            ]
            entry["multivoice_message"] = {"parts": parts}
    if trait == "llm_override":
        for entry in spoken[1:]:
            entry["llm_override"] = "gemini-2.0-flash"
    if trait != "old_metrics" and happens(script.rng, 0.04):
        entry = spoken[-1]
        score = "like" if happens(script.rng, 0.6) else "dislike"
        entry["feedback"] = {"score": score, "time_in_call_secs": int(entry["time_in_call_secs"])}


def _fit(script: Script) -> None:
    """Stretch the natural pace to the duration of the call; the API gives whole seconds."""
    duration = script.head.duration
    pace = duration / max(script.clock, duration / 2, 1.0)
    for entry in script.entries:
        entry["time_in_call_secs"] = int(entry["time_in_call_secs"] * pace)
        if entry["feedback"]:
            entry["feedback"]["time_in_call_secs"] = entry["time_in_call_secs"]
