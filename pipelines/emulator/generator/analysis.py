"""How a finished conversation is judged, in the form of 2026: criteria, collected data, summary, sentiment."""

from __future__ import annotations

from random import Random
from typing import Any

from pipelines.emulator.data.agents import CRITERIA, Field
from pipelines.emulator.data.story import STORY
from pipelines.emulator.generator.blueprint import Blueprint
from pipelines.emulator.generator.randomness import happens
from pipelines.emulator.generator.transcript import Json, Script

_SHARES_WITHOUT_TALK = (0.5, 0.5)
_NO_TALK = {
    "failure": ("Nothing was said that could meet it.", "The conversation ended before the caller spoke."),
    "unknown": ("There is no conversation to judge.", "The caller did not say what it was about."),
}
_LABELS = ((0.35, "negative"), (0.6, "neutral"), (1.01, "positive"))
_WITHOUT_TALK = {"empty", "voicemail", "failed"}
_BEFORE_RERUN = "The evaluation did not finish in time."


def analyse(rng: Random, blueprint: Blueprint, script: Script) -> Json:
    """The analysis of a conversation, as it is in the end."""
    if blueprint.scenario == "no_answer":
        return _unanswered()
    has_talk = not (blueprint.is_abandoned or blueprint.scenario in _WITHOUT_TALK)
    agent, topic, variables = blueprint.agent, blueprint.topic, script.variables
    results = {name: _criterion(rng, blueprint, script, name, has_talk=has_talk) for name in agent.criteria}
    verdicts = [result["result"] for result in results.values()]
    successful = next((verdict for verdict in ("failure", "unknown") if verdict in verdicts), "success")
    if has_talk:
        title, summary = topic.title, topic.summary.format_map(variables)
    else:
        title = "Voicemail" if blueprint.scenario == "voicemail" else "No conversation"
        summary = "The call ended before the caller said what it was about."
    collected = {field.name: _collect(rng, blueprint, field, variables, has_talk=has_talk) for field in agent.fields}
    share = verdicts.count("success") / len(verdicts)
    whole = {
        "scope": "conversation",
        "source_agent_id": agent.agent_id,
        "source_branch_id": blueprint.branch_id,
        "evaluation_criteria_results": dict(results),
        "data_collection_results": {},
        "successful": successful,
        "success_score": share,
    }
    part = whole | {"scope": "agent", "data_collection_results": dict(collected)}
    return {
        "evaluation_criteria_results": results,
        "data_collection_results": collected,
        "evaluation_criteria_results_list": list(results.values()),
        "data_collection_results_list": list(collected.values()),
        "call_successful": successful,
        "call_success_score": round(share, 3),
        "transcript_summary": summary + "\n",
        "call_summary_title": title,
        "scoped": [whole, part] if blueprint.caller % 10 == 0 else [],
        "sentiment_analysis": _sentiment(script.n_heard, round((share + rng.random()) / 2, 3)),
    }


def before_rerun(analysis: Json, *, shows_in_list: bool) -> Json:
    """The analysis before it was run again: its first criterion was not yet decided.

    With ``shows_in_list`` the verdict on the whole conversation was open as well, which a list row shows.
    """
    results = dict(analysis["evaluation_criteria_results"])
    name = next(iter(results))
    results[name] = results[name] | {"result": "unknown", "rationale": _BEFORE_RERUN}
    earlier = analysis | {"evaluation_criteria_results": results}
    if "evaluation_criteria_results_list" in analysis:
        earlier["evaluation_criteria_results_list"] = list(results.values())
    if shows_in_list:
        earlier["call_successful"] = "unknown"
    return earlier


def _unanswered() -> Json:
    """What is said of a conversation in which nobody answered."""
    return {
        "evaluation_criteria_results": {},
        "data_collection_results": {},
        "evaluation_criteria_results_list": [],
        "data_collection_results_list": [],
        "call_successful": "unknown",
        "call_success_score": None,
        "transcript_summary": "Summary couldn't be generated for this call.",
        "call_summary_title": None,
        "scoped": [],
        "sentiment_analysis": None,
    }


def _criterion(rng: Random, blueprint: Blueprint, script: Script, name: str, *, has_talk: bool) -> Json:
    failure, unknown = _shares(blueprint, name) if has_talk else _SHARES_WITHOUT_TALK
    draw = rng.random()
    result = "failure" if draw < failure else "unknown" if draw < failure + unknown else "success"
    rationales = _rationales(blueprint, name, result, has_talk=has_talk)
    rationale = rationales[int(rng.random() * len(rationales))].format_map(script.variables)
    return {
        "criteria_id": name,
        "result": result,
        "rationale": rationale,
        "scoring_mode": "binary",
        "score": {"success": 100, "failure": 20}.get(result),
        "max_score": 100,
    }


def _shares(blueprint: Blueprint, name: str) -> tuple[float, float]:
    """The shares of failures and unknown verdicts on a criterion."""
    if _is_broken(blueprint, name):
        return STORY.broken_criterion.failure, STORY.broken_criterion.unknown
    if blueprint.is_new_version:
        return STORY.new_version.failure, STORY.verdicts.unknown
    failure = STORY.branch.failure if blueprint.is_branch else STORY.verdicts.failure
    return failure, STORY.verdicts.unknown


def _rationales(blueprint: Blueprint, name: str, result: str, *, has_talk: bool) -> list[str] | tuple[str, ...]:
    if not has_talk:
        return _NO_TALK[result]
    if result != "success" and _is_broken(blueprint, name):
        broken = STORY.broken_criterion
        return broken.failure_rationales if result == "failure" else broken.unknown_rationales
    wordings: list[str] = getattr(CRITERIA[name], result)
    return wordings


def _is_broken(blueprint: Blueprint, name: str) -> bool:
    return (name, blueprint.topic.language) == (STORY.broken_criterion.criterion, STORY.broken_criterion.language)


def _collect(rng: Random, blueprint: Blueprint, field: Field, variables: dict[str, str], *, has_talk: bool) -> Json:
    is_mentioned = has_talk and happens(rng, 0.8)
    value = _value(rng, field, variables) if is_mentioned else None
    schema: Json | None = {"type": field.type, "description": field.description, **field.schema}
    if blueprint.scenario == "odd_values":  # what no declared type allows, seen all the same
        number = {"heard": variables["number"], "sure": False}
        value = [variables["day"], variables["time"]] if field.type == "string" else number
        schema = None if field.type == "boolean" else schema
    rationale = f"Said in the conversation: {field.description.lower()}." if is_mentioned else "It was not mentioned."
    return {
        "data_collection_id": field.name,
        "value": value,
        "json_schema": schema,
        "rationale": rationale,
        "name": field.name.replace("_", " ").capitalize(),
    }


def _value(rng: Random, field: Field, variables: dict[str, str]) -> Any:
    if field.type == "boolean":
        return happens(rng, 0.4)
    if field.type == "integer":
        return 1 + int(rng.random() * 12)
    if field.type == "number":
        return round(rng.random() * 400, 2)
    return field.template.format_map(variables)


def _sentiment(n_user_turns: int, score: float) -> Json | None:
    if not n_user_turns:
        return None
    return {
        "overall_label": next(label for most, label in _LABELS if score < most),
        "overall_sentiment_score": score,
        "overall_frustration_score": round(1 - score, 3),
        "min_user_sentiment_score": round(score / 2, 3),
        "max_user_frustration_score": round(1 - score / 2, 3),
        "num_scored_user_turns": n_user_turns,
    }
