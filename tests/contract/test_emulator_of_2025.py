"""Documents of 2026, reduced to what the reference of 2025 holds."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pipelines.emulator.data.story import STORY
from pipelines.emulator.generator.blueprint import Blueprint
from pipelines.emulator.generator.document import build_document_of_2026
from pipelines.emulator.generator.downgrade_to_2025 import downgrade
from pipelines.emulator.generator.world import World
from tests.helpers.openapi import DETAIL, errors

UNTIL = datetime(2026, 11, 22, tzinfo=UTC)

NOT_IN_2025 = {
    "agent_name",
    "asr",
    "asr_usage",
    "branch_info",
    "call_id",
    "call_result",
    "call_success_score",
    "config_snapshot_id",
    "contextual_update_info",
    "convai_asr_provider",
    "convai_tts_cascade",
    "convai_tts_model",
    "conversation_product",
    "cost_fiat",
    "created_at_unix_ms",
    "data_collection_results_list",
    "dtmf_input",
    "environment",
    "error_type",
    "evaluation_criteria_results_list",
    "file_input",
    "freeform_procedure",
    "has_auxiliary_audio",
    "ignored_as_backchannel",
    "integration_id",
    "is_blocked",
    "max_score",
    "otlp_traces",
    "per_voice_usage",
    "platform_charge",
    "platform_event",
    "platform_price",
    "platform_usage",
    "procedure_ids",
    "producing_llm",
    "queue_wait_secs",
    "raw_error_message",
    "reasoning",
    "scoped",
    "scoring_mode",
    "sentiment_analysis",
    "sms",
    "source_event_id",
    "starting_workflow_node_id",
    "tag_ids",
    "to_node",
    "tool_id",
    "tool_mock_config",
    "triggered_guardrails",
    "tts_usage",
    "used_chunk_ids",
    "user_message_count",
    "version_id",
    "versioning",
    "visited_agents",
    "voice_surcharge_charge",
    "warnings",
    "webhook_details",
}


@pytest.fixture(scope="module")
def blueprints() -> list[Blueprint]:
    """Every conversation whose scenario the spec of 2025 can hold."""
    later = {scenario.name for scenario in STORY.scenarios.rota if scenario.schema == 2026}
    return [
        conversation
        for conversation in World(conversations=1000, until=UNTIL).visible(UNTIL)
        if conversation.scenario not in later
    ]


@pytest.fixture(scope="module")
def of_2026(blueprints: list[Blueprint]) -> list[dict[str, Any]]:
    return [build_document_of_2026(blueprint) for blueprint in blueprints]


@pytest.fixture(scope="module")
def reduced(blueprints: list[Blueprint]) -> list[dict[str, Any]]:
    """Built again: that is faster than a deep copy, and what is reduced is used up."""
    return [downgrade(build_document_of_2026(blueprint)) for blueprint in blueprints]


def keys_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for part in value.values():
            yield from keys_of(part)
    elif isinstance(value, list):
        for part in value:
            yield from keys_of(part)


def test_documents_of_2026_are_reduced_to_valid_ones_of_2025(
    of_2026: list[dict[str, Any]], reduced: list[dict[str, Any]]
) -> None:
    keys = {key for document in of_2026 for key in keys_of(document)}
    assert keys >= NOT_IN_2025 - {"error_type"}
    left = {key for document in reduced for key in keys_of(document)}
    assert left & NOT_IN_2025 == set()
    assert {"campaign"} & {key for entry in reduced for key in entry["metadata"]["batch_call"] or ()} == set()
    wrong = {document["conversation_id"]: errors(DETAIL, document) for document in reduced[::3]}
    assert len(wrong) > 200
    assert {conversation_id: problems for conversation_id, problems in wrong.items() if problems} == {}


def changes(new: Any, old: Any, path: str = "") -> Iterator[str]:
    """The places at which a reduced document says something else than the whole one, not less."""
    if isinstance(new, dict) and isinstance(old, dict):
        for key, value in new.items():
            yield from changes(value, old[key], f"{path}.{key}") if key in old else (f"{path}.{key}",)
    elif isinstance(new, list) and isinstance(old, list) and len(new) == len(old):
        for value, other in zip(new, old, strict=True):
            yield from changes(value, other, f"{path}[]")
    elif new != old:
        yield path


def test_a_reduced_document_says_less_and_nothing_else_except_what_was_renamed(
    of_2026: list[dict[str, Any]], reduced: list[dict[str, Any]]
) -> None:
    changed = {place for new, old in zip(reduced, of_2026, strict=True) for place in changes(new, old)}
    steps = r"\.result\.steps\[\]"
    places = {re.sub(rf"{steps}\.results\[\]", "", place) for place in changed}
    assert {re.sub(rf"tool_results\[\]{steps}\.requests", "tool_calls", place) for place in places} <= {
        ".metadata.initiation_trigger",
        ".metadata.whatsapp.whatsapp_business_account_id",
        ".metadata.charging",
        ".transcript[].tool_results[].result_value",
        ".transcript[].tool_calls[].tool_details.type",
        ".transcript[].tool_calls[].tool_details.method",
        ".transcript[].tool_calls[].tool_details.url",
        ".transcript[].tool_calls[].tool_details.headers",
        ".transcript[].tool_calls[].tool_details.path_params",
        ".transcript[].tool_calls[].tool_details.query_params",
        ".transcript[].tool_calls[].tool_details.body",
    }
    assert {".metadata.initiation_trigger", ".metadata.charging"} <= changed


def test_the_error_type_of_an_unanswered_conversation_is_dropped(of_2026: list[dict[str, Any]]) -> None:
    document = copy.deepcopy(next(document for document in of_2026 if document["metadata"]["error"]))
    document["metadata"]["error"]["error_type"] = "no_answer"
    assert errors(DETAIL, downgrade(document)) == []


@pytest.mark.parametrize("scenario", ["old_metrics", "old_results"])
def test_two_scenarios_go_back_to_what_was_seen_before(scenario: str, of_2026: list[dict[str, Any]]) -> None:
    document = copy.deepcopy(
        next(document for document in of_2026 if "end_call" in document["metadata"]["termination_reason"])
    )
    reduced = downgrade(document, scenario)
    assert errors(DETAIL, reduced) == [] or scenario == "old_results"
    metrics = [entry["conversation_turn_metrics"] for entry in reduced["transcript"]]
    system = [r for entry in reduced["transcript"] for r in entry["tool_results"] if r["type"] == "system"]
    assert all(("metrics" in timed) == (scenario != "old_metrics") for timed in metrics if timed)
    assert all(("result" in result) == (scenario != "old_results") for result in system)
    assert system
    assert set(reduced["metadata"]["charging"]) >= {"dev_discount", "is_burst", "tier"}
    assert ("llm_price" in reduced["metadata"]["charging"]) == (scenario != "old_metrics")
