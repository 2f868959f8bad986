"""Reduces a document of 2026 to the spec of 2025: drops and renames what that spec lacks.

Two scenarios go further back, to what was seen before about July 2025: turn metrics one level higher and charges
without their parts, or system tools whose results are text alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from pipelines.emulator.generator.transcript import Json

CONVERSATION = (
    "agent_name", "conversation_product", "version_id", "user_message_count", "agent_message_count", "visited_agents",
    "environment", "has_auxiliary_audio", "tag_ids", "hiding_reason", "smb_metadata", "realtime_config_snapshots",
    "otlp_traces",
)  # fmt: skip
ENTRY = (
    "producing_llm", "ignored_as_backchannel", "platform_event", "reasoning", "source_event_id",
    "used_static_kb_document_ids", "user_identifier", "id", "created_at_unix_ms", "triggered_guardrails", "file_input",
    "contextual_update_info", "config_snapshot_id",
)  # fmt: skip
TOOL_RESULT = (
    "tool_id", "is_blocked", "error_type", "raw_error_message", "integration_id", "credential_id",
    "integration_connection_id",
)  # fmt: skip
TRANSFER = ("to_node", "branch_info")
METADATA = ("queue_wait_secs", "warnings", "sms", "cost_fiat", "voice_rewards")
PHONE_CALL = ("call_result", "call_id")
CHARGING = (
    "platform_charge", "platform_usage", "platform_price", "tts_usage", "asr_usage", "analysis",
    "voice_surcharge_charge",
)  # fmt: skip
FEATURES = ("dtmf_input", "versioning", "file_input", "freeform_procedure", "structured_procedure")
ANALYSIS = (
    "evaluation_criteria_results_list", "data_collection_results_list", "call_success_score", "scoped",
    "sentiment_analysis",
)  # fmt: skip
CRITERION = ("scoring_mode", "score", "max_score")
CLIENT_DATA = ("branch_id", "environment", "starting_workflow_node_id", "procedure_ids", "tool_mock_config")
_CHARGING_BEFORE_JULY = ("dev_discount", "is_burst", "tier")
_NO_CHARGING = {"dev_discount": False, "is_burst": False, "tier": "creator"}
_WHATSAPP_ACCOUNT = "104857600123456"


def downgrade(document: Json, scenario: str = "") -> Json:
    """The document in the form of 2025; the one given is used up."""
    _drop(document, CONVERSATION)
    _downgrade_metadata(document["metadata"])
    if document["analysis"] is not None:
        _downgrade_analysis(document["analysis"])
    _downgrade_client_data(document["conversation_initiation_client_data"])
    for entry in document["transcript"]:
        _downgrade_entry(entry)
    if scenario == "old_metrics":
        _move_metrics_up(document)
    elif scenario == "old_results":
        _drop_result_objects(document["transcript"])
    return document


def _drop(record: Json, names: Iterable[str]) -> None:
    for name in names:
        record.pop(name, None)


def _downgrade_metadata(metadata: Json) -> None:
    _drop(metadata, METADATA)
    _drop(metadata["features_usage"], FEATURES)
    if metadata["charging"] is None:  # the spec of 2025 has no null here
        metadata["charging"] = dict(_NO_CHARGING)
    _drop(metadata["charging"], CHARGING)
    if metadata["phone_call"]:
        _drop(metadata["phone_call"], PHONE_CALL)
    if metadata["batch_call"]:
        del metadata["batch_call"]["campaign"]
    if metadata["error"]:
        metadata["error"].pop("error_type", None)
    if metadata["whatsapp"]:
        user = metadata["whatsapp"]["whatsapp_user_id"]
        metadata["whatsapp"] = {"whatsapp_business_account_id": _WHATSAPP_ACCOUNT, "whatsapp_user_id": user}
    delivery = metadata["async_metadata"]
    metadata["initiation_trigger"] = (
        {"trigger_type": "zendesk", "ticket_id": int(delivery["external_id"])}
        if delivery
        else {"trigger_type": "default"}
    )


def _downgrade_analysis(analysis: Json) -> None:
    _drop(analysis, ANALYSIS)
    for result in analysis["evaluation_criteria_results"].values():
        _drop(result, CRITERION)
    for value in analysis["data_collection_results"].values():
        del value["name"]


def _downgrade_client_data(data: Json) -> None:
    """Variables were text, numbers and truth values only."""
    _drop(data, CLIENT_DATA)
    del data["conversation_config_override"]["asr"]
    variables = data["dynamic_variables"]
    _drop(variables, [name for name, value in variables.items() if isinstance(value, list | dict)])


def _downgrade_entry(entry: Json) -> None:
    for name in ENTRY:
        del entry[name]
    if entry["agent_metadata"]:
        del entry["agent_metadata"]["version_id"]
    if entry["rag_retrieval_info"]:
        del entry["rag_retrieval_info"]["used_chunk_ids"]
    metrics = entry["conversation_turn_metrics"]
    if metrics:
        entry["conversation_turn_metrics"] = {"metrics": metrics["metrics"]}
    for call in entry["tool_calls"]:
        _downgrade_call(call)
    for result in entry["tool_results"]:
        _downgrade_result(result)


def _downgrade_call(call: Json) -> None:
    del call["tool_id"]
    details = call["tool_details"]
    if details and "webhook_details" in details:
        call["tool_details"] = details["webhook_details"]


def _downgrade_result(result: Json) -> None:
    """A result, those nested in the steps of a workflow included."""
    _drop(result, TOOL_RESULT)
    inner = result.get("result") or {}
    if "to_node" in inner:
        _drop(inner, TRANSFER)
        result["result_value"] = json.dumps(inner, ensure_ascii=False)
    for step in inner.get("steps", ()):
        for call in step.get("requests", ()):
            _downgrade_call(call)
        for nested in step.get("results", ()):
            _downgrade_result(nested)


def _move_metrics_up(document: Json) -> None:
    """Before about July 2025 the parts of a cost were not reported either."""
    for entry in document["transcript"]:
        if entry["conversation_turn_metrics"]:
            entry["conversation_turn_metrics"] = entry["conversation_turn_metrics"]["metrics"]
    charging = document["metadata"]["charging"]
    document["metadata"]["charging"] = {name: charging[name] for name in _CHARGING_BEFORE_JULY}


def _drop_result_objects(transcript: list[Json]) -> None:
    for entry in transcript:
        for result in entry["tool_results"]:
            if result["type"] == "system":
                _drop(result, ("result", "dynamic_variable_updates"))
