"""How a finished call is judged: criteria, collected data, summary, in the reference's form."""

from __future__ import annotations

from random import Random
from typing import Any

from pipelines.emulator.data.agents import Field
from pipelines.emulator.data.dialogues import Topic
from pipelines.emulator.generator.blueprint import Head
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.generator.transcript import Json

_RATIONALES = {
    "success": "The transcript shows that {text}.",
    "failure": "The transcript does not show that {text}; the conversation ended before.",
    "unknown": "It cannot be told from the transcript whether {text}.",
}
_VERDICTS = {"success": 0.84, "failure": 0.1, "unknown": 0.06}
_UNEVENTFUL_VERDICTS = {"failure": 0.5, "unknown": 0.5}
_UNEVENTFUL = {"empty", "voicemail", "failed"}


def analyse(rng: Random, head: Head, slots: dict[str, str], topic: Topic) -> Json:
    """The analysis of a call, as it stands in the end."""
    eventful = not (head.abandoned or head.trait in _UNEVENTFUL)
    results = {name: _criterion(rng, name, text, eventful=eventful) for name, text in head.agent.criteria}
    verdicts = {result["result"] for result in results.values()}
    successful = next((verdict for verdict in ("failure", "unknown") if verdict in verdicts), "success")
    if eventful:
        title, summary = topic.title, topic.summary.format_map(slots)
    else:
        title = "Voicemail" if head.trait == "voicemail" else "No conversation"
        summary = "The call ended before the caller said what it was about."
    collected = {field.name: _collect(rng, head, field, slots, eventful=eventful) for field in head.agent.fields}
    return {
        "evaluation_criteria_results": results,
        "data_collection_results": collected,
        "call_successful": successful,
        "transcript_summary": summary + "\n",
        "call_summary_title": title,
    }


def before_rerun(analysis: Json, *, shows_in_list: bool) -> Json:
    """The analysis before it was run again: its first criterion was not yet decided.

    With ``shows_in_list`` the verdict on the whole call was open as well, which a list row tells.
    """
    results = dict(analysis["evaluation_criteria_results"])
    name = next(iter(results))
    results[name] = results[name] | {"result": "unknown", "rationale": "The evaluation did not finish in time."}
    earlier = analysis | {"evaluation_criteria_results": results}
    if shows_in_list:
        earlier["call_successful"] = "unknown"
    return earlier


def _criterion(rng: Random, name: str, text: str, *, eventful: bool) -> Json:
    verdicts = _VERDICTS if eventful else _UNEVENTFUL_VERDICTS
    result = rng.choices(tuple(verdicts), tuple(verdicts.values()))[0]
    return {"criteria_id": name, "result": result, "rationale": _RATIONALES[result].format(text=text)}


def _collect(rng: Random, head: Head, field: Field, slots: dict[str, str], *, eventful: bool) -> Json:
    found = eventful and happens(rng, 0.8)
    value = _value(rng, field, slots) if found else None
    schema: Json | None = {"type": field.type, "description": field.description, **dict(field.extra)}
    if head.trait == "odd_values":  # what no declared type allows, seen all the same
        value = [slots["day"], slots["time"]] if field.type == "string" else {"heard": slots["number"], "sure": False}
        schema = None if field.type == "boolean" else schema
    rationale = f"Said in the conversation: {field.description.lower()}." if found else "It was not mentioned."
    return {"data_collection_id": field.name, "value": value, "json_schema": schema, "rationale": rationale}


def _value(rng: Random, field: Field, slots: dict[str, str]) -> Any:
    if field.type == "boolean":
        return happens(rng, 0.4)
    if field.type == "integer":
        return 1 + int(rng.random() * 12)
    if field.type == "number":
        return round(rng.random() * 400, 2)
    return field.source.format_map(slots)
